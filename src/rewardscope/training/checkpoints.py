"""Checkpoints of a run: written with the policy, and read to resume."""

import shutil
from functools import partial

from rewardscope.errors import CheckpointError
from rewardscope.experience import BankState
from rewardscope.learner import (
    Companions,
    load_adapters,
    load_masters,
    save_adapters,
    save_masters,
)
from rewardscope.policy import Placement, Policy
from rewardscope.rewards import Memory
from rewardscope.store import (
    PARTIAL,
    CellDirectory,
    check_directory,
    read_json,
    seal_directory,
    write_json,
)
from rewardscope.training.arm import Arm

REWARD_STATE = "reward_state.json"
"""File of a checkpoint with what the reward carries on; none where that is nothing."""


def steps_done(cell: CellDirectory) -> int:
    """Number of updates before the last finished checkpoint; 0 without a checkpoint.

    Raises:
        CheckpointError: If the checkpoint differs from what was written.
    """
    done = max(cell.checkpoints(), default=0)
    if done:
        check_directory(cell.checkpoint(done))
    return done


def policy_after(arm: Arm, cell: CellDirectory, done: int, place: Placement) -> Policy:
    """The policy as the learner trains it, after ``done`` steps."""
    saved = cell.checkpoint(done)
    if arm.learner.low_rank is None and done:
        policy = place.load(partial(Policy.load, saved))
    else:
        policy = arm.learner.prepared(place.load(arm.start.load))
        if done:
            load_adapters(policy, saved)
    policy = policy.with_masters()
    if done and policy.masters:
        load_masters(policy, saved)
    return policy


def companions_after(
    arm: Arm,
    seed: int,
    policy: Policy,
    cell: CellDirectory,
    done: int,
    place: Placement,
    *,
    reference: bool,
) -> Companions:
    """The policy's companions after ``done`` steps.

    Args:
        arm: Says which companions exist.
        seed: Of the replicate.
        policy: After those steps.
        cell: Holds the checkpoints.
        done: Number of finished steps.
        place: Device and number format of the companions.
        reference: Whether anything reads the reference.
    """
    companions = Companions.begin(
        arm.learner,
        policy,
        lambda: arm.learner.prepared(place.load(arm.start.load)),
        reference=reference,
        seed=seed,
    )
    if done:
        companions.load(cell.checkpoint(done))
    return companions


def memory_after(arm: Arm, cell: CellDirectory, done: int) -> Memory:
    """The state of the arm's reward after ``done`` steps.

    Raises:
        CheckpointError: If the reward has a state, and the checkpoint does not hold it.
    """
    memory = Memory.begin(arm.reward)
    if done and memory.state:
        saved = cell.checkpoint(done) / REWARD_STATE
        if not saved.is_file():
            raise CheckpointError(
                "A checkpoint lacks the state of its reward",
                value=saved,
                do="Delete this directory and run the study again",
            )
        memory.state = read_json(saved)
    return memory


def save_checkpoint(
    arm: Arm,
    policy: Policy,
    companions: Companions,
    memory: Memory,
    bank: BankState | None,
    cell: CellDirectory,
    step: int,
) -> None:
    """Writes the policy as a Hugging Face folder, with its companions, the reward's state and
    the bank, then deletes older checkpoints.

    Raises:
        CheckpointError: If it cannot be written.
    """
    final = cell.checkpoint(step)
    unfinished = final.with_suffix(PARTIAL)
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        arm.learner.plain(policy).save(unfinished)
        if arm.learner.low_rank is not None:
            save_adapters(policy, unfinished)
        save_masters(policy, unfinished)
        companions.save(unfinished, moved_reference=bool(arm.learner.reset_every))
        if memory.state:
            write_json(unfinished / REWARD_STATE, memory.state)
        if bank is not None:
            bank.save(unfinished)
        seal_directory(unfinished, final)
    except Exception as error:  # safetensors raises its own kind for a full disk
        shutil.rmtree(unfinished, ignore_errors=True)
        raise CheckpointError(
            "A checkpoint could not be written",
            value=f"{final}: {error}",
            do="Free some space, then run again; the previous checkpoint is kept",
        ) from error
    remove_older(cell, step)


def remove_older(cell: CellDirectory, step: int) -> None:
    """Lets go of checkpoints before this one; also of one whose removal was cut short."""
    for folder in cell.checkpoint(step).parent.iterdir():
        if folder.name < cell.checkpoint(step).name:
            shutil.rmtree(folder, ignore_errors=True)
