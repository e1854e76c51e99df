"""One number per problem: means, ratios and other statistics over problems."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats as distributions

from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.stats.estimate import LEVEL, Bounds, Estimate
from rewardscope.stats.resampling import (
    DRAWS,
    SLOW_DRAWS,
    Unseen,
    alike,
    all_alike,
    by_kind,
    drawn,
    few_apart,
    kinds,
    resampled_means,
    stretch,
)


def mean_over_problems(
    value_P: Sequence[float] | np.ndarray,
    *,
    address: str,
    bounds: Bounds | None = None,
) -> Estimate:
    """Mean of one number per problem with a percentile bootstrap over problems.

    All draws of a problem enter through its one number, so draws of one problem are never counted
    as independent.

    Args:
        value_P: One number per problem.
        address: Seeds the bootstrap; the same rows under the same address give the same interval.
        bounds: Between which every value must lie; then, where few problems differ from the rest
            (:func:`few_apart`), the interval also holds the doubt about kinds of problems that were
            never met (:class:`Unseen`).

    Many problems are resampled by kind.
    """
    array_P = np.asarray(value_P, dtype=np.float64)
    mean = float(array_P.mean())
    if len(array_P) < 2:
        return Estimate(mean, None, None, "none: fewer than 2 problems")
    if bounds is not None and alike(array_P):
        return all_alike(mean, len(array_P), bounds, "problems")
    if by_kind(len(array_P)):
        mean_B = resampled_means(*kinds(array_P[:, None]), address)[:, 0]
    else:
        index_BP = generator("bootstrap", address).integers(0, len(array_P), (DRAWS, len(array_P)))
        mean_B = array_P[index_BP].mean(axis=1)
    unseen = Unseen.of(array_P, bounds, address=address) if bounds and few_apart(array_P) else None
    return _percentiles(mean, mean_B, len(array_P), bounds, unseen)


def _percentiles(
    value: float, value_B: np.ndarray, count: int, bounds: Bounds | None, unseen: Unseen | None
) -> Estimate:
    """The percentile interval, its deviations stretched for small samples by sqrt(n / (n - 1)) and
    t / z, widened to hold the doubt about kinds that were never met, and kept between the bounds.
    """
    quantile = (1 + LEVEL) / 2
    lower, upper = value + stretch(count, count - 1) * (
        np.quantile(value_B, [1 - quantile, quantile]) - value
    )
    if unseen is not None:
        lower, upper = unseen.widened(lower, upper)
    estimate = Estimate(value, float(lower), float(upper), f"bootstrap over {count} problems")
    return estimate.within(bounds)


def ratio_over_problems(
    numerator_P: Sequence[float] | np.ndarray,
    denominator_P: Sequence[float] | np.ndarray,
    *,
    address: str,
    bounds: Bounds | None = None,
) -> Estimate:
    """Sum of numerators over sum of denominators with a percentile bootstrap over problems; draws
    with an empty denominator are left out.

    ``bounds`` as in :func:`mean_over_problems`, over the problems that have a denominator. Many
    problems are resampled by kind (:data:`rewardscope.stats.resampling.MANY`).

    Raises:
        ComponentError: If the denominators sum to 0, where there is no ratio.
    """
    top_P, bottom_P = (
        np.asarray(numerator_P, dtype=np.float64),
        np.asarray(denominator_P, dtype=np.float64),
    )
    if bottom_P.sum() == 0:
        raise ComponentError(
            "A ratio over problems has nothing in its denominator",
            value=f"{len(bottom_P)} problems",
            do="Report None",
        )
    ratio = float(top_P.sum() / bottom_P.sum())
    if len(top_P) < 2:
        return Estimate(ratio, None, None, "none: fewer than 2 problems")
    ratio_P = top_P[bottom_P > 0] / bottom_P[bottom_P > 0]
    if bounds is not None and alike(ratio_P):
        return all_alike(ratio, len(ratio_P), bounds, "problems")
    if by_kind(len(top_P)):
        pairs = kinds(np.stack([top_P, bottom_P], axis=1))
        top_B, bottom_B = resampled_means(*pairs, address).T
    else:
        index_BP = generator("bootstrap", address).integers(0, len(top_P), (DRAWS, len(top_P)))
        top_B, bottom_B = top_P[index_BP].sum(axis=1), bottom_P[index_BP].sum(axis=1)
    unseen = (
        Unseen.of(ratio_P, bounds, address=address, weight_P=bottom_P[bottom_P > 0])
        if bounds and few_apart(ratio_P)
        else None
    )
    ratio_B = top_B[bottom_B > 0] / bottom_B[bottom_B > 0]
    return _percentiles(ratio, ratio_B, len(top_P), bounds, unseen)


def statistic_over_problems(
    num_problems: int,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    address: str,
    centred: bool = False,
    bounds: Bounds | None = None,
) -> Estimate | None:
    """Any statistic of a set of problems with a bootstrap interval over problems, stretched for few
    of them; None where it is not defined.

    Args:
        num_problems: P.
        statistic: From weights (S, P), how often each problem was drawn, to (S,); NaN where a draw
            has none.
        address: Seeds the bootstrap.
        centred: The interval is value +- t x the draws' standard deviation x sqrt(P / (P - 1)), for
            statistics that resampling itself moves; else percentiles.
        bounds: Between which the interval is kept.
    """
    value = float(statistic(np.ones((1, num_problems)))[0])
    if np.isnan(value):
        return None
    if num_problems < 2:
        return Estimate(value, None, None, "none: fewer than 2 problems")
    blocks = drawn(generator("bootstrap", address), np.ones(num_problems), SLOW_DRAWS)
    value_B = np.concatenate([statistic(weight_SP.astype(np.float64)) for weight_SP in blocks])
    value_B = value_B[~np.isnan(value_B)]
    if not len(value_B):
        return Estimate(value, None, None, "none: no resample of the problems has such a value")
    quantile, wider = (1 + LEVEL) / 2, stretch(num_problems, num_problems - 1)
    if centred:
        half, made = (
            wider * distributions.norm.ppf(quantile) * value_B.std(),
            "bootstrap standard error",
        )
        lower, upper = value - half, value + half
    else:
        (lower, upper), made = (
            value + wider * (np.quantile(value_B, [1 - quantile, quantile]) - value),
            "bootstrap",
        )
    lowest, highest = bounds or (-np.inf, np.inf)
    lower, upper = max(lowest, min(lower, value)), min(highest, max(upper, value))
    return Estimate(value, float(lower), float(upper), f"{made} over {num_problems} problems")


def mean_over_pairs(value_SS: np.ndarray) -> Estimate:
    """Mean over all pairs of S units of a symmetric number (S, S), diagonal not read, with a
    jackknife interval over the units.

    Pairs that share a unit are not independent, so S units count as S, not as S (S - 1) / 2: the
    variance is (S - 1) / S x sum over units of (mean without the unit - their mean)^2, and the half
    width t at S - 1 degrees. Exact where a pair's number is a sum of its two units' normal ones,
    too wide where pairs differ for reasons of their own. Two units make one pair, and no interval.

    Source:
        Arvesen 1969, Annals of Mathematical Statistics 40(6) (jackknife of U-statistics).
    """
    count = len(value_SS)
    pair_A, pair_B = np.triu_indices(count, 1)
    mean = float(value_SS[pair_A, pair_B].mean())
    if count < 3:
        return Estimate(
            mean,
            None,
            None,
            "none: two trainings make one pair, which says nothing about other pairs",
        )
    without_S = np.array(
        [
            value_SS[pair_A, pair_B][(pair_A != unit) & (pair_B != unit)].mean()
            for unit in range(count)
        ]
    )
    error = np.sqrt((count - 1) / count * ((without_S - without_S.mean()) ** 2).sum())
    half = float(distributions.t.ppf((1 + LEVEL) / 2, count - 1) * error)
    return Estimate(
        mean,
        mean - half,
        mean + half,
        f"jackknife over {count} trainings, whose {len(pair_A)} pairs are not independent",
    )
