"""An arm, its training loop, and the loop's one step."""

import ctypes
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rewardscope.credit import Credit, GroupMean
from rewardscope.environments import AllProblems, Environment, Regime
from rewardscope.errors import CheckpointError, ComponentError
from rewardscope.learner import Companions, PolicyGradient
from rewardscope.policy import Policy, Sampling, gram_mask, sample, score
from rewardscope.policy.start import Start
from rewardscope.rewards import Reward, tell
from rewardscope.seeds import Address
from rewardscope.store import CellDirectory, check_directory, seal_directory, write_rollouts
from rewardscope.tensors import Batch, Signals
from rewardscope.types import Completion, Ending, Problem, Rollout

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of mallopt(3)."""
OnStep = Callable[[int], None]
"""Called with the number of updates done."""


@dataclass(frozen=True)
class Arm:
    """One treatment: everything that determines a trained policy, but for the seed."""

    name: str
    start: Start
    environment: Environment
    reward: Reward
    credit: Credit = GroupMean()
    learner: PolicyGradient = PolicyGradient()
    sampling: Sampling = Sampling()
    regime: Regime = AllProblems()
    steps: int = 30
    problems_per_step: int = 32
    completions_per_problem: int = 16
    checkpoint_every: int = 10
    """Steps between checkpoints; a killed run loses at most this many."""

    def __post_init__(self) -> None:
        if self.completions_per_problem < 2:
            raise ComponentError(
                f"Arm '{self.name}' samples groups of one, in which no completion has a sibling to be compared with",
                value=f"completions_per_problem={self.completions_per_problem}",
                allowed="2 or more",
                do="Raise completions_per_problem",
            )
        if min(self.steps, self.problems_per_step, self.checkpoint_every) < 1:
            raise ComponentError(f"Arm '{self.name}' needs steps, problems_per_step and checkpoint_every of 1 or more", do="Mend the study")
        for signal, part in (("value_NT", "critic"), ("implicit_NT", "implicit")):
            if signal in self.credit.needs and getattr(self.learner, part) is None:
                raise ComponentError(
                    f"Arm '{self.name}' has a credit method that reads {signal}, and a learner that does not make it",
                    value=f"credit={self.credit}",
                    allowed=f"PolicyGradient({part}=...)",
                    do=f"Give the learner a {part}",
                )

    @property
    def uses_truth(self) -> dict[str, bool]:
        """Through which doors the answer key enters training."""
        return {"reward": self.reward.uses_truth, "credit": self.credit.uses_truth, "regime": self.regime.uses_truth}


def keep_freed_memory() -> None:
    """Lets the C library keep what is freed for the next step; giving a gigabyte back and faulting it in again is 6 % of a step."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)  # never


def roll_out(
    policy: Policy,
    environment: Environment,
    problems: Sequence[Problem],
    group_size: int,
    sampling: Sampling,
    policy_step: int,
    addresses: Sequence[tuple[Address, ...]],
) -> list[Rollout]:
    """A graded group per problem; nothing has been told to anybody yet."""
    groups = sample(policy, [problem.prompt for problem in problems], group_size, sampling, addresses)
    return [
        Rollout(problem, policy_step, group, tuple(environment.grade(problem, completion.text) for completion in group))
        for problem, group in zip(problems, groups, strict=True)
    ]


def pack(policy: Policy, rollouts: Sequence[Rollout], temperature: float) -> Batch:
    """The rollouts' tokens as tensors."""
    completions = [completion for rollout in rollouts for completion in rollout.completions]
    width = max(len(c.token_ids) for c in completions)
    token_NT = torch.zeros(len(completions), width, dtype=torch.long)
    mask_NT = torch.zeros(len(completions), width, dtype=torch.bool)
    logprob_NT = torch.zeros(len(completions), width)
    for n, completion in enumerate(completions):
        length = len(completion.token_ids)
        token_NT[n, :length] = torch.tensor(completion.token_ids)
        mask_NT[n, :length] = True
        logprob_NT[n, :length] = torch.tensor(completion.logprobs)
    return Batch(
        prompt_ids=tuple(policy.encode(rollout.problem.prompt) for rollout in rollouts),
        token_NT=token_NT,
        mask_NT=mask_NT,
        sampler_logprob_NT=logprob_NT,
        group_size=len(rollouts[0].completions),
        temperature=temperature,
    )


