"""A runner with processes on this machine, which end with the process that started them."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from rewardscope.protocols import Slotted, Work
from rewardscope.runners.outcome import Outcome

PR_SET_PDEATHSIG = 1
"""Of prctl(2)."""
PATIENCE_SECONDS = 5.0
"""Time for an idle worker to end by itself."""


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    name: str | None = None
    """Its current work; None = idle."""
    slot: int = 0
    """Which of the work's slots it has."""


class Processes:
    """Up to ``workers`` processes, each with one piece of work at a time.

    A process that dies is replaced, and its work is reported as lost. If the work has slots
    (:class:`rewardscope.protocols.Slotted`), each process starts with the variables of one.
    """

    def __init__(self, work: Work, workers: int) -> None:
        # busy waiting between operations takes time from other processes on the same cores; torch
        # reads the variable when it is loaded, and the workers inherit it
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        self._work, self._most = work, workers
        self._slots = tuple(work.slots) if isinstance(work, Slotted) else ()
        self._context = multiprocessing.get_context("spawn")
        self._label = f"rewardscope-{os.getpid()}-{id(self)}"
        self._workers: list[_Worker] = []
        self._waiting: deque[str] = deque()

    def submit(self, name: str) -> None:
        """Assigns it to an idle worker, or to a new one if the limit allows."""
        self._waiting.append(name)
        self._deal()

    def finished(self, seconds: float) -> list[Outcome]:
        """Outcomes of work that is finished, or was lost with its worker."""
        ready = wait([worker.connection for worker in self._workers], timeout=seconds)
        outcomes = []
        for worker in [candidate for candidate in self._workers if candidate.connection in ready]:
            try:
                outcomes.append(Outcome(worker.name or "", worker.connection.recv()))
                worker.name = None
            except (EOFError, OSError):
                outcomes += self._buried(worker)
        self._deal()
        return outcomes

    def stop(self) -> None:
        """Kills busy workers, and idle ones that do not end by themselves."""
        self._waiting.clear()
        for worker in self._workers:
            worker.connection.close()  # an idle worker ends when it reads this
            if worker.name is not None:
                worker.process.kill()  # a cell killed at any instant resumes from its checkpoint
        # includes processes that an interrupt kept from entering the list of workers
        for process in multiprocessing.active_children():
            if process.name == self._label:
                process.join(PATIENCE_SECONDS)
                if process.exitcode is None:
                    process.kill()
                    process.join()
        self._workers.clear()

    def _deal(self) -> None:
        """Assigns waiting work to idle workers."""
        while self._waiting:
            idle = next((candidate for candidate in self._workers if candidate.name is None), None)
            if idle is None and len(self._workers) >= self._most:
                return
            worker = idle or self._hire()
            try:
                worker.connection.send(self._waiting[0])
            except OSError:  # it died while it was idle
                self._buried(worker)
                continue
            worker.name = self._waiting.popleft()

    def _hire(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(theirs, self._work, os.getpid()), name=self._label
        )
        slot = self._emptiest()
        with _environment(self._slots[slot] if self._slots else {}):
            process.start()
        theirs.close()  # so that the end of the process is the end of the pipe
        worker = _Worker(process, ours, slot=slot)
        self._workers.append(worker)
        return worker

    def _emptiest(self) -> int:
        """The slot with the fewest living workers, the first of several; 0 without slots."""
        taken = Counter(worker.slot for worker in self._workers)
        return min(range(len(self._slots)), key=lambda slot: taken[slot], default=0)

    def _buried(self, worker: _Worker) -> list[Outcome]:
        """The outcome of a dead worker's work, if it had any; the worker is removed."""
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()
        if worker.name is None:
            return []
        return [Outcome(worker.name, _cause(worker.process.exitcode or 0), lost=True)]


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """A context in which these variables are set, for a process that starts in it: its libraries
    read them before any code of ours runs.
    """
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _cause(exit_code: int) -> str:
    """Why a process ended, as far as its exit code tells."""
    if exit_code >= 0:
        return f"A worker process ended by itself, with exit code {exit_code}"
    name = signal.Signals(-exit_code).name
    hint = ", most likely because memory ran out: try fewer --workers" if name == "SIGKILL" else ""
    return f"A worker process was killed by {name}{hint}"


def _serve(connection: Connection, work: Work, parent: int) -> None:
    """Does the work it receives until the connection closes. The parent handles Ctrl-C and a closed
    terminal, and Linux ends this process when the parent ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    trouble = _trouble(work)
    while True:
        try:
            name = connection.recv()
        except EOFError:
            return
        connection.send(trouble if trouble is not None else _reason(work, name))


def _trouble(work: Work) -> str | None:
    """Why the work cannot begin here; None = it has begun."""
    try:
        work.begin()
    except Exception as error:  # sent to the parent, which shows it
        return f"{type(error).__name__}: {error}"
    return None


def _reason(work: Work, name: str) -> str | None:
    try:
        return work(name)
    except Exception:  # expected failures are returned, so this is a bug in the work itself
        return traceback.format_exc()
