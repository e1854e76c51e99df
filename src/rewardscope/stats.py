"""Estimates and their intervals; every random draw is seeded by address, so the same rows give the
same interval.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as distributions
from scipy.special import gammaln

from rewardscope.errors import ComponentError
from rewardscope.seeds import generator

LEVEL = 0.95
"""Coverage every interval aims at."""
POWER = 0.8
"""Chance of a call at the smallest visible effect."""
DRAWS = 4000
"""Bootstrap draws; the Monte Carlo error of a 2.5 % quantile is then about 3 % of the standard
error.
"""

SLOW_DRAWS = 1000
"""Bootstrap draws of statistics that are more than a mean."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with the interval that its design allows."""

    value: float
    lower: float | None
    """None = this design gives no interval."""
    upper: float | None
    interval: str
    """How the interval was made."""

    def within(self, bounds: tuple[float, float] | None) -> "Estimate":
        """The same with an interval that does not reach past what is possible."""
        if bounds is None or self.lower is None or self.upper is None:
            return self
        return Estimate(
            self.value, max(self.lower, bounds[0]), min(self.upper, bounds[1]), self.interval
        )


def pass_at_k(num_draws: int, num_correct: int, k: int) -> float:
    """Chance that at least one of k draws is right: 1 - C(n - c, k) / C(n, k), unbiased for k <= n.

    Raises:
        ComponentError: If k is larger than the number of draws, where no unbiased estimate exists.

    Source:
        Chen et al. 2021, arXiv:2107.03374, section 2.1.

    >>> round(pass_at_k(4, 1, 2), 3)
    0.5
    """
    if not 1 <= k <= num_draws or not 0 <= num_correct <= num_draws:
        raise ComponentError(
            "pass@k needs 1 <= k <= n and 0 <= c <= n",
            value=f"n={num_draws}, c={num_correct}, k={k}",
            do="Draw more completions per problem",
        )
    if num_draws - num_correct < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(num_draws - num_correct + 1, num_draws + 1)))


def pass_at_ks(count_P: np.ndarray, correct_P: np.ndarray, k_K: Sequence[int]) -> np.ndarray:
    """:func:`pass_at_k` of many problems at many k (P, K); NaN where a problem has fewer than k
    draws.

    log C(n - c, k) - log C(n, k) from log-gamma, exact to about 1e-11.
    """
    n_P1, wrong_P1 = (
        np.asarray(count_P)[:, None].astype(np.float64),
        (np.asarray(count_P) - np.asarray(correct_P))[:, None],
    )
    k_1K = np.asarray(k_K, dtype=np.float64)[None]
    with np.errstate(invalid="ignore"):
        log_none_PK = (
            gammaln(wrong_P1 + 1)
            - gammaln(wrong_P1 - k_1K + 1)
            - gammaln(n_P1 + 1)
            + gammaln(n_P1 - k_1K + 1)
        )
    rate_PK = np.where(wrong_P1 < k_1K, 1.0, -np.expm1(log_none_PK))
    return np.where(n_P1 < k_1K, np.nan, rate_PK)


def unseen_share(count: int) -> float:
    """Largest share that a kind of problem may have of which none is among ``count``: 1 - 0.025^(1
    / n).

    Source:
        Clopper and Pearson 1934, the upper limit for 0 of n; about 3.7 / n.

    >>> round(unseen_share(64), 3)
    0.056
    """
    return float(1 - ((1 - LEVEL) / 2) ** (1 / count))


def _all_alike(value: float, count: int, bounds: tuple[float, float], what: str) -> Estimate:
    """The interval where a bootstrap has nothing to resample: a kind that was never met may stand
    at either bound.
    """
    share = unseen_share(count)
    lower, upper = (value + share * (bound - value) for bound in bounds)
    return Estimate(
        value,
        lower,
        upper,
        f"all {count} {what} alike; a kind met 0 times in {count} may be {share:.1%} of all",
    )


def mean_over_problems(
    value_P: Sequence[float], *, address: str, bounds: tuple[float, float] | None = None
) -> Estimate:
    """Mean of one number per problem with a percentile bootstrap over problems.

    All draws of a problem enter through its one number, so draws of one problem are never counted
    as independent.

    Args:
        value_P: One number per problem.
        address: Seeds the bootstrap; the same rows under the same address give the same interval.
        bounds: Between which every value must lie; then problems that are all alike leave the doubt
            of :func:`unseen_share`.
    """
    array_P = np.asarray(value_P, dtype=np.float64)
    mean = float(array_P.mean())
    if len(array_P) < 2:
        return Estimate(mean, None, None, "none: fewer than 2 problems")
    if bounds is not None and np.ptp(array_P) == 0:
        return _all_alike(mean, len(array_P), bounds, "problems")
    index_BP = generator("bootstrap", address).integers(0, len(array_P), (DRAWS, len(array_P)))
    return _percentiles(mean, array_P[index_BP].mean(axis=1), len(array_P), bounds)