def train(arm: Arm, seed: int, cell: CellDirectory, on_step: OnStep, device: str = "cpu") -> Policy:
    """The policy after ``arm.steps`` updates; goes on from the last finished checkpoint, to the same bits.

    Raises:
        CheckpointError: If the last checkpoint is not what was written.
    """
    keep_freed_memory()
    done = max(cell.checkpoints(), default=0)
    if done:
        check_directory(cell.checkpoint(done))
    policy = Policy.load(cell.checkpoint(done), device=device) if done else arm.start.load(device)
    if done == arm.steps:
        return policy
    reference = "reference_logprob_NT" in arm.credit.needs
    companions = Companions.begin(arm.learner, policy, lambda: arm.start.load(device), reference=reference)
    if done:
        companions.load(cell.checkpoint(done))
    rows = [row for row in cell.steps() if row["step"] < done]
    for step in range(done, arm.steps):
        if step and arm.learner.reset_every and step % arm.learner.reset_every == 0:
            companions.reset(arm.learner, policy)
        rows.append(_train_step(arm, seed, step, policy, companions, cell))
        cell.write_steps(rows)
        if (step + 1) % arm.checkpoint_every == 0 or step + 1 == arm.steps:
            save_checkpoint(arm, policy, companions, cell, step + 1)
        on_step(step + 1)
    return policy


def _train_step(arm: Arm, seed: int, step: int, policy: Policy, companions: Companions, cell: CellDirectory) -> dict[str, Any]:
    """Draw, sample, grade, tell, write, credit, update: one step, and its row."""
    began = time.monotonic()
    problems = [arm.environment.problem("train", index) for index in arm.regime.indices(seed, step, arm.problems_per_step)]
    addresses: list[tuple[Address, ...]] = [("train", seed, step, p) for p in range(len(problems))]
    rollouts = roll_out(policy, arm.environment, problems, arm.completions_per_problem, arm.sampling, step, addresses)
    rollouts = [tell(arm.reward, rollout, address) for rollout, address in zip(rollouts, addresses, strict=True)]
    write_rollouts(cell.step_file("rollouts", step), rollouts)
    batch = pack(policy, rollouts, arm.sampling.temperature)
    signals, state_MD = _signals(arm, policy, companions, batch, rollouts, ("train", seed, step))
    credit = arm.credit(signals)
    if not credit.advantage_NT.isfinite().all():
        raise ComponentError(
            f"{type(arm.credit).__name__} gave an advantage that is not a number",
            value=f"arm '{arm.name}', step {step}, problem {_first_bad(rollouts, credit.advantage_NT)}",
            do="The checkpoint before is kept; look at this step's rollouts and mend the reward or the credit",
        )
    update = arm.learner.update(
        policy, companions.optimizer, batch, credit, signals.reference_logprob_NT, arm.sampling.max_tokens, ("train", seed, step)
    )
    taught: dict[str, float] = {}
    if companions.critic is not None and state_MD is not None and credit.target_value_NT is not None:
        taught["value_loss"] = companions.critic.learn(state_MD, credit.target_value_NT, batch.mask_NT)
    if companions.implicit is not None and signals.reference_logprob_NT is not None:
        taught |= companions.implicit.learn(batch, signals.reward_N, signals.reference_logprob_NT)
    facts = summary(rollouts, arm.environment.strategies)
    return {"step": step, **facts, **credit.notes, **update, **taught, "seconds": time.monotonic() - began}


