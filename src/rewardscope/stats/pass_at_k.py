"""pass@k of one problem and of many, unbiased."""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from rewardscope.errors import ComponentError


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

    Exact where no draw is right (0), where fewer than k are wrong (1) and at k = 1 (c / n);
    elsewhere log C(n - c, k) - log C(n, k) from log-gamma, to about 1e-11.
    """
    n_P1 = np.asarray(count_P)[:, None].astype(np.float64)
    right_P1 = np.asarray(correct_P)[:, None].astype(np.float64)
    wrong_P1 = n_P1 - right_P1
    k_1K = np.asarray(k_K, dtype=np.float64)[None]
    with np.errstate(invalid="ignore", divide="ignore"):
        log_none_PK = (
            gammaln(wrong_P1 + 1)
            - gammaln(wrong_P1 - k_1K + 1)
            - gammaln(n_P1 + 1)
            + gammaln(n_P1 - k_1K + 1)
        )
        share_P1 = right_P1 / n_P1
    rate_PK = np.where(wrong_P1 < k_1K, 1.0, -np.expm1(log_none_PK))
    rate_PK = np.where(k_1K == 1, share_P1, np.where(right_P1 == 0, 0.0, rate_PK))
    return np.where(n_P1 < k_1K, np.nan, rate_PK)