def _percentiles(
    value: float, value_B: np.ndarray, count: int, bounds: tuple[float, float] | None
) -> Estimate:
    """The percentile interval, its deviations stretched for small samples by sqrt(n / (n - 1)) and
    t / z, and kept between the bounds.
    """
    quantile = (1 + LEVEL) / 2
    lower, upper = value + _stretch(count, count - 1) * (
        np.quantile(value_B, [1 - quantile, quantile]) - value
    )
    if bounds is not None:
        lower, upper = max(lower, bounds[0]), min(upper, bounds[1])
    return Estimate(value, float(lower), float(upper), f"bootstrap over {count} problems")


def _stretch(count: int, degrees: float) -> float:
    """By how much deviations of resamples of ``count`` units are too small: sqrt(n / (n - 1)) and t
    / z at so many degrees of freedom.
    """
    quantile = (1 + LEVEL) / 2
    return float(
        np.sqrt(count / (count - 1))
        * distributions.t.ppf(quantile, degrees)
        / distributions.norm.ppf(quantile)
    )


def ratio_over_problems(
    numerator_P: Sequence[float],
    denominator_P: Sequence[float],
    *,
    address: str,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Sum of numerators over sum of denominators with a percentile bootstrap over problems; draws
    with an empty denominator are left out.

    ``bounds`` as in :func:`mean_over_problems`, over the problems that have a denominator.

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
    if bounds is not None and np.ptp(ratio_P) == 0:
        return _all_alike(ratio, len(ratio_P), bounds, "problems")
    index_BP = generator("bootstrap", address).integers(0, len(top_P), (DRAWS, len(top_P)))
    top_B, bottom_B = top_P[index_BP].sum(axis=1), bottom_P[index_BP].sum(axis=1)
    return _percentiles(ratio, top_B[bottom_B > 0] / bottom_B[bottom_B > 0], len(top_P), bounds)


def curve_over_problems(
    value_PK: np.ndarray, *, address: str, bounds: tuple[float, float] | None = None
) -> list[Estimate]:
    """Mean over problems at each of K points, with a simultaneous band: the whole curve of means
    lies inside it 95 % of the time.

    Half width at k = q x standard error at k, where q is the 95 % quantile over resampled problems
    of max over k of |their mean - the mean| / their own standard error (the sup-t band,
    studentised: without that it holds skewed curves in 0.92 of studies). Points at which all
    problems are alike leave q alone; their width is 0, or with ``bounds`` the doubt of
    :func:`unseen_share`.

    Source:
        Montiel Olea and Plagborg-Moller 2019, Journal of Applied Econometrics 34(1), algorithm 2.
    """
    num_problems, num_points = value_PK.shape
    mean_K = value_PK.mean(axis=0)
    if num_problems < 2:
        return [Estimate(float(mean), None, None, "none: fewer than 2 problems") for mean in mean_K]
    varies_K = np.ptp(value_PK, axis=0) > 0
    error_K = value_PK.std(axis=0) / np.sqrt(num_problems)
    apart_BK = np.abs(_resampled_means(value_PK, address) - mean_K)
    square_BK = _resampled_means((value_PK - mean_K) ** 2, address) - apart_BK**2
    own_BK = np.sqrt(square_BK.clip(min=0) / num_problems)
    studentised_BK = np.divide(
        apart_BK, own_BK, out=np.zeros_like(apart_BK), where=own_BK > 1e-9 * (error_K + 1e-300)
    )
    half_K = np.quantile(studentised_BK[:, varies_K].max(axis=1, initial=0.0), LEVEL) * error_K
    text = f"sup-t band over {num_points} points, bootstrap over {num_problems} problems"
    return [
        Estimate(float(mean), float(mean - half), float(mean + half), text)
        if varies or bounds is None
        else _all_alike(float(mean), num_problems, bounds, "problems")
        for mean, half, varies in zip(mean_K, half_K, varies_K, strict=True)
    ]


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
    crossing_B = _first_fall(_resampled_means(value_PK, address), point_K)
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


def _resampled_means(value_PK: np.ndarray, address: str) -> np.ndarray:
    """Means (DRAWS, K) of problems drawn with replacement."""
    num_problems = len(value_PK)
    weight_BP = (
        generator("bootstrap", address).multinomial(
            num_problems, np.full(num_problems, 1 / num_problems), DRAWS
        )
        / num_problems
    )
    means_BK: np.ndarray = weight_BP @ value_PK
    return means_BK


def statistic_over_problems(
    num_problems: int,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    address: str,
    centred: bool = False,
    bounds: tuple[float, float] | None = None,
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
    weight_BP = generator("bootstrap", address).multinomial(
        num_problems, np.full(num_problems, 1 / num_problems), SLOW_DRAWS
    )
    value_B = statistic(weight_BP.astype(np.float64))
    value_B = value_B[~np.isnan(value_B)]
    if not len(value_B):
        return Estimate(value, None, None, "none: no resample of the problems has such a value")
    quantile, stretch = (1 + LEVEL) / 2, _stretch(num_problems, num_problems - 1)
    if centred:
        half, made = (
            stretch * distributions.norm.ppf(quantile) * value_B.std(),
            "bootstrap standard error",
        )
        lower, upper = value - half, value + half
    else:
        (lower, upper), made = (
            value + stretch * (np.quantile(value_B, [1 - quantile, quantile]) - value),
            "bootstrap",
        )
    lowest, highest = bounds or (-np.inf, np.inf)
    lower, upper = max(lowest, min(lower, value)), min(highest, max(upper, value))
    return Estimate(value, float(lower), float(upper), f"{made} over {num_problems} problems")


def paired_contrast(
    difference_SP: np.ndarray, *, address: str, bounds: tuple[float, float] | None = None
) -> Estimate:
    """Mean of paired differences over seeds S and problems P, with an interval that has both in it.

    All seeds meet the same held-out problems, so the design is crossed: seeds are resampled in the
    outer draw and problems, for all seeds alike, in the inner one (the pigeonhole bootstrap). Three
    seeds resampled are too tame, so the bootstrap's deviations are stretched by sqrt(S / (S - 1))
    and by t / z at Satterthwaite's degrees of freedom of the two-way layout; without the stretch,
    three seeds that alone differ are covered 0.74 of the time (simulated: 4,000 studies of 3 seeds
    x 64 problems), with it 0.946. Where the noise of single draws is most of the variance the
    interval is too wide (0.97 to 1.00): safe, at a price in power. With one column (a number per
    seed) it is the resampling of seeds alone; with one seed there is no interval. Where all
    differences are equal there is nothing to resample: between ``bounds``, the doubt of
    :func:`unseen_share` is left; without bounds, the interval is a point.

    Source:
        Owen 2007, arXiv:0712.1111 (pigeonhole bootstrap); Satterthwaite 1946.
    """
    num_seeds, num_problems = difference_SP.shape
    mean = float(difference_SP.mean())
    if num_seeds < 2:
        return Estimate(mean, None, None, "none: one seed says nothing about other seeds")
    if bounds is not None and np.ptp(difference_SP) == 0:
        return _all_alike(
            mean,
            *(
                (num_seeds, bounds, "seeds")
                if num_problems == 1
                else (num_problems, bounds, "problems")
            ),
        )
    random = generator("contrast", address)
    weight_BS = random.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), DRAWS) / num_seeds
    weight_BP = (
        random.multinomial(num_problems, np.full(num_problems, 1 / num_problems), DRAWS)
        / num_problems
    )
    mean_B = ((weight_BS @ difference_SP) * weight_BP).sum(axis=1)
    quantile = (1 + LEVEL) / 2
    stretch = _stretch(num_seeds, _satterthwaite_degrees(difference_SP))
    low, high = np.quantile(mean_B, [1 - quantile, quantile])
    return Estimate(
        mean,
        float(mean + stretch * (low - mean)),
        float(mean + stretch * (high - mean)),
        f"bootstrap over {num_seeds} seeds x {num_problems} problems, small-sample stretch "
        f"{stretch:.2f}",
    )


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


