"""Runs a function that a model wrote in ``pydantic-monty``: an interpreter without files, network
or processes, in a worker of its own.

Nothing a model wrote is ever given to this process's own interpreter. The worker holds itself to
time, memory, recursion and output; if it does not, this process kills it. Only plain values come
back.

Time on the clock decides nothing: beside busy neighbours a right program takes many times as long.
What does not end in a moment runs again in a worker of its own whose processor time is watched, and
only that makes a program too slow. Programs see a clock that stands still.
"""

import atexit
import contextlib
import datetime
import os
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import psutil
import pydantic_monty as monty

from rewardscope.environments.words.code.outcome import MAX_CODE_CHARACTERS, Outcome
from rewardscope.errors import EnvironmentFault

CALL_SECONDS, TOTAL_SECONDS = 1.0, 2.0
"""Processor time of one call of the function, and of all calls of one grade: what decides."""
QUICK_SECONDS, KILL_SECONDS, PATIENT_SECONDS = 0.5, 1.5, 20.0
"""Time on the clock: of a first try; when its worker, if it does not answer, is killed; of a call
whose processor time is watched, after which nobody can say whether the program is too slow.
"""
WATCH_SECONDS = 0.02
MAX_MEMORY_BYTES, MAX_OUTPUT_BYTES = 32 * 2**20, 64 * 2**10
LIMITS: monty.ResourceLimits = {
    "max_feed_duration_secs": QUICK_SECONDS,
    "max_memory": MAX_MEMORY_BYTES,
    "max_recursion_depth": 500,
    "max_suspensions": 100,
    "max_total_sleep_secs": 0.01,
}
FIXED: monty.OSPolicy = {
    "sleep": "zero",
    "random_start": {"seed": 0},
    "datetime": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
}
"""Sleeping takes no time; random numbers, and the time, are the same in every grade."""
UNKNOWN_SYNTAX = ("The monty syntax parser does not yet support", "Wildcard imports")
"""How the interpreter says that a construct of Python is none of its own."""
CANNOT_GO_ON = (TimeoutError, MemoryError)
"""After these a session is thrown away."""

UNDECIDED = Outcome("unknown", message=f"no end in {PATIENT_SECONDS:g} s on a busy machine")


def call(code: str, function: str, arguments: Sequence[Sequence[Any]]) -> list[Outcome]:
    """What ``function`` of ``code`` returns for each of the arguments, in order.

    A program that does not load, or that runs out of processor time or memory, gives the same
    outcome for every call that is left. Unknown is a construct that the interpreter does not have,
    a worker that died without having run out of anything, or a call that took ``PATIENT_SECONDS``
    on the clock without using up its processor time, as on a machine that is busy with others.

    Args:
        code: Python as a model wrote it.
        function: Name to call.
        arguments: Positional arguments per call.
    """
    if len(code) > MAX_CODE_CHARACTERS:
        return [
            Outcome("error", message=f"more than {MAX_CODE_CHARACTERS} characters of code")
        ] * len(arguments)
    code = code.encode(errors="replace").decode()  # half a surrogate pair is no text
    calls = [tuple(values) for values in arguments]
    together = _together(code, function, calls)
    if together is None:
        with _session() as session:
            together = _one_by_one(session, code, function, calls)
    if any(outcome.kind == "late" for outcome in together):
        return _patiently(code, function, calls)
    return together


def _together(code: str, function: str, calls: Sequence[tuple[Any, ...]]) -> list[Outcome] | None:
    """All calls in one trip, which is what a program without errors takes; None where one of them
    failed, and late where time ran out.
    """
    try:
        with _session() as session:
            printed = monty.CollectString(MAX_OUTPUT_BYTES)
            try:
                session.feed_run(code, print_callback=printed)
            except (monty.MontyRuntimeError, monty.MontySyntaxError) as error:
                return [_loading(error)] * len(calls)
            results = session.feed_run(
                f"[{function}(*_one) for _one in _given]",
                inputs={"_given": list(calls)},
                print_callback=printed,
            )
    except monty.MontyError as error:
        return [Outcome("late")] * len(calls) if _ran_out(error) else None
    if not isinstance(results, list) or len(results) != len(calls):
        return None
    return [Outcome("value", result) for result in results]


def _one_by_one(
    session: monty.MontySession,
    code: str,
    function: str,
    calls: Sequence[tuple[Any, ...]],
    watch: "_Watch | None" = None,
) -> list[Outcome]:
    """Each call in a trip of its own, so that each error is known; ends with the first that used up
    time or memory.
    """
    outcomes: list[Outcome] = []
    try:
        printed = monty.CollectString(MAX_OUTPUT_BYTES)
        session.feed_run(code, print_callback=printed)
        for values in calls:
            if watch is not None:
                watch.next_call()
            try:
                result = session.feed_run(
                    f"{function}(*_given)", inputs={"_given": values}, print_callback=printed
                )
            except (
                monty.MontyRuntimeError,
                monty.MontySyntaxError,
                monty.MontyConversionError,
            ) as error:
                late = _ran_out(error)
                outcomes.append(Outcome("late" if late else "error", message=_said(error)))
                if late or isinstance(error.exception(), CANNOT_GO_ON):
                    break
            else:
                outcomes.append(Outcome("value", result))
    except monty.MontyCrashedError as error:
        late = _ran_out(error)
        outcomes.append(Outcome("late" if late else "unknown", message="the interpreter died"))
    except (
        monty.MontyRuntimeError,
        monty.MontySyntaxError,
    ) as error:  # it loaded once, and does not load now
        outcomes.append(Outcome("late") if _ran_out(error) else _loading(error))
    return outcomes + [outcomes[-1]] * (len(calls) - len(outcomes))


