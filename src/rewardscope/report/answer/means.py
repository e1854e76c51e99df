"""Values of a metric by arm and seed, for sentences."""

from collections.abc import Mapping, Sequence

import polars as pl

from rewardscope.report.rows import Arm, Run


def values_of(run: Run, arm: str, metric: str, labels: Mapping[str, str]) -> list[float]:
    """The arm's values, one for each seed that has one; empty where the rows are not unique."""
    if not set(labels) <= set(run.label_names):
        return []
    own = [pl.col(name) == value for name, value in labels.items()]
    frame = (
        run.metric(metric)
        .filter(pl.col("arm") == arm, *own)
        .filter(pl.col("value").is_not_null() & pl.col("value").is_not_nan())
    )
    if frame.select("seed").is_duplicated().any():
        return []
    return frame.sort("seed")["value"].to_list()


def mean(values: Sequence[float]) -> float | None:
    """The mean; None of none."""
    return sum(values) / len(values) if values else None


def untrained(run: Run, arm: Arm, metric: str, labels: Mapping[str, str]) -> float | None:
    """The metric of the policy that the arm started from."""
    values = values_of(run, arm.base, metric, labels)
    return values[0] if len(values) == 1 else None


def placebos_of(run: Run, start: str) -> list[Arm]:
    """The placebos that began at ``start``."""
    return [arm for arm in run.arms_of(start) if arm.placebo]


def treatments_of(run: Run, start: str) -> list[Arm]:
    """The other arms that began at ``start``."""
    return [arm for arm in run.arms_of(start) if not arm.placebo]


def seeds_text(arm: Arm) -> str:
    """The arm with its seeds, for a note."""
    seeds = ", ".join(map(str, arm.cells))
    return f"{arm.name}, seed{'s' if len(arm.cells) != 1 else ''} {seeds}" if seeds else arm.name
