"""What became of a piece of work."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What became of one piece of work."""

    name: str
    reason: str | None = None
    """Why it failed; None = done."""
    lost: bool = False
    """Whether whoever did it is gone without a word, so that it is worth another attempt."""
