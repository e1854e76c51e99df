"""The training loop and its one step."""

import ctypes
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import torch

from rewardscope.errors import CheckpointError, ComponentError, RewardscopeError
from rewardscope.experience import BankState
from rewardscope.learner import Companions, load_adapters, save_adapters
from rewardscope.policy import Policy, gram_mask, pack, score
from rewardscope.rewards import tell
from rewardscope.seeds import Address
from rewardscope.store import (
    CellDirectory,
    check_directory,
    read_rollouts,
    seal_directory,
    write_rollouts,
)
from rewardscope.tensors import Batch, Signals, Teaching, TokenCredit
from rewardscope.training.arm import Arm
from rewardscope.training.experience import begin_bank, learn, recalled
from rewardscope.training.groups import roll_out, summary, write_out
from rewardscope.training.laps import Laps
from rewardscope.types import Rollout, sealed

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""
OnStep = Callable[[int], None]
"""Called with the number of updates done."""


@dataclass
class _Past:
    """What a regime may know of the run so far; read back from the stored rollouts, so that a
    resumed run knows the same.
    """

    arm: Arm
    seed: int
    history: dict[int, list[tuple[int, float]]] = field(default_factory=dict)

    def indices(self, step: int) -> list[int]:
        """Training problems of the step, those of every sampling round."""
        regime, count = self.arm.regime, self.arm.problems_per_step
        rounds = range(self.arm.sampling_rounds)
        return [
            index
            for each in rounds
            for index in regime.indices(self.seed, step, count, self.history, each)
        ]

    def met(self, step: int, indices: Sequence[int], rollouts: Sequence[Rollout]) -> None:
        """Remembers how often each was solved."""
        for index, rollout in zip(
            indices, rollouts, strict=False
        ):  # a round that was not needed was not sampled
            if rollout.pass_rate is not None:
                self.history.setdefault(index, []).append((step, rollout.pass_rate))

    def recall(self, steps: int, cell: CellDirectory) -> None:
        """Lives through the finished steps again."""
        for step in range(steps if self.arm.regime.uses_truth else 0):
            self.met(
                step, self.indices(step), list(read_rollouts(cell.step_file("rollouts", step)))
            )


