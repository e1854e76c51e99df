"""The training loop and its one step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

from rewardscope.errors import CheckpointError, ComponentError, RewardscopeError
from rewardscope.experience import BankState
from rewardscope.learner import Companions
from rewardscope.policy import LocalSampler, Placement, Policy, Precision
from rewardscope.policy.room import out_of_memory, ran_out
from rewardscope.protocols import FollowingSampler
from rewardscope.rewards import Memory, tell
from rewardscope.seeds import Address
from rewardscope.store import CellDirectory, write_rollouts
from rewardscope.tensors import TokenCredit
from rewardscope.training.arm import Arm
from rewardscope.training.checkpoints import (
    companions_after,
    memory_after,
    policy_after,
    remove_older,
    save_checkpoint,
    steps_done,
)
from rewardscope.training.experience import begin_bank, learn, recalled
from rewardscope.training.groups import roll_out, summary, write_out
from rewardscope.training.held_out import HeldOut
from rewardscope.training.laps import Laps
from rewardscope.training.memory import keep_freed_memory
from rewardscope.training.past import Past
from rewardscope.training.signals import SignalContext, make_signals, reads_reference
from rewardscope.types import Rollout

OnStep = Callable[[int], None]
"""Called with the number of finished updates."""


@dataclass
class _Training:
    """The state that the steps of one run share."""

    arm: Arm
    seed: int
    cell: CellDirectory
    place: Placement
    policy: Policy
    sampler: FollowingSampler
    companions: Companions
    past: Past
    memory: Memory
    bank: BankState | None
    held_out: HeldOut | None


def train(
    arm: Arm,
    seed: int,
    cell: CellDirectory,
    on_step: OnStep,
    device: str = "cpu",
    held_out: HeldOut | None = None,
    sampler: FollowingSampler | None = None,
    precision: Precision | None = None,
) -> Policy:
    """The policy after ``arm.steps`` updates. Training resumes from the last finished checkpoint,
    with a result that is identical to the bit.

    Args:
        arm: The treatment.
        seed: The replicate.
        cell: Stores rollouts, step rows and checkpoints.
        on_step: Called after each step.
        device: Device of the policy.
        held_out: Problems for evaluation during training; None = no evaluation.
        sampler: Samples the completions; None = the policy itself, in this process.
        precision: Number format of the policy and its companions; None = the device's usual one.

    Raises:
        CheckpointError: If the last checkpoint is not what was written.
    """
    keep_freed_memory()
    place = Placement(device, precision)
    done = steps_done(cell)
    if done:
        remove_older(cell, done)
    if done == arm.steps:
        cell.step_table.finish()
        return place.load(partial(Policy.load, cell.checkpoint(done)))
    run = _begun(arm, seed, cell, place, done, held_out, sampler or LocalSampler())
    cell.step_table.begin(done)
    for step in range(done, arm.steps):
        try:
            row = _train_step(run, step)
        except RewardscopeError as error:
            _name_the_step(error, arm, seed, step)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            _name_the_step(ran_out(error, place.device), arm, seed, step)
        cell.step_table.append(row)
        if (step + 1) % arm.checkpoint_every == 0 or step + 1 == arm.steps:
            save_checkpoint(arm, run.policy, run.companions, run.memory, run.bank, cell, step + 1)
        on_step(step + 1)
    cell.step_table.finish()
    return arm.learner.plain(run.policy)


def _begun(
    arm: Arm,
    seed: int,
    cell: CellDirectory,
    place: Placement,
    done: int,
    held_out: HeldOut | None,
    sampler: FollowingSampler,
) -> _Training:
    """The state of the run after ``done`` steps."""
    policy = policy_after(arm, cell, done, place)
    companions = companions_after(
        arm, seed, policy, cell, done, place, reference=reads_reference(arm.credit)
    )
    past = Past(arm, seed)
    past.recall(done, cell)
    sampler.follow(policy, done)
    try:
        memory = memory_after(arm, cell, done)
        bank = begin_bank(arm, seed, policy, sampler, memory, cell, done)
    except CheckpointError:
        raise
    except RewardscopeError as error:
        _name_the_step(error, arm, seed, done)
    return _Training(
        arm, seed, cell, place, policy, sampler, companions, past, memory, bank, held_out
    )


def _name_the_step(error: RewardscopeError, arm: Arm, seed: int, step: int) -> NoReturn:
    """Raises the same error with the arm, seed and step, and a note on the kept checkpoint."""
    where = f"arm '{arm.name}' with {type(arm.credit).__name__}, seed {seed}, step {step}"
    value = where if error.value is None else f"{error.value}; {where}"
    raise type(error)(
        error.what,
        value=value,
        allowed=error.allowed,
        do=f"The previous checkpoint is kept. {error.do}",
    ) from error


def _train_step(run: _Training, step: int) -> dict[str, Any]:
    """The row of one step: draw, recall, sample, grade, reward, store, credit, update, learn."""
    arm, laps = run.arm, Laps()
    if step and arm.learner.reset_every and step % arm.learner.reset_every == 0:
        run.companions.reset(arm.learner, run.policy)
    measured: dict[str, float | None] = {}
    if run.held_out is not None:
        measured = run.held_out.row(run.policy, run.sampler, run.bank, arm.sampling, run.cell, step)
        if measured:
            laps.end("heldout")
    written = _told_groups(run, step, laps)
    write_rollouts(run.cell.step_file("rollouts", step), written)
    laps.end("writing")
    notes = _update(run, step, _kept(written, arm.problems_per_step), laps)
    run.sampler.follow(run.policy, step + 1)
    if run.bank is not None:
        learn(
            arm,
            run.bank,
            run.seed,
            run.policy,
            run.sampler,
            run.memory,
            run.cell,
            step + 1,
            written,
        )
        notes |= run.bank.counts | {
            "experience/recalled": sum(run.bank.settings.block.count(r.recalled) for r in written)
            / len(written)
        }
        laps.end("experience")
    return {
        "step": step,
        **summary(written, arm.environment.strategies),
        **notes,
        **measured,
        **laps.row,
    }


def _update(run: _Training, step: int, rollouts: Sequence[Rollout], laps: Laps) -> dict[str, float]:
    """Numbers about an update: it credits the groups, then trains the policy and its companions."""
    arm, companions = run.arm, run.companions
    address: tuple[Address, ...] = ("train", run.seed, step)
    context = SignalContext.of_step(
        arm.credit,
        run.policy,
        companions,
        rollouts,
        arm.sampling.temperature,
        address,
        arm.learner,
        exact=run.sampler.exact,
    )
    batch = context.batch
    credit = arm.credit(make_signals(context))
    _check_numbers(arm, credit, rollouts)
    if not batch.exact and arm.learner.rereads:
        batch = replace(batch, old_logprob_NT=context.policy_logprob_NT)
    reference_NT, (_, state_MD) = context.reference_logprob_NT, context.value_NT_state_MD
    laps.end("credit")
    if step and arm.learner.restart_every and step % arm.learner.restart_every == 0:
        companions.restart(
            arm.learner, run.policy, arm.learner.prepared(run.place.load(arm.start.load))
        )
    update = arm.learner.update(
        run.policy,
        companions.optimizer,
        batch,
        credit,
        reference_NT,
        arm.sampling.max_tokens,
        address,
    )
    taught: dict[str, float] = {}
    critic, target_NT = companions.critic, credit.target_value_NT
    if critic is not None and state_MD is not None and target_NT is not None:
        taught["value_loss"] = critic.learn(state_MD, target_NT, batch.mask_NT)
    if companions.implicit is not None and reference_NT is not None:
        taught |= companions.implicit.learn(batch, context.reward_PG.reshape(-1), reference_NT)
    if companions.teacher is not None:
        companions.teacher.follow(run.policy)
    laps.end("update")
    return {**credit.notes, **update, **taught}


def _told_groups(run: _Training, step: int, laps: Laps) -> list[Rollout]:
    """The step's groups with rewards, sampled in rounds until enough groups have rewards that
    differ.
    """
    arm, policy = run.arm, run.policy
    indices = run.past.indices(step)
    told: list[Rollout] = []
    for start in range(0, len(indices), arm.problems_per_step):
        chosen = range(start, start + arm.problems_per_step)
        problems = [arm.environment.problem("train", indices[position]) for position in chosen]
        addresses: list[tuple[Address, ...]] = [
            ("train", run.seed, step, position) for position in chosen
        ]
        before = recalled(run.bank, arm.environment, policy, problems, addresses)
        if arm.demonstrations is not None:
            groups = write_out(arm, policy, problems, step, before)
        else:
            groups = roll_out(
                run.sampler,
                arm.environment,
                problems,
                arm.completions_per_problem,
                arm.sampling,
                step,
                addresses,
                before,
                laps,
            )
        told += [
            tell(arm.reward, group, address, run.memory.state)
            for group, address in zip(groups, addresses, strict=True)
        ]
        laps.end("grading")
        if sum(map(_differs, told)) >= arm.problems_per_step:
            break
    run.past.met(step, indices, told)
    run.memory.learn(told)
    return told


def _differs(rollout: Rollout) -> bool:
    """Whether the group's rewards differ."""
    return len({reward for reward in rollout.rewards or () if reward is not None}) > 1


def _kept(rollouts: list[Rollout], count: int) -> list[Rollout]:
    """Groups for the update, in order of sampling; groups whose rewards differ take precedence."""
    order = sorted(range(len(rollouts)), key=lambda index: (not _differs(rollouts[index]), index))
    return [rollouts[index] for index in sorted(order[:count])]


def _check_numbers(arm: Arm, credit: TokenCredit, rollouts: Sequence[Rollout]) -> None:
    """Raises before a number that is not finite reaches the weights.

    Raises:
        ComponentError: If credit is not finite; names the problem.
    """
    fine_N = credit.finite_N
    if not fine_N.all():
        row = int((~fine_N).nonzero()[0])
        raise ComponentError(
            f"{type(arm.credit).__name__} gave credit that is not a number",
            value=f"problem {rollouts[row // len(rollouts[0].completions)].problem.id}",
            do="Look at this step's rollouts and correct the reward or the credit",
        )
