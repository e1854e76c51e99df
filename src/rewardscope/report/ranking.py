"""Arms in order of how far they exceed their placebo, where a study has enough claims to rank."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scipy import stats as distributions

from rewardscope.report.answer import anchor
from rewardscope.report.wording import metric_text
from rewardscope.stats import LEVEL, holm
from rewardscope.types import Claim, Verdict

FEWEST = 3
"""With fewer arms, an order adds nothing to the verdicts."""


@dataclass(frozen=True, slots=True)
class Place:
    """One arm's place in a ranking."""

    verdict: Verdict
    number: int
    """By the estimate, the largest difference first."""
    best: int
    """1 + the arms that are above this one."""
    worst: int
    """The number of arms minus those that are below this one."""
    anchor: str
    """Id of its row in the verdict table."""
    untrained: float | None
    """The metric before any training; an arm may be ahead because its placebo did harm."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The order of all arms that were compared with a placebo on one metric."""

    metric: str
    places: tuple[Place, ...]


def rankings(
    verdicts: Sequence[Verdict],
    placebos: Mapping[str, bool],
    untrained: Callable[[Claim], float | None],
) -> list[Ranking]:
    """One ranking per metric on which three or more arms were compared with a placebo. Claims
    without an interval are left out.

    Args:
        verdicts: The verdicts on the claims.
        placebos: Whether an arm is a placebo, by arm name.
        untrained: Gives a claim's metric before any training.
    """
    by_metric: dict[str, list[tuple[int, Verdict]]] = {}
    for row, verdict in enumerate(verdicts):
        if (
            placebos.get(verdict.claim.control, False)
            and verdict.lower is not None
            and verdict.upper is not None
        ):
            by_metric.setdefault(metric_text(verdict.claim), []).append((row, verdict))
    return [
        Ranking(metric, _order(rows, untrained))
        for metric, rows in by_metric.items()
        if len({v.claim.treatment for _, v in rows}) >= FEWEST
    ]


def _order(
    rows: list[tuple[int, Verdict]], untrained: Callable[[Claim], float | None]
) -> tuple[Place, ...]:
    ordered = sorted(rows, key=lambda entry: -(entry[1].estimate or 0.0))
    apart = separated([verdict for _, verdict in ordered])
    places = []
    for number, (row, verdict) in enumerate(ordered, 1):
        above = sum((other, number - 1) in apart for other in range(number - 1))
        below = sum((number - 1, other) in apart for other in range(number, len(ordered)))
        places.append(
            Place(
                verdict, number, 1 + above, len(rows) - below, anchor(row), untrained(verdict.claim)
            )
        )
    return tuple(places)


def separated(ordered: Sequence[Verdict]) -> set[tuple[int, int]]:
    """Pairs (higher, lower) of verdicts, by their places in the order given, that are told apart.

    The distance of two estimates is compared with what the two half widths that face each other
    make of its standard error, by Student's t: a half width is t standard errors at S - 1 degrees
    of freedom, and two of them have 2 (S - 1). All pairs are one family by Holm's rule. Intervals
    that do not overlap are no such test: many equal arms show a false order.
    """
    pairs = [(i, j) for i in range(len(ordered)) for j in range(i + 1, len(ordered))]
    errors = holm([_error(ordered[i], ordered[j]) for i, j in pairs])
    return {pair for pair, error in zip(pairs, errors, strict=True) if error <= 1 - LEVEL}


def _error(high: Verdict, low: Verdict) -> float:
    """Two-sided error of the call that the first estimate lies above the second."""
    down = (high.estimate or 0.0) - (high.lower or 0.0)
    up = (low.upper or 0.0) - (low.estimate or 0.0)
    degrees = max(1, min(high.num_seeds, low.num_seeds) - 1)
    spread = math.hypot(down, up) / distributions.t.ppf((1 + LEVEL) / 2, degrees)
    distance = (high.estimate or 0.0) - (low.estimate or 0.0)
    if spread == 0:
        return float(distance <= 0)
    return float(2 * distributions.t.sf(distance / spread, 2 * degrees))