def keep_freed_memory() -> None:
    """Lets the C library keep what is freed for the next step; giving a gigabyte back and faulting
    it in again is 6 % of a step.

    The few blocks of 32 MiB and more, as long as a vocabulary, are given back: no gap that they
    leave would fit the next step's.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, -1)  # never


def train(arm: Arm, seed: int, cell: CellDirectory, on_step: OnStep, device: str = "cpu") -> Policy:
    """The policy after ``arm.steps`` updates; goes on from the last finished checkpoint, to the
    same bits.

    Raises:
        CheckpointError: If the last checkpoint is not what was written.
    """
    keep_freed_memory()
    done = max(cell.checkpoints(), default=0)
    if done:
        check_directory(cell.checkpoint(done))
    if done == arm.steps:
        return Policy.load(cell.checkpoint(done), device=device)
    policy = _prepared(arm, cell, done, device)
    reads_reference = not arm.credit.needs.isdisjoint({"reference_logprob_NT", "mismatched_N"})
    companions = Companions.begin(
        arm.learner,
        policy,
        lambda: arm.learner.prepared(arm.start.load(device)),
        reference=reads_reference,
        seed=seed,
    )
    past = _Past(arm, seed)
    if done:
        companions.load(cell.checkpoint(done))
        past.recall(done, cell)
    rows = [row for row in cell.steps() if row["step"] < done]
    bank = _begin_bank(arm, seed, policy, cell, done)
    for step in range(done, arm.steps):
        if step and arm.learner.reset_every and step % arm.learner.reset_every == 0:
            companions.reset(arm.learner, policy)
        try:
            rows.append(_train_step(arm, past, step, policy, companions, bank, cell, device))
        except RewardscopeError as error:
            _name_the_step(error, arm, seed, step)
        cell.write_steps(rows)
        if (step + 1) % arm.checkpoint_every == 0 or step + 1 == arm.steps:
            save_checkpoint(arm, policy, companions, bank, cell, step + 1)
        on_step(step + 1)
    return arm.learner.plain(policy)


def _prepared(arm: Arm, cell: CellDirectory, done: int, device: str) -> Policy:
    """The policy as the learner moves it, after the steps that are done."""
    if arm.learner.low_rank is None:
        return Policy.load(cell.checkpoint(done), device=device) if done else arm.start.load(device)
    policy = arm.learner.prepared(arm.start.load(device))
    if done:
        load_adapters(policy, cell.checkpoint(done))
    return policy


def _begin_bank(
    arm: Arm, seed: int, policy: Policy, cell: CellDirectory, done: int
) -> BankState | None:
    try:
        return begin_bank(arm, seed, policy, cell, done)
    except CheckpointError:
        raise
    except RewardscopeError as error:
        _name_the_step(error, arm, seed, done)


def _name_the_step(error: RewardscopeError, arm: Arm, seed: int, step: int) -> NoReturn:
    """Raises the same error with where it happened, and what is left."""
    where = f"arm '{arm.name}' with {type(arm.credit).__name__}, seed {seed}, step {step}"
    value = where if error.value is None else f"{error.value}; {where}"
    raise type(error)(
        error.what,
        value=value,
        allowed=error.allowed,
        do=f"The checkpoint before is kept. {error.do}",
    ) from error


def _train_step(
    arm: Arm,
    past: _Past,
    step: int,
    policy: Policy,
    companions: Companions,
    bank: BankState | None,
    cell: CellDirectory,
    device: str,
) -> dict[str, Any]:
    """Draw, recall, sample, grade, tell, write, credit, update, absorb: one step, and its row."""
    laps = Laps()
    address: tuple[Address, ...] = ("train", past.seed, step)
    written = _told_groups(arm, past, step, policy, bank, laps)
    write_rollouts(cell.step_file("rollouts", step), written)
    laps.end("writing")
    rollouts = _kept(written, arm.problems_per_step)
    batch = pack(policy, rollouts, arm.sampling.temperature)
    signals, state_MD = _signals(arm, policy, companions, batch, rollouts, address)
    credit = arm.credit(signals)
    _check_numbers(arm, credit, rollouts)
    laps.end("credit")
    if step and arm.learner.restart_every and step % arm.learner.restart_every == 0:
        companions.restart(arm.learner, policy, arm.learner.prepared(arm.start.load(device)))
    update = arm.learner.update(
        policy,
        companions.optimizer,
        batch,
        credit,
        signals.reference_logprob_NT,
        arm.sampling.max_tokens,
        address,
    )
    taught: dict[str, float] = {}
    if (
        companions.critic is not None
        and state_MD is not None
        and credit.target_value_NT is not None
    ):
        taught["value_loss"] = companions.critic.learn(
            state_MD, credit.target_value_NT, batch.mask_NT
        )
    if companions.implicit is not None and signals.reference_logprob_NT is not None:
        taught |= companions.implicit.learn(batch, signals.reward_N, signals.reference_logprob_NT)
    if companions.teacher is not None:
        companions.teacher.follow(policy)
    laps.end("update")
    if bank is not None:
        learn(arm, bank, past.seed, policy, cell, step + 1, written)
        taught |= bank.counts | {
            "experience/recalled": sum(bank.settings.block.count(r.recalled) for r in written)
            / len(written)
        }
        laps.end("experience")
    return {
        "step": step,
        **summary(written, arm.environment.strategies),
        **credit.notes,
        **update,
        **taught,
        **laps.row,
    }


def _told_groups(
    arm: Arm, past: _Past, step: int, policy: Policy, bank: BankState | None, laps: Laps
) -> list[Rollout]:
    """The step's groups with what was told about them, from as many rounds as it takes to have
    enough that differ.
    """
    indices = past.indices(step)
    told: list[Rollout] = []
    for start in range(0, len(indices), arm.problems_per_step):
        chosen = range(start, start + arm.problems_per_step)
        problems = [arm.environment.problem("train", indices[place]) for place in chosen]
        addresses: list[tuple[Address, ...]] = [
            ("train", past.seed, step, place) for place in chosen
        ]
        before = recalled(bank, arm.environment, policy, problems, addresses)
        if arm.demonstrations is not None:
            groups = write_out(arm, policy, problems, step, before)
        else:
            count = arm.completions_per_problem
            groups = roll_out(
                policy,
                arm.environment,
                problems,
                count,
                arm.sampling,
                step,
                addresses,
                before,
                laps,
            )
        told += [
            tell(arm.reward, group, address)
            for group, address in zip(groups, addresses, strict=True)
        ]
        laps.end("grading")
        if sum(map(_differs, told)) >= arm.problems_per_step:
            break
    past.met(step, indices, told)
    return told


def _differs(rollout: Rollout) -> bool:
    """Whether the group's told rewards are not all alike."""
    return len({reward for reward in rollout.rewards or () if reward is not None}) > 1


