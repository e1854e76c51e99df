"""Runs a function that a model wrote in ``pydantic-monty``: an interpreter without files, network
or processes, in a worker of its own.

Nothing a model wrote is ever given to this process's own interpreter. The worker holds itself to
time, memory, recursion and output; if it does not, this process kills it. Only plain values come
back.
"""

import atexit
import os
import reprlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pydantic_monty as monty

from rewardscope.errors import EnvironmentFault

CALL_SECONDS, TOTAL_SECONDS, KILL_SECONDS = 0.5, 1.0, 3.0
"""One call of the function; all calls of one grade, after which no further one begins; when a
worker that does not answer is killed.
"""
MAX_MEMORY_BYTES, MAX_OUTPUT_BYTES, MAX_CODE_CHARACTERS = 32 * 2**20, 64 * 2**10, 20_000
LIMITS: monty.ResourceLimits = {
    "max_feed_duration_secs": CALL_SECONDS,
    "max_memory": MAX_MEMORY_BYTES,
    "max_recursion_depth": 500,
    "max_suspensions": 100,
    "max_total_sleep_secs": 0.01,
}
FIXED: monty.OSPolicy = {"sleep": "zero", "random_start": {"seed": 0}}
"""Sleeping takes no time, and random numbers are the same in every grade."""
UNKNOWN_SYNTAX = ("The monty syntax parser does not yet support", "Wildcard imports")
"""How the interpreter says that a construct of Python is none of its own."""
CANNOT_GO_ON = (TimeoutError, MemoryError)
"""After these a session is thrown away."""

Kind = Literal["value", "error", "unknown"]
_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = _shorten.maxlong = 60
_shorten.maxlist = _shorten.maxtuple = _shorten.maxdict = 8
_shorten.maxlevel = 3


@dataclass(frozen=True)
class Outcome:
    """What one call came to: a value, an error of the program, or unknown where the interpreter
    itself failed.
    """

    kind: Kind
    value: Any = None
    message: str = ""


def call(code: str, function: str, arguments: Sequence[Sequence[Any]]) -> list[Outcome]:
    """What ``function`` of ``code`` returns for each of the arguments, in order.

    A program that does not load, or that runs out of time or memory, gives the same outcome for
    every call that is left. Unknown is a construct that the interpreter does not have, or a worker
    that died without having run out of anything.

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
    return _together(code, function, calls) or _one_by_one(code, function, calls)


def _together(code: str, function: str, calls: Sequence[tuple[Any, ...]]) -> list[Outcome] | None:
    """All calls in one trip, which is what a program without errors takes; None where one of them
    failed, or where time ran out.
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
    except monty.MontyError:
        return None
    if not isinstance(results, list) or len(results) != len(calls):
        return None
    return [Outcome("value", result) for result in results]


def _one_by_one(code: str, function: str, calls: Sequence[tuple[Any, ...]]) -> list[Outcome]:
    """Each call in a trip of its own, so that each error is known; ends with the first that used up
    time or memory.
    """
    outcomes: list[Outcome] = []
    started = time.monotonic()
    try:
        with _session() as session:
            printed = monty.CollectString(MAX_OUTPUT_BYTES)
            session.feed_run(code, print_callback=printed)
            for values in calls:
                if time.monotonic() - started > TOTAL_SECONDS:
                    outcomes.append(
                        Outcome(
                            "error", message=f"all calls together took over {TOTAL_SECONDS:g} s"
                        )
                    )
                    break
                try:
                    result = session.feed_run(
                        f"{function}(*_given)", inputs={"_given": values}, print_callback=printed
                    )
                except (
                    monty.MontyRuntimeError,
                    monty.MontySyntaxError,
                    monty.MontyConversionError,
                ) as error:
                    outcomes.append(Outcome("error", message=_said(error)))
                    if isinstance(error.exception(), CANNOT_GO_ON):
                        break
                else:
                    outcomes.append(Outcome("value", result))
    except monty.MontyCrashedError as error:
        out_of_time = error.timed_out or time.monotonic() - started > KILL_SECONDS
        outcomes.append(
            Outcome("error", message="out of time")
            if out_of_time
            else Outcome("unknown", message="the interpreter died")
        )
    except (
        monty.MontyRuntimeError,
        monty.MontySyntaxError,
    ) as error:  # it loaded once, and does not load now
        outcomes.append(_loading(error))
    return outcomes + [outcomes[-1]] * (len(calls) - len(outcomes))


def shown(value: object) -> str:
    """The value as Python writes it, shortened."""
    try:
        return _shorten.repr(value)
    except ValueError:
        return "a number of over 4,300 digits"


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
