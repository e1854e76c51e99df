"""Paired differences over seeds and problems."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats as distributions

from rewardscope.seeds import generator
from rewardscope.stats.estimate import LEVEL, Bounds, Estimate
from rewardscope.stats.resampling import (
    DRAWS,
    Unseen,
    alike,
    all_alike,
    drawn,
    few_apart,
    kinds,
    stretch,
    unseen_share,
)

SMALLEST_ERROR, LARGEST_ERROR = 1e-6, 0.999
BISECTIONS = 24
"""Of the error's logarithm; the last step is 1e-6 of it."""
ENOUGH_SEEDS = 5
"""From so many on the analysis of variance is used; with fewer it covers too seldom (simulated)."""


@dataclass(frozen=True)
class Contrast:
    """Paired differences of two arms, from which intervals at any level are made.

    All seeds meet the same held-out problems, so the design is crossed: both seeds and problems are
    a sample. From :data:`ENOUGH_SEEDS` on the interval is mean +- t x sqrt(T / (S P)) with T =
    max(MS_seeds + MS_problems - MS_rest, MS_seeds, MS_problems), the two-way analysis of variance
    with one number per cell, and Satterthwaite's degrees of freedom of T. With fewer seeds it is
    the pigeonhole bootstrap: seeds are resampled in the outer draw and problems, for all seeds
    alike, in the inner one, and the deviations are stretched by sqrt(S / (S - 1)) and by t / z at
    the same degrees.

    Between bounds the interval also holds the doubt about kinds of problems that were never met
    (:class:`Unseen`), at the level or at 95 %, whichever is more: where few problems differ from
    the rest (:func:`few_apart`), and always where the contrast is to show that nothing changed. A
    problem in a hundred that is lost outright, and is not among 64, leaves no trace in any
    spread. With one column (a number per seed) the problems are those of the study, and only
    seeds are a sample. One seed gives no interval.

    Source:
        Owen 2007, arXiv:0712.1111 (pigeonhole bootstrap); Satterthwaite 1946, Biometrics Bulletin
        2(6).
    """

    difference_SP: np.ndarray
    address: str
    """Seeds the resampling: the same rows under the same address give the same interval."""
    bounds: Bounds | None = None
    shows_none: bool = False
    """Whether it is to show that there is no difference."""

    @property
    def value(self) -> float:
        """The mean."""
        return float(self.difference_SP.mean())

    def estimate(self, level: float = LEVEL) -> Estimate:
        """The mean with an interval at the level."""
        num_seeds, num_problems = self.difference_SP.shape
        if num_seeds < 2:
            return Estimate(self.value, None, None, "none: one seed says nothing about other seeds")
        if self.bounds is not None and alike(self.difference_SP):
            units = (num_seeds, "seeds") if num_problems == 1 else (num_problems, "problems")
            return all_alike(self.value, units[0], self.bounds, units[1], max(level, LEVEL))
        if num_seeds >= ENOUGH_SEEDS:
            lower, upper = self._by_variance(level)
            made = (
                f"analysis of variance, {num_seeds} seeds x {num_problems} problems, "
                f"{self.degrees:.1f} degrees of freedom"
            )
        else:
            lower, upper = self._by_resampling(level)
            wider = stretch(num_seeds, self.degrees, level)
            made = (
                f"bootstrap over {num_seeds} seeds x {num_problems} problems, small-sample stretch "
                f"{wider:.2f}"
            )
        if self._unseen is not None:
            lower, upper = self._unseen.widened(lower, upper, max(level, LEVEL))
        return Estimate(self.value, lower, upper, made)

    def _by_variance(self, level: float) -> Bounds:
        num_seeds, num_problems = self.difference_SP.shape
        error = np.sqrt(self._squares.total / (num_seeds * num_problems))
        half = float(distributions.t.ppf((1 + level) / 2, self.degrees) * error)
        return self.value - half, self.value + half

    def _by_resampling(self, level: float) -> Bounds:
        quantile = (1 + level) / 2
        low, high = np.quantile(self._resampled_B, [1 - quantile, quantile])
        wider = stretch(len(self.difference_SP), self.degrees, level)
        return (
            float(self.value + wider * (low - self.value)),
            float(self.value + wider * (high - self.value)),
        )

    @cached_property
    def _resampled_B(self) -> np.ndarray:
        """Means over seeds and problems drawn with replacement."""
        num_seeds, num_problems = self.difference_SP.shape
        random = generator("contrast", self.address)
        weight_BS = (
            random.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), DRAWS) / num_seeds
        )
        kind_CS, count_C = kinds(self.difference_SP.T)
        mean_B, start = np.empty(DRAWS), 0
        for weight_SC in drawn(random, count_C, DRAWS):
            rows = slice(start, start + len(weight_SC))
            share_SC = weight_SC / num_problems
            mean_B[rows] = ((weight_BS[rows] @ kind_CS.T) * share_SC).sum(axis=1)
            start = rows.stop
        return mean_B

    @cached_property
    def _unseen(self) -> Unseen | None:
        """The doubt about kinds of problems that were never met; None where there is none."""
        if self.bounds is None or self.difference_SP.shape[1] == 1:
            return None
        mean_P = self.difference_SP.mean(axis=0)
        if not self.shows_none and not few_apart(mean_P):
            return None
        return Unseen.of(mean_P, self.bounds, address=self.address)

    @cached_property
    def _squares(self) -> "Squares":
        return Squares.of(self.difference_SP)

    @property
    def degrees(self) -> float:
        """Degrees of freedom of the mean's variance."""
        return self._squares.degrees


