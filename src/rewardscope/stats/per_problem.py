"""One number per problem for statistics that are no mean over problems, so that two arms can be
paired by problem.
"""

from collections.abc import Callable

import numpy as np

MOST_PROBLEMS = 1024
"""Above, no numbers are made: leaving out each problem in turn costs their square."""


def ratio_values(top_P: np.ndarray, bottom_P: np.ndarray) -> np.ndarray:
    """A ratio of sums as a mean over problems: r + (top - r x bottom) / mean(bottom), with r = sum
    of tops / sum of bottoms. Their mean is r, and their spread is the ratio's, to first order. A
    single one may lie outside what a ratio can be.

    Source:
        Cochran 1977, Sampling Techniques, section 2.11 (linearised ratio).

    >>> ratio_values(np.array([1.0, 1.0]), np.array([1.0, 3.0])).tolist()
    [0.75, 0.25]
    """
    ratio = top_P.sum() / bottom_P.sum()
    return np.asarray(ratio + (top_P - ratio * bottom_P) / bottom_P.mean())


def pseudo_values(
    num_problems: int, statistic: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray | None:
    """Any statistic of P problems as a mean over them: P x it - (P - 1) x what it is without the
    problem, moved so that their mean is the statistic itself. None where it is not defined without
    some problem, or where there are fewer than 2 or more than :data:`MOST_PROBLEMS`.

    Args:
        num_problems: P.
        statistic: From weights (S, P) to (S,).

    Source:
        Tukey's jackknife pseudo-values; Efron and Tibshirani 1993, section 11.5.
    """
    if not 2 <= num_problems <= MOST_PROBLEMS:
        return None
    whole = float(statistic(np.ones((1, num_problems)))[0])
    without_P = statistic(np.ones((num_problems, num_problems)) - np.eye(num_problems))
    value_P = num_problems * whole - (num_problems - 1) * without_P
    if not np.isfinite(value_P).all():
        return None
    return np.asarray(value_P - value_P.mean() + whole)
