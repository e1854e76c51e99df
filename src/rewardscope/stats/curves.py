"""Curves over problems: simultaneous bands and crossings."""

from collections.abc import Sequence

import numpy as np
from scipy import stats as distributions

from rewardscope.stats.estimate import LEVEL, Bounds, Estimate
from rewardscope.stats.resampling import (
    Unseen,
    alike,
    all_alike,
    few_apart,
    kinds,
    resampled_means,
)


def curve_over_problems(
    value_PK: np.ndarray, *, address: str, bounds: Bounds | None = None
) -> list[Estimate]:
    """Mean over problems at each of K points, with a simultaneous band: the whole curve of means
    lies inside it 95 % of the time.

    Half width at k = q x standard error at k, where q is the 95 % quantile over resampled
    problems of max over k of |their mean - the mean| / their own standard error (the sup-t band,
    studentised: without that it holds skewed curves in 0.92 of studies). Points at which fewer
    than :data:`~rewardscope.stats.resampling.FEW` problems differ from the rest leave q alone: a
    resample without them has a standard error near 0, and q would explode. With ``bounds`` those
    points also hold the doubt about kinds that were never met (:class:`Unseen`); at the others
    the band holds the whole curve in 0.95 of studies without it.

    Source:
        Montiel Olea and Plagborg-Moller 2019, Journal of Applied Econometrics 34(1), algorithm 2.
    """
    num_problems, num_points = value_PK.shape
    mean_K = value_PK.mean(axis=0)
    if num_problems < 2:
        return [Estimate(float(mean), None, None, "none: fewer than 2 problems") for mean in mean_K]
    error_K = value_PK.std(axis=0) / np.sqrt(num_problems)
    value_CK, count_C = kinds(value_PK)
    apart_BK = np.abs(resampled_means(value_CK, count_C, address) - mean_K)
    square_BK = resampled_means((value_CK - mean_K) ** 2, count_C, address) - apart_BK**2
    own_BK = np.sqrt(square_BK.clip(min=0) / num_problems)
    studentised_BK = np.divide(
        apart_BK, own_BK, out=np.zeros_like(apart_BK), where=own_BK > 1e-9 * (error_K + 1e-300)
    )
    reads_K = np.array([not few_apart(value_CK[:, k], count_C) for k in range(num_points)])
    maximum_B = studentised_BK[:, reads_K].max(axis=1, initial=0.0)
    quantile = np.quantile(maximum_B, LEVEL) if reads_K.any() else _normal_quantile(num_points)
    text = f"sup-t band over {num_points} points, bootstrap over {num_problems} problems"
    return [
        Estimate(float(mean), float(mean - quantile * error), float(mean + quantile * error), text)
        if reads_K[k] or bounds is None
        else _point(value_PK[:, k], float(quantile * error), bounds, f"{address}/{k}", text)
        for k, (mean, error) in enumerate(zip(mean_K, error_K, strict=True))
    ]


def _normal_quantile(num_points: int) -> float:
    """Of the largest of so many normal deviations, by Bonferroni."""
    return float(distributions.norm.ppf(1 - (1 - LEVEL) / 2 / num_points))


def _point(value_P: np.ndarray, half: float, bounds: Bounds, address: str, text: str) -> Estimate:
    """A point of the band at which few problems differ from the rest."""
    mean = float(value_P.mean())
    if alike(value_P):
        return all_alike(mean, len(value_P), bounds, "problems")
    unseen = Unseen.of(value_P, bounds, address=address)
    return Estimate(mean, *unseen.widened(mean - half, mean + half), text).within(bounds)


def crossing_over_problems(
    value_PK: np.ndarray, point_K: Sequence[float], *, address: str
) -> tuple[Estimate | None, float]:
    """Where a mean curve first falls from above zero to below it, and the share of bootstrap draws
    over problems in which it does.

    A curve that only comes down to zero, as where both sides are sure, does not cross. Between two
    points the place is interpolated in their logarithm. Without a crossing there is no estimate;
    with one there is an interval only if so many draws cross that both its ends are places.
    """
    crossing = _first_fall(value_PK.mean(axis=0)[None], point_K)[0]
    if len(value_PK) < 2:
        crosses = bool(np.isfinite(crossing))
        return (
            Estimate(float(crossing), None, None, "none: fewer than 2 problems")
            if crosses
            else None
        ), float(crosses)
    crossing_B = _first_fall(resampled_means(*kinds(value_PK), address), point_K)
    share = float(np.isfinite(crossing_B).mean())
    if not np.isfinite(crossing):
        return None, share
    lower, upper = np.quantile(crossing_B, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    if not np.isfinite([lower, upper]).all():
        return Estimate(
            float(crossing), None, None, f"none: {1 - share:.1%} of bootstrap draws do not cross"
        ), share
    return Estimate(
        float(crossing), float(lower), float(upper), f"bootstrap over {len(value_PK)} problems"
    ), share


def _first_fall(curve_BK: np.ndarray, point_K: Sequence[float]) -> np.ndarray:
    """Place of each curve's first fall below zero after it was above; infinity where there is none,
    as for a curve of one point.
    """
    if curve_BK.shape[1] < 2:
        return np.full(len(curve_BK), np.inf)
    high_BK, low_BK = curve_BK[:, :-1], curve_BK[:, 1:]
    falls_BK = np.logical_or.accumulate(high_BK > 0, axis=1) & (low_BK < 0)
    first_B = falls_BK.argmax(axis=1)
    row_B = np.arange(len(curve_BK))
    high_B, low_B, log_K = (
        high_BK[row_B, first_B],
        low_BK[row_B, first_B],
        np.log(np.asarray(point_K, dtype=np.float64)),
    )
    fallen_B = falls_BK.any(axis=1)
    share_B = np.divide(high_B, high_B - low_B, out=np.zeros_like(high_B), where=fallen_B)
    crossing_B = np.exp(log_K[first_B] + share_B * (log_K[first_B + 1] - log_K[first_B]))
    return np.where(fallen_B, crossing_B, np.inf)