@dataclass(frozen=True)
class Squares:
    """Mean squares of a two-way layout with one number per cell."""

    seeds: float
    problems: float
    """0 with one problem."""
    rest: float
    num_seeds: int
    num_problems: int

    @classmethod
    def of(cls, value_SP: np.ndarray) -> "Squares":
        """Those of a table."""
        num_seeds, num_problems = value_SP.shape
        mean = value_SP.mean()
        seed_S, problem_P = value_SP.mean(axis=1), value_SP.mean(axis=0)
        square_seed = num_problems * ((seed_S - mean) ** 2).sum() / (num_seeds - 1)
        if num_problems == 1:
            return cls(float(square_seed), 0.0, 0.0, num_seeds, 1)
        square_problem = num_seeds * ((problem_P - mean) ** 2).sum() / (num_problems - 1)
        rest_SP = value_SP - seed_S[:, None] - problem_P[None, :] + mean
        square_rest = (rest_SP**2).sum() / ((num_seeds - 1) * (num_problems - 1))
        found = (float(square_seed), float(square_problem), float(square_rest))
        return cls(*found, num_seeds, num_problems)

    @property
    def total(self) -> float:
        """S x P times the variance of the grand mean.

        A variance component below zero is noise around zero: the sum stays at least the larger main
        term's share.
        """
        return max(self.seeds + self.problems - self.rest, self.seeds, self.problems)

    @property
    def degrees(self) -> float:
        """Satterthwaite's degrees of freedom of ``total``; at least 1."""
        if self.num_problems == 1:
            return float(self.num_seeds - 1)
        rest_degrees = (self.num_seeds - 1) * (self.num_problems - 1)
        scale = (
            self.seeds**2 / (self.num_seeds - 1)
            + self.problems**2 / (self.num_problems - 1)
            + self.rest**2 / rest_degrees
        )
        return float(max(self.total**2 / scale, 1.0)) if scale > 0 else float(rest_degrees)


def paired_contrast(
    difference_SP: np.ndarray, *, address: str, bounds: Bounds | None = None
) -> Estimate:
    """Mean of paired differences over seeds S and problems P with the 95 % interval of
    :class:`Contrast`.
    """
    return Contrast(difference_SP, address, bounds).estimate()


def smallest_error(
    decides: Callable[[Estimate], bool], estimate: Callable[[float], Estimate]
) -> float:
    """The smallest error 1 - level at which the interval decides, between 1e-6 and 1: the p-value
    that belongs to the interval. 1 = it decides at no level.

    Args:
        decides: Whether an estimate's interval decides; a narrower one decides whenever a wider one
            does.
        estimate: The estimate with its interval at a level.
    """
    low, high = SMALLEST_ERROR, LARGEST_ERROR
    if not decides(estimate(1 - high)):
        return 1.0
    if decides(estimate(1 - low)):
        return low
    for _ in range(BISECTIONS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if decides(estimate(1 - middle)) else (middle, high)
    return high


def fewest_problems(margin: float) -> int:
    """Problems without which no outcome shows that a share moves by less than the margin: where all
    are alike, :func:`unseen_share` of them may still have moved by 1.

    >>> fewest_problems(0.02), fewest_problems(0.01)
    (183, 368)
    """
    tail = (1 - LEVEL) / 2
    fewest = int(np.ceil(np.log(tail) / np.log1p(-margin)))
    return fewest if unseen_share(fewest) < margin else fewest + 1
