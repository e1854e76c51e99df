"""A small drawing of each verdict: estimate and interval with zero and the margin, on one scale
per unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rewardscope.types import Verdict

WIDTH, HEIGHT = 168, 26
EDGE = 6
"""Pixels left free at either end."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """Positions in pixels from the left."""

    zero: float
    estimate: float
    interval: tuple[float, float] | None
    margins: tuple[float, ...]
    """One line for greater and less, two for same."""
    text: str
    """The drawing in words."""


def draw_sketches(verdicts: Sequence[Verdict]) -> list[Sketch | None]:
    """A sketch per verdict, None where there is no estimate; zero is in the middle, and equal units
    share a scale.
    """
    reach: dict[str, float] = {}
    for verdict in verdicts:
        sizes = [
            abs(value)
            for value in (verdict.estimate, verdict.lower, verdict.upper, verdict.claim.margin)
            if value is not None
        ]
        if verdict.estimate is not None:
            reach[verdict.unit] = max([reach.get(verdict.unit, 0.0), *sizes])
    return [_sketch(verdict, reach.get(verdict.unit) or 1.0) for verdict in verdicts]


def _sketch(verdict: Verdict, reach: float) -> Sketch | None:
    if verdict.estimate is None:
        return None

    def pixel(value: float) -> float:
        return round(WIDTH / 2 + value / reach * (WIDTH / 2 - EDGE), 1)

    margin = abs(verdict.claim.margin)
    margins = {"greater": (margin,), "less": (-margin,), "same": (-margin, margin)}[
        verdict.claim.expects
    ]
    interval = (
        None
        if verdict.lower is None or verdict.upper is None
        else (pixel(verdict.lower), pixel(verdict.upper))
    )
    text = (
        f"Sketch from −{reach:.3g} to +{reach:.3g}; dashed lines: margin; the numbers are beside it"
    )
    return Sketch(
        pixel(0.0), pixel(verdict.estimate), interval, tuple(pixel(m) for m in margins), text
    )