def _kept(rollouts: list[Rollout], count: int) -> list[Rollout]:
    """The groups an update is made of: those that differ first, in the order they were sampled."""
    order = sorted(range(len(rollouts)), key=lambda place: (not _differs(rollouts[place]), place))
    return [rollouts[place] for place in sorted(order[:count])]


def _check_numbers(arm: Arm, credit: TokenCredit, rollouts: Sequence[Rollout]) -> None:
    """Stops before a number that is none reaches the weights.

    Raises:
        ComponentError: Naming the problem.
    """
    fine_N = credit.finite_N
    if not fine_N.all():
        row = int((~fine_N).nonzero()[0])
        raise ComponentError(
            f"{type(arm.credit).__name__} gave credit that is not a number",
            value=f"problem {rollouts[row // len(rollouts[0].completions)].problem.id}",
            do="Look at this step's rollouts and mend the reward or the credit",
        )


def _signals(
    arm: Arm,
    policy: Policy,
    companions: Companions,
    batch: Batch,
    rollouts: Sequence[Rollout],
    address: tuple[Address, ...],
) -> tuple[Signals, torch.Tensor | None]:
    """What the arm's credit asked for and no more, and the states that a critic read its values
    from.
    """
    needs = arm.credit.needs
    told = [
        [float("nan") if value is None else value for value in rollout.rewards or ()]
        for rollout in rollouts
    ]
    reference_NT = (
        None if companions.reference is None else score(companions.reference, batch).logprob_NT
    )
    value_NT, state_MD = (
        companions.critic.values(policy, batch) if companions.critic is not None else (None, None)
    )
    implicit_NT = None
    if companions.implicit is not None and reference_NT is not None:
        implicit_NT = companions.implicit.rewards(batch, reference_NT)
    signals = Signals(
        reward_PG=torch.tensor(told),
        mask_NT=batch.mask_NT,
        sampler_logprob_NT=batch.sampler_logprob_NT,
        reference_logprob_NT=reference_NT,
        entropy_NT=score(policy, batch).entropy_NT if "entropy_NT" in needs else None,
        planning_NT=gram_mask(policy, batch, _part(arm.credit, "grams"))
        if "planning_NT" in needs
        else None,
        value_NT=value_NT,
        implicit_NT=implicit_NT,
        teaching=_teaching(arm, policy, companions, batch, rollouts)
        if "teaching" in needs
        else None,
        mismatched_N=_mismatched(policy, companions.reference, batch, rollouts)
        if "mismatched_N" in needs and companions.reference
        else None,
        token_NT=batch.token_NT,
        address=address,
    )
    return signals, state_MD


