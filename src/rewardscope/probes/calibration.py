"""Whether a policy knows when it is right: its stated confidence, and the chance it gave its own
completion.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.errors import ComponentError
from rewardscope.probes.base import PSEUDO, Evidence, Need
from rewardscope.probes.forecasts import Forecasts
from rewardscope.stats import (
    Estimate,
    mean_over_problems,
    pseudo_values,
    statistic_over_problems,
)
from rewardscope.types import Completion, Grade, Measurement, Rollout

VIEWS: dict[str, Callable[[Grade, Completion], float | None]] = {
    "stated": lambda grade, completion: grade.confidence,
    "sequence": lambda grade, completion: _token_probability(completion),
}
"""Where a forecast comes from: what the completion says, or the geometric mean of its tokens'
probabilities.
"""
STATISTICS = (
    *(
        "brier",
        "reliability",
        "resolution",
        "uncertainty",
        "log_score",
        "error",
        "error_plug_in",
        "ece",
        "overconfidence",
        "auroc",
        "risk_area",
    ),
)
UNITS = {"log_score": "nats", "overconfidence": "share difference"}
BOUNDS = {"log_score": (-math.inf, 0.0), "overconfidence": (-1.0, 1.0)}
"""Bounds of the statistics that are not shares."""
SQUARED = {"reliability", "resolution", "error_plug_in", "ece"}


def _token_probability(completion: Completion) -> float | None:
    """Geometric mean of the probabilities of the tokens that the policy chose; None where they are
    not known.
    """
    if not completion.logprobs:
        return None
    chosen = len(completion.logprobs) if completion.chosen is None else sum(completion.chosen)
    return math.exp(min(0.0, math.fsum(completion.logprobs) / max(1, chosen)))


@dataclass(frozen=True)
class Calibration:
    """Forecasts against facts: Brier score with its parts, log score, calibration error, AUROC,
    risk at coverage, and weighted votes.

    For forecasts q and outcomes c in {0, 1}: Brier = mean (q - c)^2 = reliability - resolution
    + uncertainty + what differs within bins (Murphy's parts over ``bins`` of equal mass). The
    calibration error is the root of the reliability minus what noise alone would add, with
    problems as clusters, or 0 where that is negative. The plug-in error and the error as papers
    report it (10 bins of equal width, L1) stand beside it; both are biased upwards. A constant
    forecast at the base rate is calibrated but useless, so read the error with AUROC.
    Completions without a forecast or without a grade are dropped and counted. Where the
    environment knows the chance that the given answer is right, the distance to it needs no
    outcome: mean |q - chance|.

    Source:
        Murphy 1973, J. Applied Meteorology 12(4); Kumar et al. 2019, arXiv:1909.10155 (debiased
            error); Damani et al. 2025, arXiv:2507.16806 (RLCR's metrics).
    """

    bins: int = 10

    needs: ClassVar[frozenset[Need]] = frozenset({Need.ROLLOUTS})
    uses: ClassVar[frozenset[Need]] = frozenset({Need.LOGPROBS})
    metrics: ClassVar[tuple[str, ...]] = (
        *(
            "calibration/brier",
            "calibration/reliability",
            "calibration/resolution",
            "calibration/uncertainty",
            "calibration/log_score",
        ),
        *(
            "calibration/error",
            "calibration/error_plug_in",
            "calibration/ece",
            "calibration/overconfidence",
            "calibration/auroc",
        ),
        *(
            "calibration/risk_area",
            "calibration/bin_forecast",
            "calibration/bin_accuracy",
            "calibration/weighted_vote",
        ),
        "calibration/distance",
    )

    def __post_init__(self) -> None:
        if self.bins < 2:
            raise ComponentError(
                "Calibration needs several bins",
                value=self.bins,
                allowed="2 or more",
                do="Raise bins",
            )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Rows for each source of forecasts, ``view`` stated or sequence; None throughout where
        nothing was forecast.
        """
        return [
            row for view, read in VIEWS.items() for row in self._view_rows(evidence, view, read)
        ]

    def _view_rows(
        self, evidence: Evidence, view: str, read: Callable[[Grade, Completion], float | None]
    ) -> list[Measurement]:
        groups = [
            [
                (forecast, bool(grade.correct), grade.answer)
                for grade, completion in zip(rollout.grades, rollout.completions, strict=True)
                if (forecast := read(grade, completion)) is not None and grade.correct is not None
            ]
            for rollout in evidence.rollouts
        ]
        total = sum(len(rollout.grades) for rollout in evidence.rollouts)
        number, labels = sum(map(len, groups)), {"view": view}
        forecasts = (
            Forecasts.of([[(q, c) for q, c, _ in group] for group in groups], self.bins)
            if number
            else None
        )
        rows = []
        for name in STATISTICS:
            estimate = (
                None
                if forecasts is None
                else _estimate(forecasts, name, len(groups), f"calibration/{name}/{view}")
            )
            count, unit = number if estimate is not None else 0, UNITS.get(name, "share")
            metric, dropped = f"calibration/{name}", total - number
            rows.append(
                evidence.row(
                    metric,
                    unit,
                    estimate,
                    n=count,
                    over="completions",
                    labels=labels,
                    dropped=dropped,
                )
            )
            if forecasts is not None and estimate is not None:
                values = _problem_values(forecasts, name, evidence.rollouts)
                rows += evidence.problem_rows(metric, unit, values, labels, over=PSEUDO)
        votes = {
            rollout.problem.id: vote
            for rollout, group in zip(evidence.rollouts, groups, strict=True)
            if (vote := weighted_vote(group)) is not None
        }
        metric, dropped = "calibration/weighted_vote", len(groups) - len(votes)
        address, bounds = f"calibration/vote/{view}", (0.0, 1.0)
        estimate = (
            mean_over_problems(list(votes.values()), address=address, bounds=bounds)
            if votes
            else None
        )
        rows.append(
            evidence.row(
                metric,
                "share",
                estimate,
                n=len(votes),
                over="problems",
                labels=labels,
                dropped=dropped,
            )
        )
        rows += evidence.problem_rows(metric, "share", votes, labels)
        return (
            rows
            + _distance_rows(evidence, read, labels)
            + self._bin_rows(evidence, forecasts, labels)
        )

    def _bin_rows(
        self, evidence: Evidence, forecasts: Forecasts | None, labels: dict[str, str]
    ) -> list[Measurement]:
        """The reliability diagram: mean forecast and accuracy of each bin, lowest first."""
        names = ("calibration/bin_forecast", "calibration/bin_accuracy")
        if forecasts is None:
            return [
                evidence.row(
                    name, "share", None, n=0, over="completions", labels={**labels, "bin": "1"}
                )
                for name in names
            ]
        rows = []
        for number, (count, forecast, right) in enumerate(forecasts.sum_PB3.sum(axis=0), 1):
            for name, value in zip(names, (forecast / count, right / count), strict=True):
                in_bin = {**labels, "bin": str(number)}
                rows.append(
                    evidence.row(
                        name, "share", float(value), n=int(count), over="completions", labels=in_bin
                    )
                )
        return rows


def _problem_values(
    forecasts: Forecasts, name: str, rollouts: Sequence[Rollout]
) -> dict[str, float]:
    """The statistic's pseudo-value of every problem; empty where it has none."""
    statistic = getattr(forecasts, "error_square" if name == "error" else name)

    def of(weight_SP: np.ndarray) -> np.ndarray:
        value_S = np.asarray(statistic(weight_SP))
        return np.sqrt(value_S.clip(min=0)) if name == "error" else value_S

    value_P = pseudo_values(len(rollouts), of)
    if value_P is None:
        return {}
    return {
        rollout.problem.id: float(value) for rollout, value in zip(rollouts, value_P, strict=True)
    }


def _distance_rows(
    evidence: Evidence, read: Callable[[Grade, Completion], float | None], labels: dict[str, str]
) -> list[Measurement]:
    """Mean |forecast - chance that the answer is right|, with equal weight per problem, and a row
    for each problem whose chances are known.
    """
    distances: dict[str, list[float]] = {}
    for rollout in evidence.rollouts:
        for grade, completion in zip(rollout.grades, rollout.completions, strict=True):
            forecast, chance = read(grade, completion), rollout.problem.chance_of(grade.answer)
            if forecast is not None and chance is not None:
                distances.setdefault(rollout.problem.id, []).append(abs(forecast - chance))
    metric = "calibration/distance"
    means = {problem: sum(values) / len(values) for problem, values in distances.items()}
    address = f"{metric}/{labels['view']}"
    estimate = (
        mean_over_problems(list(means.values()), address=address, bounds=(0.0, 1.0))
        if means
        else None
    )
    dropped = len(evidence.rollouts) - len(means)
    rows = [
        evidence.row(
            metric, "share", estimate, n=len(means), over="problems", labels=labels, dropped=dropped
        )
    ]
    for problem, value in means.items():
        rows.append(
            evidence.row(
                metric,
                "share",
                value,
                n=len(distances[problem]),
                over="draws",
                labels={**labels, "problem": problem},
            )
        )
    return rows


def weighted_vote(group: Sequence[tuple[float, bool, str | None]]) -> float | None:
    """Whether the answer with the largest sum of forecasts is right, shared between ties; None
    where nothing was answered.
    """
    weight: dict[str, float] = {}
    right: dict[str, list[bool]] = {}
    for forecast, correct, answer in group:
        if answer is not None:
            weight[answer] = weight.get(answer, 0.0) + forecast
            right.setdefault(answer, []).append(correct)
    if not weight:
        return None
    most = max(weight.values())
    first = [
        sum(right[answer]) / len(right[answer]) for answer, total in weight.items() if total == most
    ]
    return sum(first) / len(first)


def _estimate(forecasts: Forecasts, name: str, num_problems: int, address: str) -> Estimate | None:
    """A statistic with its interval. Squared errors are larger in resamples than in the
    original sample, so their interval is centred.
    """
    if name == "error":
        square = statistic_over_problems(
            num_problems, forecasts.error_square, address=address, centred=True
        )
        if square is None:
            return None
        ends = (square.value, square.lower, square.upper)
        value, lower, upper = (None if end is None else math.sqrt(max(0.0, end)) for end in ends)
        return Estimate(value or 0.0, lower, upper, square.interval)
    statistic: Callable[[np.ndarray], np.ndarray] = getattr(forecasts, name)
    bounds = BOUNDS.get(name, (0.0, 1.0))
    return statistic_over_problems(
        num_problems, statistic, address=address, centred=name in SQUARED, bounds=bounds
    )
