"""An arm, its training loop, and the loop's one step."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rewardscope.credit import Credit, GroupMean
from rewardscope.environments import Environment
from rewardscope.errors import CheckpointError, ComponentError
from rewardscope.learner import PolicyGradient, load_optimizer, save_optimizer
from rewardscope.policy import Policy, Sampling, sample, score
from rewardscope.policy.start import Start
from rewardscope.rewards import Reward, tell
from rewardscope.seeds import Address, key
from rewardscope.store import CellDirectory, check_directory, seal_directory, write_rollouts
from rewardscope.tensors import Batch, Signals
from rewardscope.types import Completion, Ending, Problem, Rollout

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

    @property
    def uses_truth(self) -> dict[str, bool]:
        """Through which doors the answer key enters training."""
        return {"reward": self.reward.uses_truth, "credit": self.credit.uses_truth}


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


def train(arm: Arm, seed: int, cell: CellDirectory, on_step: OnStep) -> Policy:
    """The policy after ``arm.steps`` updates; goes on from the last finished checkpoint, to the same bits.

    Raises:
        CheckpointError: If the last checkpoint is not what was written.
    """
    done = max(cell.checkpoints(), default=0)
    if done:
        check_directory(cell.checkpoint(done))
    policy = Policy.load(cell.checkpoint(done)) if done else arm.start.load()
    if done == arm.steps:
        return policy
    optimizer = arm.learner.optimizer(policy)
    if done:
        load_optimizer(optimizer, cell.checkpoint(done) / "optimizer.safetensors")
    reference = arm.start.load() if arm.learner.kl_weight else None
    rows = [row for row in cell.steps() if row["step"] < done]
    for step in range(done, arm.steps):
        rows.append(_train_step(arm, seed, step, policy, optimizer, reference, cell))
        cell.write_steps(rows)
        if (step + 1) % arm.checkpoint_every == 0 or step + 1 == arm.steps:
            save_checkpoint(policy, optimizer, cell, step + 1)
        on_step(step + 1)
    return policy


def _train_step(
    arm: Arm, seed: int, step: int, policy: Policy, optimizer: torch.optim.Optimizer, reference: Policy | None, cell: CellDirectory
) -> dict[str, Any]:
    """Draw, sample, grade, tell, write, credit, update: one step, and its row."""
    began = time.monotonic()
    first = key("train", seed, "problems") % 2**40 + step * arm.problems_per_step
    problems = [arm.environment.problem("train", first + p) for p in range(arm.problems_per_step)]
    addresses: list[tuple[Address, ...]] = [("train", seed, step, p) for p in range(len(problems))]
    rollouts = roll_out(policy, arm.environment, problems, arm.completions_per_problem, arm.sampling, step, addresses)
    rollouts = [tell(arm.reward, rollout, address) for rollout, address in zip(rollouts, addresses, strict=True)]
    write_rollouts(cell.step_file("rollouts", step), rollouts)
    batch = pack(policy, rollouts, arm.sampling.temperature)
    told = [[float("nan") if value is None else value for value in rollout.rewards or ()] for rollout in rollouts]
    credit = arm.credit(Signals(reward_PG=torch.tensor(told), mask_NT=batch.mask_NT))
    reference_logprob_NT = None if reference is None else score(reference, batch).logprob_NT
    update = arm.learner.update(policy, optimizer, batch, credit, reference_logprob_NT, arm.sampling.max_tokens, ("train", seed, step))
    return {"step": step, **summary(rollouts, arm.environment.strategies), **credit.notes, **update, "seconds": time.monotonic() - began}


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


def save_checkpoint(policy: Policy, optimizer: torch.optim.Optimizer, cell: CellDirectory, step: int) -> None:
    """Writes the policy as a Hugging Face folder with the optimizer beside it, then lets go of older checkpoints.

    Raises:
        CheckpointError: If it cannot be written.
    """
    final = cell.checkpoint(step)
    partial = final.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        policy.save(partial)
        save_optimizer(optimizer, partial / "optimizer.safetensors")
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
