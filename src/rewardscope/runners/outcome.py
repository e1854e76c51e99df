"""The outcome of a piece of work."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """The outcome of one piece of work."""

    name: str
    reason: str | None = None
    """Why it failed; None = done."""
    lost: bool = False
    """Whether its worker died without a result, so that another attempt makes sense."""
