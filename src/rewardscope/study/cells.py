"""One cell from start to rows: train, draw on the held-out problems, read, measure."""

import shutil
from functools import cache
from pathlib import Path

import torch

from rewardscope.codec import encode
from rewardscope.environments import distinct
from rewardscope.errors import RewardscopeError, RunDirectoryError, StudyError, TruthSealed
from rewardscope.experience import BankState
from rewardscope.policy import Policy
from rewardscope.probes import Evidence, Need, measure_all
from rewardscope.probes.base import needs_of, uses_of
from rewardscope.rewards import tell
from rewardscope.seeds import Address
from rewardscope.store import (
    CellDirectory,
    RunDirectory,
    read_measurements,
    read_rollouts,
    write_json,
    write_measurements,
    write_rollouts,
    write_table,
)
from rewardscope.study.checks import check_graded
from rewardscope.study.readings import read_tokens
from rewardscope.study.study import Cell, Evaluation, Study
from rewardscope.training import Arm, HeldOut, emptied, recalled, roll_out, swapped, train
from rewardscope.types import Measurement, Problem, Rollout


def held_out(arm: Arm, evaluation: Evaluation) -> list[Problem]:
    """The first distinct problems of the evaluation's split.

    Raises:
        EnvironmentFault: If the environment has too few.
    """
    return distinct(evaluation.asks(arm), evaluation.split, evaluation.problems)


def looks(study: Study, arm: Arm) -> HeldOut | None:
    """What the arm's policy is measured with while it trains; None where the study does not ask.

    Raises:
        EnvironmentFault: If the environment has too few problems.
    """
    if study.interim is None:
        return None
    environment, count = study.evaluation.asks(arm), study.interim.problems
    problems = distinct(environment, study.evaluation.split, count)
    return HeldOut(environment, tuple(problems), study.interim.draws, study.interim.every)


def finished(study: Study, directory: CellDirectory) -> bool:
    """Whether the cell is trained, measured with the probes that the study has now, and what it was
    measured by can be read.
    """
    status = directory.measured_under(study.measuring_signature)
    if status is None:
        return False
    owed = ["evaluation", *(["readings"] if status["step"] and study.evaluation.readings else [])]
    if not all(directory.step_file(kind, status["step"]).is_file() for kind in owed):
        return False
    try:
        state = directory.measurements.stat()
    except OSError:
        return False
    if directory.damaged(trained=False):
        return False
    return _holds_measurements(directory.measurements, state.st_size, state.st_mtime_ns)


@cache
def _holds_measurements(path: Path, size: int, written_ns: int) -> bool:
    """Whether they can be read; remembered while the file is the same, since progress asks twice a
    second.
    """
    try:
        read_measurements(path)
    except RunDirectoryError:
        return False
    return True


def settled(study: Study, directory: CellDirectory) -> bool:
    """Whether the cell is finished and no instrument failed: one that did is tried again."""
    if not finished(study, directory):
        return False
    try:
        return not any(gap.failure for gap in directory.gaps())
    except RunDirectoryError:
        return False


def run_cell(study: Study, cell: Cell, run: RunDirectory) -> None:
    """Brings the cell, which the caller holds, from whatever is on disk to done; a settled cell is
    left alone.

    Raises:
        RewardscopeError: If it cannot; what was finished before stays.
    """
    directory = run.cell(cell.name)
    if settled(study, directory):
        return
    step = 0 if cell.seed is None else cell.arm.steps
    if step not in (0, *directory.checkpoints()):
        directory.forget_seal()  # it speaks of files that training is about to write again
    directory.write_status("running", directory.status()["step"], phase="beginning")
    torch.set_num_threads(study.threads_per_cell)
    write_json(
        directory.path / "arm.json",
        {
            "label": cell.label,
            "seed": cell.seed,
            "arm": encode(cell.arm),
            "determined_by": cell.determined_by,
        },
    )
    policy = _policy(study, cell, directory)
    _check_start(cell, directory)
    _check_base(study, cell, run)
    directory.write_status("running", step, phase="evaluating")
    rollouts = _evaluate(study, cell, policy, directory, step)
    if cell.seed is None:
        check_graded(study.evaluation.asks(cell.arm), rollouts["evaluation"])
    _measure(study, cell, policy, rollouts, run, step)
    _check_start(cell, directory)
    directory.finish(step, study.measuring_signature)


def _check_start(cell: Cell, directory: CellDirectory) -> None:
    """Checks that the start is still the one that the cell is named by: its files may have been
    written over between naming and reading. What was trained from them goes.

    Raises:
        StudyError: If it is another.
    """
    named, now = cell.determined_by.get("start"), cell.arm.start.identity()
    if named is not None and now != named:
        directory.forget_seal()
        shutil.rmtree(directory.path / "checkpoints", ignore_errors=True)
        raise StudyError(
            f"The files of the start {cell.arm.start.label} changed while the cell ran",
            value=cell.name,
            allowed="one start from the first step to the last measurement",
            do="Run the study again: it then begins from the files as they are now",
        )


