"""Resampling problems, by kind where there are many, and the doubt about kinds never met."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats as distributions

from rewardscope.seeds import generator
from rewardscope.stats.estimate import LEVEL, Bounds, Estimate

DRAWS = 4000
"""Bootstrap draws; the Monte Carlo error of a 2.5 % quantile is then about 3 % of the standard
error.
"""
SLOW_DRAWS = 1000
"""Bootstrap draws of statistics that are more than a mean."""
MANY = 4096
"""Up to so many problems each is resampled by itself. Above, problems with the same numbers are
resampled as one kind: how often a kind is drawn is multinomial in its share, so the interval has
the same distribution, though other digits, at the memory of the kinds instead of the problems.
"""
WEIGHTS = 1 << 24
"""Largest number of bootstrap weights held at once: 128 MiB."""
ROUNDING = 1e-9
"""Numbers that differ by less are alike: they are shares and means of shares."""


FEW = 8
"""With fewer problems that differ from the commonest number, a resample often has none of them, and
their spread says little.
"""


def few_apart(value_C: np.ndarray, count_C: np.ndarray | None = None) -> bool:
    """Whether fewer than :data:`FEW` problems differ from the commonest number, of kinds with so
    many problems each.
    """
    count_C = np.ones(len(value_C)) if count_C is None else count_C
    _, index_C = np.unique(np.round(value_C, 9), return_inverse=True)
    return bool(count_C.sum() - np.bincount(index_C.ravel(), weights=count_C).max() < FEW)


def alike(values: np.ndarray) -> bool:
    """Whether all numbers are equal but for rounding."""
    return bool(np.ptp(values) <= ROUNDING * max(1.0, float(np.abs(values).max())))


def stretch(count: int, degrees: float, level: float = LEVEL) -> float:
    """By how much deviations of resamples of ``count`` units are too small: sqrt(n / (n - 1)) and t
    / z at so many degrees of freedom.
    """
    quantile = (1 + level) / 2
    return float(
        np.sqrt(count / (count - 1))
        * distributions.t.ppf(quantile, degrees)
        / distributions.norm.ppf(quantile)
    )


def unseen_share(count: int, level: float = LEVEL) -> float:
    """Largest share that a kind of problem may have of which none is among ``count``: 1 - 0.025^(1
    / n) at the level 0.95.

    Source:
        Clopper and Pearson 1934, the upper limit for 0 of n; about 3.7 / n.

    >>> round(unseen_share(64), 3)
    0.056
    """
    return float(1 - ((1 - level) / 2) ** (1 / count))


def all_alike(
    value: float, count: int, bounds: Bounds, what: str, level: float = LEVEL
) -> Estimate:
    """The interval where a bootstrap has nothing to resample: a kind that was never met may stand
    at either bound.
    """
    share = unseen_share(count, level)
    lower, upper = (value + share * (bound - value) for bound in bounds)
    return Estimate(
        value,
        lower,
        upper,
        f"all {count} {what} alike; a kind met 0 times in {count} may be {share:.1%} of all",
    )


@dataclass(frozen=True)
class Unseen:
    """The doubt about kinds of problems that were never met, for a mean over problems.

    One pseudo-problem at the bound joins the P problems, and all P + 1 get Dirichlet(1, ..., 1)
    weights; the limits are quantiles of the weighted means. Where all problems are alike this is
    Clopper and Pearson's limit (:func:`unseen_share`), and one problem that differs does not make
    the doubt vanish. A bootstrap resamples only what was met: where one problem in a hundred is
    lost and none of 64 happens to be, it sees no loss at all.

    Source:
        Gaffke 2005, Journal of Statistical Planning and Inference 126(1); Learned-Miller and
        Thomas 2019, arXiv:1905.06208.
    """

    lower_B: np.ndarray
    """Weighted means with the pseudo-problem at the lower bound."""
    upper_B: np.ndarray

    @classmethod
    def of(
        cls,
        value_P: np.ndarray,
        bounds: Bounds,
        *,
        address: str,
        weight_P: np.ndarray | None = None,
    ) -> "Unseen":
        """That of one number per problem, each between the bounds.

        Args:
            value_P: The numbers.
            bounds: The least and the largest that a number can be.
            address: Seeds the weights.
            weight_P: How much each problem counts, such as a ratio's denominators; the
                pseudo-problem counts as much as the mean one.
        """
        weight_P = np.ones(len(value_P)) if weight_P is None else weight_P / weight_P.mean()
        kind_C2, count_C = _distinct(np.stack([value_P, weight_P], axis=1))
        random = generator("unseen kinds", address)
        sum_B, total_B = np.empty(DRAWS), np.empty(DRAWS)
        block = max(1, WEIGHTS // len(count_C))
        for start in range(0, DRAWS, block):
            rows = slice(start, min(start + block, DRAWS))
            weight_BC = kind_C2[:, 1] * random.standard_gamma(
                count_C.astype(np.float64), (rows.stop - start, len(count_C))
            )
            sum_B[rows], total_B[rows] = weight_BC @ kind_C2[:, 0], weight_BC.sum(axis=1)
        pseudo_B = random.standard_exponential(DRAWS)
        lower_B, upper_B = ((sum_B + pseudo_B * bound) / (total_B + pseudo_B) for bound in bounds)
        return cls(lower_B, upper_B)

    def widened(self, lower: float, upper: float, level: float = LEVEL) -> Bounds:
        """The interval, so wide that it holds this doubt at the level."""
        return (
            min(lower, float(np.quantile(self.lower_B, (1 - level) / 2))),
            max(upper, float(np.quantile(self.upper_B, (1 + level) / 2))),
        )


def by_kind(num_problems: int) -> bool:
    """Whether so many problems are resampled by kind."""
    return num_problems > MANY


def kinds(value_PK: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows (C, K) in ascending order and how many problems have each (C,); up to
    :data:`MANY` problems every problem is a kind of its own, in the given order.
    """
    if not by_kind(len(value_PK)):
        return value_PK, np.ones(len(value_PK))
    return _distinct(value_PK)


def _distinct(value_PK: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct rows in ascending order and how many there are of each."""
    rows = pl.from_numpy(value_PK)
    same = rows.group_by(pl.all()).len("problems of the kind").sort(rows.columns)
    return same.select(rows.columns).to_numpy(), same["problems of the kind"].to_numpy()


def drawn(random: np.random.Generator, count_C: np.ndarray, draws: int) -> Iterator[np.ndarray]:
    """How often each kind of problem was drawn with replacement, in blocks of draws (S, C) that
    hold at most :data:`WEIGHTS` numbers.
    """
    num_problems, rows = int(count_C.sum()), max(1, WEIGHTS // len(count_C))
    for start in range(0, draws, rows):
        yield random.multinomial(num_problems, count_C / num_problems, min(rows, draws - start))


def resampled_means(value_CK: np.ndarray, count_C: np.ndarray, address: str) -> np.ndarray:
    """Means (DRAWS, K) of problems drawn with replacement, of kinds with so many problems each."""
    blocks = drawn(generator("bootstrap", address), count_C, DRAWS)
    num_problems = int(count_C.sum())
    return np.concatenate([(weight_SC / num_problems) @ value_CK for weight_SC in blocks])
