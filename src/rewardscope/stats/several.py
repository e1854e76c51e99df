"""Several claims of one study, and several seeds of one claim."""

from collections.abc import Sequence

import numpy as np
from scipy import stats as distributions

APART_LEVEL = 0.05
"""How often a seed among equals is named as one that stands apart."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given: for the i-th smallest of m, the largest of (m -
    j + 1) x p_(j) over j <= i, at most 1. Claims with an adjusted p-value of at most 0.05 hold
    together: the chance that any of them is false is at most 0.05, however they depend.

    Source:
        Holm 1979, Scandinavian Journal of Statistics 6(2).

    >>> round(holm([0.01, 0.04, 0.03])[0], 3), round(holm([0.01, 0.04, 0.03])[1], 3)
    (0.03, 0.06)
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def stands_apart(values: Sequence[float] | np.ndarray) -> int | None:
    """Index of the one value that is too far from the others to be one of them; None where there is
    none, or where fewer than four values allow no such call.

    Grubbs' two-sided test for one outlier at 5 %.

    Source:
        Grubbs 1950, Annals of Mathematical Statistics 21(1).
    """
    array = np.asarray(values, dtype=np.float64)
    count = len(array)
    if count < 4 or np.ptp(array) <= 1e-12:
        return None
    apart = np.abs(array - array.mean()) / array.std(ddof=1)
    t = distributions.t.ppf(1 - APART_LEVEL / (2 * count), count - 2)
    critical = (count - 1) / np.sqrt(count) * np.sqrt(t**2 / (count - 2 + t**2))
    return int(apart.argmax()) if apart.max() > critical else None


def interquartile_mean(values: Sequence[float] | np.ndarray) -> float:
    """Mean of the middle half: a quarter of the weight is cut from each end.

    Source:
        Agarwal et al. 2021, arXiv:2108.13264.

    >>> interquartile_mean([0, 1, 2, 9])
    1.5
    """
    array = np.sort(np.asarray(values, dtype=np.float64))
    edge = np.arange(len(array) + 1) / len(array)
    weight = np.clip(np.minimum(edge[1:], 0.75) - np.maximum(edge[:-1], 0.25), 0, None)
    return float((weight * array).sum() / weight.sum())


def chance_of_improvement(
    treatment: Sequence[float] | np.ndarray, control: Sequence[float] | np.ndarray
) -> float:
    """Share of pairs of a seed of each arm in which the treatment's number is larger, ties half.

    Source:
        Agarwal et al. 2021, arXiv:2108.13264, section 4.3 (probability of improvement).

    >>> chance_of_improvement([1, 2], [0, 2])
    0.625
    """
    apart = np.subtract.outer(np.asarray(treatment, float), np.asarray(control, float))
    return float((np.sign(np.round(apart, 12)).mean() + 1) / 2)