def _part(credit: Any, name: str) -> Any:
    """A field of the credit method, or of the one it wraps."""
    while not hasattr(credit, name):
        credit = credit.base
    return getattr(credit, name)


def _teaching(
    arm: Arm, policy: Policy, companions: Companions, batch: Batch, rollouts: Sequence[Rollout]
) -> Teaching:
    """What the teacher says of the step's completions behind the reprompts that the credit method
    asked for.

    Raises:
        ComponentError: If a reprompt and a completion do not fit the model's context.
    """
    assert companions.teacher is not None
    reprompt = _part(arm.credit, "reprompt")
    views = [rollout if reprompt.uses_truth else sealed(rollout) for rollout in rollouts]
    texts = reprompt.texts(views, [rollout.rewards or () for rollout in rollouts])
    prompt_ids, length_N = (
        [None if text is None else policy.encode(text) for text in texts],
        batch.length_N,
    )
    for n, ids in enumerate(prompt_ids):
        if ids is not None and len(ids) + int(length_N[n]) > policy.context_length:
            raise ComponentError(
                "A teacher's prompt and the completion are longer than the model's context",
                value=f"{len(ids)} + {int(length_N[n])} tokens, problem "
                f"{rollouts[n // batch.group_size].problem.id}",
                allowed=f"{policy.context_length} tokens in all",
                do="Shorten the reprompt's template, the problems, or max_tokens",
            )
    return companions.teacher.teach(policy, batch, prompt_ids, _part(arm.credit, "kept"))


def _mismatched(
    policy: Policy, reference: Policy, batch: Batch, rollouts: Sequence[Rollout]
) -> torch.Tensor:
    """Nats (N,): log-ratio of policy to reference of each completion behind the prompt of the next
    group with another problem.

    Raises:
        ComponentError: If every group of the step has the same problem, or another's prompt and a
            completion do not fit the context.
    """
    ids = [rollout.problem.id for rollout in rollouts]
    if len(set(ids)) < 2:
        raise ComponentError(
            "A mismatched prompt is another problem's, and every group of the step has the same "
            "one",
            value=f"{len(ids)} groups of problem {ids[0]}",
            allowed="2 different problems a step or more",
            do="Raise problems_per_step, or let the regime have more problems",
        )
    others = [
        next(q for q in (*range(p + 1, len(ids)), *range(p)) if ids[q] != ids[p])
        for p in range(len(ids))
    ]
    behind = replace(
        batch, prompt_ids=tuple(batch.prompt_ids[q] for q in others)
    )  # whole groups move, so that they can be packed
    longest_P = batch.length_N.reshape(-1, batch.group_size).amax(dim=1).tolist()
    for p, (prompt, longest) in enumerate(zip(behind.prompt_ids, longest_P, strict=True)):
        if len(prompt) + longest > policy.context_length:
            raise ComponentError(
                "Another problem's prompt and the completion are longer than the model's context",
                value=f"{len(prompt)} + {longest} tokens, problem {ids[p]} behind {ids[others[p]]}",
                allowed=f"{policy.context_length} tokens in all",
                do="Shorten the problems, or max_tokens",
            )
    return (score(policy, behind).logprob_NT - score(reference, behind).logprob_NT).sum(dim=1)


def save_checkpoint(
    arm: Arm,
    policy: Policy,
    companions: Companions,
    bank: BankState | None,
    cell: CellDirectory,
    step: int,
) -> None:
    """Writes the policy as a Hugging Face folder with its companions and its bank beside it, then
    lets go of older checkpoints.

    Raises:
        CheckpointError: If it cannot be written.
    """
    final = cell.checkpoint(step)
    partial = final.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        arm.learner.plain(policy).save(partial)
        if arm.learner.low_rank is not None:
            save_adapters(policy, partial)
        companions.save(partial, moved_reference=bool(arm.learner.reset_every))
        if bank is not None:
            bank.save(partial)
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