def _satterthwaite_degrees(value_SP: np.ndarray) -> float:
    """Degrees of freedom of the grand mean's variance in a two-way layout without replication."""
    num_seeds, num_problems = value_SP.shape
    mean = value_SP.mean()
    seed_S, problem_P = value_SP.mean(axis=1), value_SP.mean(axis=0)
    square_seed = num_problems * ((seed_S - mean) ** 2).sum() / (num_seeds - 1)
    if num_problems == 1:
        return float(num_seeds - 1)
    square_problem = num_seeds * ((problem_P - mean) ** 2).sum() / (num_problems - 1)
    rest_SP = value_SP - seed_S[:, None] - problem_P[None, :] + mean
    rest_degrees = (num_seeds - 1) * (num_problems - 1)
    square_rest = (rest_SP**2).sum() / rest_degrees
    # A variance component below zero is noise around zero; the sum stays at least the larger main
    # term's share.
    total = max(square_seed + square_problem - square_rest, square_seed, square_problem)
    scale = (
        square_seed**2 / (num_seeds - 1)
        + square_problem**2 / (num_problems - 1)
        + square_rest**2 / rest_degrees
    )
    return float(max(total**2 / scale, 1.0)) if scale > 0 else float(rest_degrees)


def smallest_visible(estimate: Estimate, margin: float) -> float | None:
    """Smallest true contrast that would have been called with 80 % power: margin + half width x (1
    + z(0.8) / z(0.975)).
    """
    if estimate.lower is None or estimate.upper is None:
        return None
    half = (estimate.upper - estimate.lower) / 2
    ratio = distributions.norm.ppf(POWER) / distributions.norm.ppf((1 + LEVEL) / 2)
    return float(abs(margin) + half * (1 + ratio))
