"""Rows that compare what a trained policy reaches with what its base reaches."""

from collections.abc import Mapping, Sequence

from rewardscope.judging.boundary import Standing
from rewardscope.judging.boundary.comparison import Point, epsilon
from rewardscope.judging.boundary.split import Split
from rewardscope.probes.base import Evidence
from rewardscope.stats import Estimate
from rewardscope.types import Measurement

DIFFERENCE = "share difference"


def difference_rows(
    evidence: Evidence, standing: Standing, ks: Sequence[int], strict: bool
) -> list[Measurement]:
    """Trained minus base pass@k, with one confidence band over all k. Tolerant grading adds the k
    at which the base overtakes, and the sampling gap.
    """
    name = "boundary/difference_strict" if strict else "boundary/difference"
    rows = [_row(evidence, name, DIFFERENCE, point) for point in standing.difference(ks, name)]
    for k, values in standing.differences(ks).items():
        rows += evidence.problem_rows(name, DIFFERENCE, values, {"k": str(k)})
    if strict:
        return rows
    crossing, share = standing.crossing(ks)
    return [
        *rows,
        _row(evidence, "boundary/crossing_k", "draws", crossing),
        _row(evidence, "boundary/crossing_share", "share", share),
        _row(evidence, "boundary/sampling_gap", DIFFERENCE, standing.sampling_gap(ks)),
    ]


def class_rows(evidence: Evidence, standing: Standing) -> list[Measurement]:
    """The numbers of problems kept, lost, won and out of reach of both, and three shares made of
    them. Each row states epsilon, the smallest chance that its k can detect.
    """
    counts, shares = standing.classes()
    rows = [
        _row(evidence, "boundary/problems", "problems", point, {"class": name, **_sees(point)})
        for name, point in counts.items()
    ]
    for name, point in shares.items():
        rows.append(
            _row(
                evidence,
                f"boundary/{name}",
                DIFFERENCE if name == "support_change" else "share",
                point,
                _sees(point),
            )
        )
    return rows + _split_rows(evidence, standing.split())


def _split_rows(evidence: Evidence, split: Split | None) -> list[Measurement]:
    """The classes at half the draws: base against itself, the null, and base against trained."""
    if split is None:
        return []

    def row(
        name: str, unit: str, value: Estimate | float | None, more: Mapping[str, str]
    ) -> Measurement:
        return evidence.row(
            f"boundary/{name}",
            unit,
            value,
            n=split.n if value is not None else 0,
            over="problems",
            labels={"k": str(split.draws), **more},
            dropped=split.dropped,
        )

    rows = []
    for against, counts, retention in (
        ("itself", split.itself, split.retention_itself),
        ("trained", split.trained, split.retention_trained),
    ):
        for name, count in counts.items():
            labels = {"class": name, "against": against}
            rows.append(row("split_problems", "problems", count, labels))
        rows.append(row("split_retention", "share", retention, {"against": against}))
    rows.append(row("shrunk_beyond_null", DIFFERENCE, split.shrunk_more, {}))
    rows.append(row("expanded_beyond_null", DIFFERENCE, split.expanded_more, {}))
    return rows


def _sees(point: Point) -> dict[str, str]:
    return {"epsilon": f"{epsilon(point.k):.3g}"} if point.k else {}


def _row(
    evidence: Evidence, metric: str, unit: str, point: Point, labels: dict[str, str] | None = None
) -> Measurement:
    labels = {"k": str(point.k), **(labels or {})}
    return evidence.row(
        metric,
        unit,
        point.estimate,
        n=point.n,
        over="problems",
        labels=labels,
        dropped=point.dropped,
    )
