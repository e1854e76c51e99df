"""What runs named pieces of work, wherever that is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class Work(Protocol):
    """What is done for each name. It is pickled and sent to whoever does it."""

    def begin(self) -> None:
        """Called once where the work is done, before the first name."""

    def __call__(self, name: str) -> str | None:
        """Does it. None = done; otherwise why it failed."""


@dataclass(frozen=True)
class Outcome:
    """What became of one piece of work."""

    name: str
    reason: str | None = None
    """Why it failed; None = done."""
    lost: bool = False
    """Whether whoever did it is gone without a word, so that it is worth another attempt."""


@runtime_checkable
class Runner(Protocol):
    """Does what it is given; in which order, and how much at once, is its own business."""

    def submit(self, name: str) -> None:
        """Takes on one more piece of work. It may be one that was lost before."""

    def finished(self, seconds: float) -> list[Outcome]:
        """What has come to an end since the last call; waits up to ``seconds`` for the first."""

    def stop(self) -> None:
        """Ends what still runs, at once, and leaves nothing behind. Work that is cut off is not
        reported.
        """


Start = Callable[[Work, int], Runner]
"""Starts a runner for the work with so many workers."""
