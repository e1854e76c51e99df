"""A runner in this process, one piece of work after another."""

from collections import deque

from rewardscope.protocols import Work
from rewardscope.runners.outcome import Outcome


class Inline:
    """Each call of :meth:`finished` does the next piece, however long that takes."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: deque[str] = deque()
        self._begun = False

    def submit(self, name: str) -> None:
        """Puts it at the end of the queue."""
        self._waiting.append(name)

    def finished(self, seconds: float) -> list[Outcome]:
        """The outcome of the next piece, which runs now; empty if the queue is empty."""
        if not self._waiting:
            return []
        if not self._begun:
            self._work.begin()
            self._begun = True
        name = self._waiting.popleft()
        return [Outcome(name, self._work(name))]

    def stop(self) -> None:
        """Clears the queue."""
        self._waiting.clear()