def _patiently(code: str, function: str, calls: Sequence[tuple[Any, ...]]) -> list[Outcome]:
    """Each call in a worker of its own, which is killed when it has used up its processor time."""
    limits: monty.ResourceLimits = {**LIMITS, "max_feed_duration_secs": PATIENT_SECONDS}
    others = _workers()
    with monty.Monty(max_processes=1, request_timeout=PATIENT_SECONDS + KILL_SECONDS) as pool:
        session = pool.checkout(limits=limits, os_policy=FIXED)
        with contextlib.suppress(monty.MontyError, psutil.Error), session:
            worker = next(iter(_workers() - others), None)
            if worker is None:
                return [UNDECIDED] * len(calls)
            with _Watch(worker) as watch:
                outcomes = _one_by_one(session, code, function, calls, watch)
            if watch.ran_out:
                kinds = [each.kind for each in outcomes] + ["late"]
                first = next(number for number, kind in enumerate(kinds) if kind != "value")
                spent = Outcome("error", message=f"out of time: {watch.ran_out}")
                return outcomes[:first] + [spent] * (len(calls) - first)
            return [UNDECIDED if each.kind == "late" else each for each in outcomes]
    return [UNDECIDED] * len(calls)


class _Watch:
    """Kills a worker that has used up the processor time of a call, or of all calls together."""

    def __init__(self, worker: psutil.Process) -> None:
        self.worker, self.ran_out = worker, ""
        self._begun = self._call = self._used()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "_Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def next_call(self) -> None:
        """A new call begins."""
        with contextlib.suppress(psutil.Error):  # it was just killed, which its next answer says
            self._call = self._used()

    def _used(self) -> float:
        times = self.worker.cpu_times()
        return float(times.user + times.system)

    def _look(self) -> None:
        while not self._over.wait(WATCH_SECONDS):
            try:
                used = self._used()
                if used - self._call > CALL_SECONDS:
                    self.ran_out = f"a call took over {CALL_SECONDS:g} s of the processor"
                elif used - self._begun > TOTAL_SECONDS:
                    self.ran_out = f"all calls took over {TOTAL_SECONDS:g} s of the processor"
                if self.ran_out:
                    self.worker.kill()
                    return
            except psutil.Error:  # it ended by itself
                return


def _workers() -> set[psutil.Process]:
    """The interpreters that this process has started."""
    return {child for child in psutil.Process().children() if "monty" in child.name()}


def _ran_out(error: monty.MontyError) -> bool:
    """Whether it was time on the clock that ended the program."""
    if isinstance(error, monty.MontyCrashedError):
        return bool(error.timed_out)
    return isinstance(error, monty.MontyRuntimeError) and isinstance(
        error.exception(), TimeoutError
    )


def _loading(error: "monty.MontyRuntimeError | monty.MontySyntaxError") -> Outcome:
    inner = error.exception()
    lacking = isinstance(inner, NotImplementedError) and str(inner).startswith(UNKNOWN_SYNTAX)
    return Outcome("unknown" if lacking else "error", message=_said(error))


def _said(
    error: "monty.MontyRuntimeError | monty.MontySyntaxError | monty.MontyConversionError",
) -> str:
    """The runtime's own words, with the line of the program where it knows one."""
    words = f"{type(error.exception()).__name__}: {error.exception()}"
    frames = [] if isinstance(error, monty.MontyConversionError) else error.traceback()
    line = (
        f" (line {frames[-1].line})"
        if frames and not isinstance(error, monty.MontySyntaxError)
        else ""
    )
    return words[:200] + line


def _session() -> monty.MontySession:
    """A fresh session of this process's worker.

    Raises:
        EnvironmentFault: In a process that was forked after its parent had run a program: the
            threads that speak to the worker did not come with it, and a call would wait for ever.
    """
    owner, pool = _pool()
    if owner != os.getpid():
        raise EnvironmentFault(
            "Programs cannot be run in a process that was forked after its parent had run one",
            value=f"process {os.getpid()}, forked from {owner}",
            do="Start processes by spawn, or fork before the first grade",
        )
    return pool.checkout(limits=LIMITS, os_policy=FIXED)


@cache
def _pool() -> tuple[int, monty.Monty]:
    """The process that started it, and its worker: started on first use, ended with the process."""
    pool, owner = monty.Monty(max_processes=1, request_timeout=KILL_SECONDS), os.getpid()
    pool.__enter__()

    def close() -> None:
        if os.getpid() == owner:
            pool.__exit__(None, None, None)

    atexit.register(close)
    return owner, pool
