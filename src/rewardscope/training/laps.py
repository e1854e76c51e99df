"""The time that each part of a step takes."""

import time


class Laps:
    """A stopwatch that adds the time since the last lap to a part of the step."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self.seconds: dict[str, float] = {}

    def end(self, part: str) -> None:
        """Adds the time since the last lap to this part."""
        now = time.monotonic()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._last
        self._last = now

    @property
    def row(self) -> dict[str, float]:
        """``seconds`` since the start, and ``seconds/part`` for each part."""
        return {
            "seconds": time.monotonic() - self._began,
            **{f"seconds/{part}": value for part, value in self.seconds.items()},
        }
