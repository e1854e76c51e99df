"""Where the time of a step goes."""

import time


class Laps:
    """A stopwatch that gives the time since the last lap to a part of the step."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self.seconds: dict[str, float] = {}

    def end(self, part: str) -> None:
        """What was done since the last lap was this part."""
        now = time.monotonic()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._last
        self._last = now

    @property
    def row(self) -> dict[str, float]:
        """``seconds`` of the whole so far, and ``seconds/part`` of each part."""
        return {
            "seconds": time.monotonic() - self._began,
            **{f"seconds/{part}": value for part, value in self.seconds.items()},
        }
