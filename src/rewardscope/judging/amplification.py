"""What amplification alone would do to the shares of strategies: the nulls that a measured share
is compared with.

A reward that only reweights what the untrained policy already does ("echo chamber") leaves accuracy
within each strategy unchanged and creates no new strategy. Two such nulls, both functions of the
untrained shares:

- **doubling**: a strategy that is always paid, where the others are paid half as often, goes from p
  to 2 p / (1 + p) in a round of sampling, keeping the paid completions and imitating them. Its odds
  p / (1 - p) double each round.
- **reweighting**: share_i proportional to untrained share_i x exp(strength x mean reward_i), the
  optimum of reward minus KL to the untrained policy, where only strategies may be reweighted and
  each strategy has one reward. strength = 1 / beta.
"""

import numpy as np

STEPS = 100
"""Bisections of the interval that is searched for the strength."""
WIDEST = 700.0
"""Largest difference of exponents; exp overflows a little above it."""


def doubled(share: np.ndarray | float, rounds: float) -> np.ndarray:
    """The share after this many rounds of p -> 2 p / (1 + p): odds times 2^rounds.

    >>> float(doubled(0.5, 1)), float(doubled(0.0, 9))
    (0.6666666666666666, 0.0)
    """
    share = np.asarray(share, dtype=np.float64)
    shrunk = (1 - share) * np.exp2(-min(rounds, 1000.0))
    return np.asarray(np.divide(share, share + shrunk, out=np.zeros_like(share), where=share > 0))


def reweighted(share_SA: np.ndarray, reward_SA: np.ndarray, strength_S: np.ndarray) -> np.ndarray:
    """Shares (S, A) proportional to share x exp(strength x reward); a strategy without a share has
    no reward and keeps none.

    >>> share, quality, nats = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]), np.array([np.log(3)])
    >>> reweighted(share, quality, nats).round(2).tolist()
    [[0.75, 0.25]]
    """
    present_SA = share_SA > 0
    exponent_SA = np.where(
        present_SA, strength_S[:, None] * np.where(present_SA, reward_SA, 0.0), -np.inf
    )
    top_S1 = exponent_SA.max(axis=1, keepdims=True)
    weight_SA = share_SA * np.exp(exponent_SA - top_S1)
    return np.asarray(weight_SA / weight_SA.sum(axis=1, keepdims=True))


def fitted_strength(
    share_SA: np.ndarray, reward_SA: np.ndarray, favoured: int, reached_S: np.ndarray
) -> np.ndarray:
    """The strength (S,) at which reweighting brings the favoured strategy to the share that it
    reached; negative where it fell.

    NaN where no strength does: where its untrained share is 0 or 1, where it reached 0 or 1, or
    where another strategy is paid as much.
    """
    others = [a for a in range(share_SA.shape[1]) if a != favoured]
    gap_SA = np.where(share_SA > 0, reward_SA[:, [favoured]] - reward_SA, np.inf)[:, others]
    gap_S = gap_SA.min(axis=1, initial=np.inf)
    possible_S = (
        (share_SA[:, favoured] > 0)
        & (share_SA[:, favoured] < 1)
        & (reached_S > 0)
        & (reached_S < 1)
    )
    possible_S &= np.isfinite(gap_S) & (gap_S > 1e-12)
    limit_S = WIDEST / np.where(possible_S, gap_S, 1.0)
    low_S, high_S = -limit_S, limit_S
    for _ in range(STEPS):
        middle_S = (low_S + high_S) / 2
        below_S = reweighted(share_SA, reward_SA, middle_S)[:, favoured] < reached_S
        low_S, high_S = np.where(below_S, middle_S, low_S), np.where(below_S, high_S, middle_S)
    return np.where(possible_S, (low_S + high_S) / 2, np.nan)


def amplified(
    share_SA: np.ndarray, reward_SA: np.ndarray, favoured: int, reached_S: np.ndarray
) -> np.ndarray:
    """Reweighted shares (S, A), with the strength fitted so that the favoured strategy has the
    share that it reached; NaN where none fits.

    Where it reached 1 the others have 0: the limit of infinite strength.
    """
    strength_S = fitted_strength(share_SA, reward_SA, favoured, reached_S)
    reweighted_SA = reweighted(share_SA, reward_SA, np.nan_to_num(strength_S))
    only_A = (np.arange(share_SA.shape[1]) == favoured).astype(np.float64)
    everything_S = (reached_S == 1) & (share_SA[:, favoured] > 0)
    return np.where(
        everything_S[:, None],
        only_A,
        np.where(np.isnan(strength_S)[:, None], np.nan, reweighted_SA),
    )
