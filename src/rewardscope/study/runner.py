"""Runs the cells of a study: in this process, or in worker processes that die with it."""

import ctypes
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

from rewardscope.codec import encode
from rewardscope.errors import InUse, RewardscopeError, StudyError
from rewardscope.identity import opened_files
from rewardscope.store import RunDirectory
from rewardscope.study.cells import finished, run_cell
from rewardscope.study.files import StudySource
from rewardscope.study.study import Cell, Study

POLL_SECONDS = 0.5
OnPoll = Callable[[], None]
"""Called now and then while cells run."""

_study: Study | None = None
_cells: dict[str, Cell] = {}
"""Of a worker: its study, and the study's cells by name."""


def default_workers(study: Study) -> int:
    """As many as the cores have room for: busy torch processes that share cores slow each other
    tenfold. One on a GPU.
    """
    if study.device != "cpu":
        return 1
    return max(1, min(len(os.sched_getaffinity(0)) // study.threads_per_cell, len(study.cells())))


def run_study(
    study: Study,
    source: Path | StudySource | None,
    run: RunDirectory,
    workers: int,
    on_poll: OnPoll = lambda: None,
) -> dict[str, str]:
    """Brings every cell to done and returns the reasons of those that failed, by cell name.

    Base cells go first: every other cell is measured against one. A failed cell does not stop the
    others. The run is held meanwhile: two at once in one directory would stand in each other's way.

    Args:
        study: What to run.
        source: Its file, or where else a worker process gets it from; None = from what the codec
            writes of it, which does for components that a worker can import.
        run: Where to.
        workers: Processes; 0 = in this one, in order.
        on_poll: Called every half second, or after every cell when ``workers`` is 0.

    Raises:
        InUse: If another process is running a study there; nothing was touched.
    """
    with run.held():
        return _run_owed(study, source, run, workers, on_poll)


def _run_owed(
    study: Study,
    source: Path | StudySource | None,
    run: RunDirectory,
    workers: int,
    on_poll: OnPoll,
) -> dict[str, str]:
    owed = [cell for cell in study.cells() if not finished(study, run.cell(cell.name))]
    bases = [cell for cell in owed if cell.seed is None]
    trained = [cell for cell in owed if cell.seed is not None]
    if not owed:
        return {}
    if workers == 0:
        failed: dict[str, str] = {}
        for cell in [*bases, *trained]:
            reason = _attempt(study, cell, run)
            if reason is not None:
                failed[cell.name] = reason
            on_poll()
        return failed
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=_start_worker,
        initargs=(_for_workers(study, source), os.getpid()),
    ) as pool:
        try:
            return _drain(pool, bases, run, on_poll) | _drain(pool, trained, run, on_poll)
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()  # a cell killed at any instant resumes from its last checkpoint
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _drain(
    pool: ProcessPoolExecutor, cells: list[Cell], run: RunDirectory, on_poll: OnPoll
) -> dict[str, str]:
    waiting: dict[str, Future[str | None]] = {
        cell.name: pool.submit(_run_in_worker, cell.name, run.root) for cell in cells
    }
    failed: dict[str, str] = {}
    while waiting:
        on_poll()
        time.sleep(POLL_SECONDS)
        for name in [name for name, future in waiting.items() if future.done()]:
            try:
                reason = waiting.pop(name).result()
            except BrokenProcessPool as error:
                raise StudyError(
                    "A worker process was killed, most likely for want of memory",
                    value=name,
                    do="Run again with fewer --workers; finished cells and checkpoints are kept",
                ) from error
            if reason is not None:
                failed[name] = reason
    on_poll()
    return failed


def _for_workers(study: Study, source: Path | StudySource | None) -> StudySource:
    if source is None:
        source = StudySource(None, encode(study))
    elif isinstance(source, Path):
        source = StudySource(source)
    return replace(source, opened=opened_files())


def _start_worker(source: StudySource, parent: int) -> None:
    """Reads the study once, leaves Ctrl-C to the parent, and asks Linux to end this process when
    the parent ends.
    """
    global _study, _cells
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 = PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
    _study = source.load()
    _cells = {cell.name: cell for cell in _study.cells()}


def _run_in_worker(name: str, root: Path) -> str | None:
    assert _study is not None
    if name not in _cells:
        return (
            f"The study, or code or data that it is made of, was edited while it ran: cell {name} "
            "is not of the study as it is now. Run it again."
        )
    return _attempt(_study, _cells[name], RunDirectory(root))


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
        (run.cell(cell.name).path / "traceback.txt").write_text(traceback.format_exc())
    else:
        return None
    directory = run.cell(cell.name)
    directory.write_status("failed", directory.status()["step"], reason=reason)
    return reason