def _signals(
    arm: Arm, policy: Policy, companions: Companions, batch: Batch, rollouts: Sequence[Rollout], address: tuple[Address, ...]
) -> tuple[Signals, torch.Tensor | None]:
    """What the arm's credit asked for and no more, and the states that a critic read its values from."""
    needs = arm.credit.needs
    told = [[float("nan") if value is None else value for value in rollout.rewards or ()] for rollout in rollouts]
    reference_NT = None if companions.reference is None else score(companions.reference, batch).logprob_NT
    value_NT, state_MD = companions.critic.values(policy, batch) if companions.critic is not None else (None, None)
    implicit_NT = None
    if companions.implicit is not None and reference_NT is not None:
        implicit_NT = companions.implicit.rewards(batch, reference_NT)
    signals = Signals(
        reward_PG=torch.tensor(told),
        mask_NT=batch.mask_NT,
        sampler_logprob_NT=batch.sampler_logprob_NT,
        reference_logprob_NT=reference_NT,
        entropy_NT=score(policy, batch).entropy_NT if "entropy_NT" in needs else None,
        planning_NT=gram_mask(policy, batch, _grams(arm.credit)) if "planning_NT" in needs else None,
        value_NT=value_NT,
        implicit_NT=implicit_NT,
        address=address,
    )
    return signals, state_MD


def _grams(credit: Any) -> tuple[str, ...]:
    """The strategic grams of a credit method, or of the one it wraps."""
    while not hasattr(credit, "grams"):
        credit = credit.base
    grams: tuple[str, ...] = credit.grams
    return grams


def _first_bad(rollouts: Sequence[Rollout], advantage_NT: torch.Tensor) -> str:
    """Id of the first problem with an advantage that is not a number."""
    row = int((~advantage_NT.isfinite()).any(dim=1).nonzero()[0])
    return rollouts[row // len(rollouts[0].completions)].problem.id


def summary(rollouts: Sequence[Rollout], strategies: Sequence[str]) -> dict[str, float | None]:
    """A step row's numbers about its completions: shares of all completions, None where nothing could be said."""
    grades = [grade for rollout in rollouts for grade in rollout.grades]
    completions: list[Completion] = [completion for rollout in rollouts for completion in rollout.completions]
    paid = [reward for rollout in rollouts for reward in rollout.rewards or () if reward is not None]
    graded = [grade for grade in grades if grade.correct is not None]
    return {
        "reward_mean": sum(paid) / len(paid) if paid else None,
        "correct_share": sum(grade.correct is True for grade in graded) / len(graded) if graded else None,
        "strict_share": sum(grade.strict is True for grade in graded) / len(graded) if graded else None,
        "ungraded": float(len(grades) - len(graded)),
        "well_formed_share": sum(grade.well_formed for grade in grades) / len(grades),
        "length_mean_tokens": sum(len(completion.token_ids) for completion in completions) / len(completions),
        "end_token_share": sum(completion.ending is Ending.END_TOKEN for completion in completions) / len(completions),
        **{f"strategy/{name}": sum(grade.strategy == name for grade in grades) / len(grades) for name in strategies},
    }


def save_checkpoint(arm: Arm, policy: Policy, companions: Companions, cell: CellDirectory, step: int) -> None:
    """Writes the policy as a Hugging Face folder with its companions beside it, then lets go of older checkpoints.

    Raises:
        CheckpointError: If it cannot be written.
    """
    final = cell.checkpoint(step)
    partial = final.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        policy.save(partial)
        companions.save(partial, moved_reference=bool(arm.learner.reset_every))
    except Exception as error:  # safetensors raises its own kind for a full disk
        shutil.rmtree(partial, ignore_errors=True)
        raise CheckpointError(
            "A checkpoint could not be written",
            value=f"{final}: {error}",
            do="Free some space, then run again: the checkpoint before is kept",
        ) from error
    seal_directory(partial, final)
    for older in cell.checkpoints():
        if older < step:
            shutil.rmtree(cell.checkpoint(older))
