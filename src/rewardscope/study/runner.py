"""Brings the cells of a study to done, in their order, on a runner."""

import contextlib
import os
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rewardscope.codec import encode
from rewardscope.errors import InUse, RewardscopeError
from rewardscope.identity import opened_files
from rewardscope.policy.room import num_devices
from rewardscope.protocols import Runner
from rewardscope.runners import Outcome, Start, interrupted_by_signals, start_local
from rewardscope.store import ASIDE, PARTIAL, RunDirectory, remove_leftovers
from rewardscope.store.seals import TRACEBACK
from rewardscope.study.cells import run_cell, settled
from rewardscope.study.files import StudySource
from rewardscope.study.origin import SOURCES
from rewardscope.study.study import Cell, Study

POLL_SECONDS = 0.5
VISIBLE = "CUDA_VISIBLE_DEVICES"
MOST_LOST = 3
"""How often a cell is run again whose worker died."""
OnPoll = Callable[[], None]
"""Called now and then while cells run."""


def default_workers(study: Study) -> int:
    """As many as the cores have room for: busy torch processes that share cores slow each other
    tenfold. One on each GPU.
    """
    if study.device != "cpu":
        return min(max(1, len(gpus(study.device))), len(study.cells()))
    return max(1, min(len(os.sched_getaffinity(0)) // study.threads_per_cell, len(study.cells())))


def run_study(
    study: Study,
    source: Path | StudySource | None,
    run: RunDirectory,
    workers: int,
    on_poll: OnPoll = lambda: None,
    start: Start = start_local,
) -> dict[str, str]:
    """Brings every cell to done and returns the reasons of those that failed, by cell name.

    Base cells go first: every other cell is measured against one. A failed cell does not stop the
    others; one whose worker died is run again, up to three times. The run is held meanwhile: two at
    once in one directory would stand in each other's way. SIGTERM and SIGHUP end it as Ctrl-C does,
    with no worker left.

    Args:
        study: What to run.
        source: Its file, or where else a worker process gets it from; None = from what the codec
            writes of it, which does for components that a worker can import.
        run: Where to.
        workers: Processes; 0 = in this one, in order.
        on_poll: Called every half second, or after every cell when ``workers`` is 0.
        start: Starts the runner: processes of this machine, or a guest's
            (:func:`rewardscope.runners.runner_named`).

    Raises:
        InUse: If another process is running a study there; nothing was touched.
    """
    with run.held(), interrupted_by_signals():
        _tidy(run)
        owed = [cell for cell in study.cells() if not settled(study, run.cell(cell.name))]
        if not owed:
            return {}
        sent = _for_workers(study, source) if workers else study
        runner = start(CellWork(sent, run.root, gpus(study.device)), workers)
        try:
            bases = [cell.name for cell in owed if cell.seed is None]
            trained = [cell.name for cell in owed if cell.seed is not None]
            return _brought(runner, bases, run, on_poll) | _brought(runner, trained, run, on_poll)
        finally:
            runner.stop()


def gpus(device: str) -> tuple[str, ...]:
    """The GPUs that cells are shared out over, each cell on one: all that torch finds for the
    device ``cuda``. None for another device: ``cuda:1`` names its own.
    """
    if device != "cuda":
        return ()
    count = num_devices(device)
    named = os.environ.get(VISIBLE)
    return tuple(named.split(",")[:count]) if named else tuple(map(str, range(count)))


def _tidy(run: RunDirectory) -> None:
    """Removes what killed processes were writing, and writes damaged status files again from the
    seals of their cells.
    """
    for cell in run.cells():
        with contextlib.suppress(InUse), cell.held():
            remove_leftovers(cell.path)
            if cell.is_sealed:
                cell.forget_traceback()
            status = cell.mended_status()
            if status is not None:
                cell.write_status(**status)
    for folder in (SOURCES, ASIDE):
        remove_leftovers(run.root / folder)
    for file in run.root.glob(f".*{PARTIAL}"):
        file.unlink(missing_ok=True)


def _brought(
    runner: Runner, names: list[str], run: RunDirectory, on_poll: OnPoll
) -> dict[str, str]:
    """Has the cells run, and returns why some of them failed."""
    failed: dict[str, str] = {}
    times_lost = Counter[str]()
    waiting = set(names)
    for name in names:
        runner.submit(name)
    while waiting:
        on_poll()
        for outcome in runner.finished(POLL_SECONDS):
            if outcome.lost and times_lost[outcome.name] < MOST_LOST:
                times_lost[outcome.name] += 1
                runner.submit(outcome.name)
                continue
            waiting.discard(outcome.name)
            if outcome.reason is not None:
                failed[outcome.name] = outcome.reason
                if outcome.lost:
                    _record_lost(run, outcome)
    on_poll()
    return failed


def _record_lost(run: RunDirectory, outcome: Outcome) -> None:
    """Writes down that a cell failed whose workers could not do so themselves."""
    cell = run.cell(outcome.name)
    with contextlib.suppress(InUse), cell.held():
        cell.write_status("failed", cell.status()["step"], reason=outcome.reason)


def _for_workers(study: Study, source: Path | StudySource | None) -> StudySource:
    if source is None:
        source = StudySource(None, encode(study))
    elif isinstance(source, Path):
        source = StudySource(source)
    return replace(source, opened=opened_files())


@dataclass
class CellWork:
    """Runs cells of a study by name, wherever it is sent."""

    source: Study | StudySource
    """The study, or where another process gets it from."""
    root: Path
    """The run directory."""
    gpus: tuple[str, ...] = ()
    """GPUs that workers share out, as CUDA_VISIBLE_DEVICES names them."""

    @property
    def slots(self) -> list[dict[str, str]]:
        """One GPU for each worker."""
        return [{VISIBLE: gpu} for gpu in self.gpus]

    def begin(self) -> None:
        """Reads the study once."""
        source = self.source
        self._study = source.load() if isinstance(source, StudySource) else source
        self._cells = {cell.name: cell for cell in self._study.cells()}

    def __call__(self, name: str) -> str | None:
        """None when the cell is done, the reason when it failed."""
        if name not in self._cells:
            return (
                "The study, or code or data that it is made of, was edited while it ran: cell "
                f"{name} is not of the study as it is now. Run it again."
            )
        return _attempt(self._study, self._cells[name], RunDirectory(self.root))


def _attempt(study: Study, cell: Cell, run: RunDirectory) -> str | None:
    """Holds the cell and runs it; None when done, the reason when it failed. A cell that somebody
    else holds keeps the status it has.
    """
    try:
        with run.cell(cell.name).held():
            return _recorded(study, cell, run)
    except InUse as error:
        return str(error)


def _recorded(study: Study, cell: Cell, run: RunDirectory) -> str | None:
    """Runs the cell. The boundary at which its errors become a record, written while the cell is
    still held.
    """
    try:
        run_cell(study, cell, run)
    except RewardscopeError as error:
        reason = str(error)
    except Exception as error:  # recorded with its traceback, shown, and never taken for a result
        reason = f"{type(error).__name__}: {error}"
        (run.cell(cell.name).path / TRACEBACK).write_text(traceback.format_exc())
    else:
        return None
    directory = run.cell(cell.name)
    directory.write_status("failed", directory.status()["step"], reason=reason)
    return reason
