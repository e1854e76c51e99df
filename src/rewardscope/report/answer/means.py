"""Values of a metric by arm and seed, for sentences."""

from collections.abc import Mapping, Sequence

from rewardscope.report.rows import Arm, Run


def mean(values: Sequence[float]) -> float | None:
    """The mean; None of none."""
    return sum(values) / len(values) if values else None


def untrained(run: Run, arm: Arm, metric: str, labels: Mapping[str, str]) -> float | None:
    """The metric of the policy that the arm started from."""
    values = run.values(arm.base, metric, labels)
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
