"""Signals that ask a process to end, handled like Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""The signals of a scheduler and of a closed terminal."""


@contextlib.contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """A context in which SIGTERM and SIGHUP raise KeyboardInterrupt with the signal's number, so
    workers are stopped and the user learns how to resume.

    A signal that is ignored, as under nohup, stays ignored. Outside the main thread nothing
    changes, because Python cannot catch signals there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    caught = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in caught:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number])


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


def exit_code(error: KeyboardInterrupt) -> int:
    """The exit code of a process that a signal ended: 128 + its number; 130 for Ctrl-C."""
    number = error.args[0] if error.args else signal.SIGINT
    return 128 + int(number)
