"""A run as typed records and frames, with a list of what is missing from it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from rewardscope.codec import KIND
from rewardscope.section import Section
from rewardscope.store.looks import Look
from rewardscope.types import Gap, Verdict

LABEL_NAMES = (
    *(
        "k",
        "class",
        "strategy",
        "of",
        "verdict",
        "ending",
        "view",
        "matrix",
        "update",
        "bin",
        "problem",
    ),
    *("behaviour", "shown", "by", "before", "after", "null"),
)
"""Labels that are columns in every run; other labels are columns where a run has them."""
STRATEGY_PREFIX = "strategy/"
ROW_COLUMNS = {
    "arm": pl.String,
    "seed": pl.Int64,
    "step": pl.Int64,
    "metric": pl.String,
    "unit": pl.String,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "interval": pl.String,
    "n": pl.Int64,
    "over": pl.String,
}
PASS_AT_K = "boundary/pass_at_k"
"""How the metrics begin whose rows of single problems the page needs."""
PROBLEM_COLUMNS = {
    **{name: ROW_COLUMNS[name] for name in ("arm", "seed", "step", "metric")},
    "k": pl.String,
    "problem": pl.String,
    "value": pl.Float64,
}
MEASUREMENT_COLUMNS = {**ROW_COLUMNS, **dict.fromkeys(LABEL_NAMES, pl.String)}


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of the study, as study.json describes it."""

    name: str
    start: str
    placebo: bool
    base: str
    """Name of the untrained policy's measurements."""
    base_cell: str
    cells: Mapping[int, str]
    """Cell directory by seed."""
    uses_truth: Mapping[str, bool]
    """Whether each component of the arm saw the answer key."""
    config: Mapping[str, Any]

    @property
    def parts(self) -> Mapping[str, Any]:
        """Its components by name, as in study.json; None where it has none. The learner's own
        components are included.
        """
        return {**(self.config.get("learner") or {}), **self.config}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell and its progress."""

    name: str
    arm: str
    seed: int | None
    """None for an untrained policy."""
    state: str
    step: int
    reason: str
    measured: str | None
    """Signature of the settings that its rows were measured with."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something missing that the page would show."""

    what: str
    reason: str


@dataclass(frozen=True)
class Run:
    """Everything that the page shows."""

    root: Path
    study: Mapping[str, Any]
    """The content of study.json."""
    arms: tuple[Arm, ...]
    cells: tuple[Cell, ...]
    verdicts: tuple[Verdict, ...]
    """Claims that are not judged yet are NOT_RUN, with that reason."""
    steps: pl.DataFrame
    """A row per arm, seed and training step."""
    measurements: pl.DataFrame
    """Rows of the last measured step, without those of single problems."""
    problem_pass: pl.DataFrame
    """pass@k of single problems: arm, seed, step, metric, k, problem, value."""
    missing: tuple[Missing, ...]
    gaps: tuple[Gap, ...] = ()
    """What could not be measured."""
    sections: tuple[Section, ...] = ()
    """Sections that instruments from outside the package declare for the page."""
    every_step: pl.DataFrame | None = None
    """Rows of all measured steps, where there are several."""
    looks: tuple[Look, ...] = ()
    """At its verdicts, each time the evidence had grown."""

    @property
    def starts(self) -> tuple[str, ...]:
        """Untrained policies, in the order of the study."""
        return tuple(
            dict.fromkeys([*self.study.get("starts", ()), *(arm.start for arm in self.arms)])
        )

    def arms_of(self, start: str) -> tuple[Arm, ...]:
        """The arms that began at ``start``."""
        return tuple(arm for arm in self.arms if arm.start == start)

    def order_of(self, start: str) -> list[str]:
        """The arms of a start in the order of the claims, each treatment before its placebo, and
        then those that no claim compares.
        """
        arms = {arm.name for arm in self.arms_of(start)}
        claims = [verdict.claim for verdict in self.verdicts]
        named = [name for claim in claims for name in (claim.treatment, claim.control)]
        listed = dict.fromkeys([*named, *(arm.name for arm in self.arms_of(start))])
        return [name for name in listed if name in arms]

    @property
    def label_names(self) -> tuple[str, ...]:
        """Labels that rows have, which are columns of :attr:`measurements`."""
        return tuple(n for n in self.measurements.columns if n not in ROW_COLUMNS)

    @property
    def instruments(self) -> frozenset[str]:
        """Names of the study's instruments."""
        probes = self.study.get("probes") or ()
        return frozenset(str(probe.get(KIND)) for probe in probes if isinstance(probe, Mapping))

    def metric(self, name: str) -> pl.DataFrame:
        """Measurement rows of one metric."""
        return self._by_metric.get(name, self.measurements.clear())

    @cached_property
    def _by_metric(self) -> dict[str, pl.DataFrame]:
        parts = self.measurements.partition_by("metric", maintain_order=True, as_dict=True)
        return {str(name): part for (name,), part in parts.items()}

    def values(self, arm: str, metric: str, labels: Mapping[str, str]) -> list[float]:
        """The arm's known values of a metric with these labels, by seed; empty where a seed has
        more than one, or no row has such a label.
        """
        if not set(labels) <= set(self.label_names):
            return []
        own = [
            row
            for row in self._known.get((arm, metric), ())
            if all(row[name] == value for name, value in labels.items())
        ]
        by_seed = {row["seed"]: row["value"] for row in own}
        if len(by_seed) < len(own):
            return []
        return [by_seed[seed] for seed in sorted(by_seed, key=lambda s: -1 if s is None else s)]

    @cached_property
    def _known(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        rows = defaultdict(list)
        names = ["arm", "metric", "seed", "value", *self.label_names]
        known = pl.col("value").is_not_null() & pl.col("value").is_not_nan()
        for row in self.measurements.select(names).filter(known).iter_rows(named=True):
            rows[row["arm"], row["metric"]].append(row)
        return rows
