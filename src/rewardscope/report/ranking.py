"""Arms in order of how far they exceed their placebo, where a study has enough claims to rank."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rewardscope.report.answer import anchor
from rewardscope.report.wording import metric_text
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
    """1 + the arms whose whole interval lies above this one's."""
    worst: int
    """The number of arms minus those whose whole interval lies below this one's."""
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
    spans = [(verdict.lower or 0.0, verdict.upper or 0.0) for _, verdict in rows]
    ordered = sorted(rows, key=lambda entry: -(entry[1].estimate or 0.0))
    places = []
    for number, (row, verdict) in enumerate(ordered, 1):
        lower, upper = verdict.lower or 0.0, verdict.upper or 0.0
        above, below = sum(low > upper for low, _ in spans), sum(high < lower for _, high in spans)
        places.append(
            Place(
                verdict, number, 1 + above, len(rows) - below, anchor(row), untrained(verdict.claim)
            )
        )
    return tuple(places)