def _policy(study: Study, cell: Cell, directory: CellDirectory) -> Policy:
    if cell.seed is None:
        return study.placement.load(cell.arm.start.load)
    done = max(directory.checkpoints(), default=0)
    directory.write_status("running", done, phase="training")
    return train(
        cell.arm,
        cell.seed,
        directory,
        lambda step: directory.write_status("running", step, phase="training"),
        study.device,
        looks(study, cell.arm),
        precision=study.precision,
    )


def _check_base(study: Study, cell: Cell, run: RunDirectory) -> None:
    """Checks that the untrained policy is measured as the study asks now: what lies there otherwise
    may be of other problems or draws.

    Raises:
        StudyError: If it is not.
    """
    if cell.seed is not None and not finished(study, run.cell(cell.base)):
        raise StudyError(
            "A trained policy is compared with its untrained one, which is not measured as the "
            "study asks now",
            value=f"cell {cell.base}: {run.cell(cell.base).status()['state']}",
            allowed="a base cell that is done",
            do="Remove what stopped that cell and run again: trained policies are kept",
        )


def _evaluate(
    study: Study, cell: Cell, policy: Policy, directory: CellDirectory, step: int
) -> dict[str, list[Rollout]]:
    """Completions on the held-out problems; the draws' addresses name the problem alone, so base
    and every arm meet the same ones.

    A trained policy meets each problem behind what its bank recalls (key "evaluation"), and, where
    the study asks for it, behind filler and behind what belongs to another category. An untrained
    one meets the problem alone.
    """
    arm, environment, problems = (
        cell.arm,
        study.evaluation.asks(cell.arm),
        held_out(cell.arm, study.evaluation),
    )
    addresses: list[tuple[Address, ...]] = [("evaluate", problem.id) for problem in problems]
    bank = (
        None
        if cell.seed is None or arm.bank is None
        else BankState.load(arm.bank, directory.checkpoint(step))
    )
    before = {"evaluation": recalled(bank, environment, policy, problems, addresses)}
    asked = {need for probe in study.probes for need in needs_of(probe) | uses_of(probe)}
    if bank is not None and Need.COUNTERFACTUAL in asked:
        before["without"] = emptied(bank, policy, problems)
        before["swapped"] = swapped(bank, environment, policy, problems, addresses)
    found = {}
    for name, blocks in before.items():
        draws = study.evaluation.draws
        found[name] = roll_out(
            policy, environment, problems, draws, arm.sampling, step, addresses, blocks
        )
        write_rollouts(directory.step_file(name, step), found[name])
    return found


def _measure(
    study: Study,
    cell: Cell,
    policy: Policy,
    found: dict[str, list[Rollout]],
    run: RunDirectory,
    step: int,
) -> None:
    directory = run.cell(cell.name)
    rollouts = found["evaluation"]
    base_rollouts = base_policy = None
    sources, base_rows = [directory.step_file(name, step) for name in found], list[Measurement]()
    if cell.seed is not None:
        base_source = run.cell(cell.base).step_file("evaluation", 0)
        base_rollouts, base_policy = (
            _told(cell.arm, read_rollouts(base_source)),
            study.placement.load(cell.arm.start.load),
        )
        sources += [base_source, directory.checkpoint(step)]
        base_rows = read_measurements(run.cell(cell.base).measurements)
    evidence = Evidence(
        study=study.name,
        arm=cell.label,
        seed=cell.seed,
        step=step,
        rollouts=tuple(rollouts),
        policy=policy,
        strategies=study.evaluation.asks(cell.arm).strategies,
        sources=tuple(path.relative_to(run.root).as_posix() for path in sources),
        base_rollouts=base_rollouts,
        base_policy=base_policy,
        environment=study.evaluation.asks(cell.arm),
        sampling=cell.arm.sampling,
        base_rows=tuple(base_rows),
        counterfactual={
            name: tuple(rollouts) for name, rollouts in found.items() if name != "evaluation"
        },
    )
    if base_policy is not None and base_rollouts is not None and study.evaluation.readings:
        first = study.evaluation.readings
        tokens = read_tokens(
            base_policy,
            policy,
            base_rollouts[:first],
            rollouts[:first],
            cell.arm.sampling.temperature,
        )
        write_table(directory.step_file("readings", step), tokens)
    rows, gaps = measure_all(study.probes, evidence)
    directory.write_gaps(gaps)
    write_measurements(directory.measurements, rows)


def _told(arm: Arm, rollouts: list[Rollout]) -> tuple[Rollout, ...]:
    """The base's completions with what the arm's reward says of them; untold where it has nothing
    to say of held-out problems.

    Raises:
        TruthSealed: If a reward that declares ``uses_truth = False`` reads the key.
    """
    try:
        return tuple(
            tell(arm.reward, rollout, ("evaluate", rollout.problem.id)) for rollout in rollouts
        )
    except TruthSealed:
        raise
    except RewardscopeError:  # Mislabelled knows wrong keys of training problems alone
        return tuple(rollouts)
