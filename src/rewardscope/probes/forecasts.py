"""Forecasts and outcomes as sums per problem, so that every statistic of a resampled set of
problems is a product of matrices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVELS = 200
"""Forecasts are ranked into at most this many levels, for AUROC and risk at coverage."""
WIDTHS = 10
"""Bins of the calibration error as papers report it."""
LOWEST = 1e-6
"""Forecasts of the log score are kept this far from 0 and 1, where a wrong one would cost infinity.
"""


@dataclass(frozen=True)
class Forecasts:
    """Sums over the completions of each problem. Every method takes weights (S, P), how often each
    problem was drawn, and gives (S,).
    """

    sum_PB3: np.ndarray
    """Number, sum of forecasts, sum of outcomes by bin of equal mass."""
    total_P4: np.ndarray
    """Number, sum of (q - c)^2, sum of the log score in nats, sum of q - c."""
    level_PL2: np.ndarray
    """Right and wrong completions by level of forecast, lowest first."""
    width_PB3: np.ndarray
    """As ``sum_PB3``, by :data:`WIDTHS` bins of equal width."""

    @classmethod
    def of(cls, groups: Sequence[Sequence[tuple[float, bool]]], bins: int) -> "Forecasts":
        """From (forecast, outcome) per problem; bins are cut at quantiles of all forecasts, equal
        forecasts share a bin.
        """
        forecast_N = np.array([q for group in groups for q, _ in group])
        right_N = np.array([c for group in groups for _, c in group], dtype=np.float64)
        owner_N = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        bin_N, num_bins = _cut(forecast_N, bins)
        level_N, num_levels = _cut(forecast_N, LEVELS)
        sum_PB3, width_PB3 = (np.zeros((len(groups), many, 3)) for many in (num_bins, WIDTHS))
        each_N3 = np.stack([np.ones_like(right_N), forecast_N, right_N], axis=1)
        np.add.at(sum_PB3, (owner_N, bin_N), each_N3)
        width_N = (forecast_N * WIDTHS).astype(np.int64).clip(0, WIDTHS - 1)
        np.add.at(width_PB3, (owner_N, width_N), each_N3)
        safe_N = forecast_N.clip(LOWEST, 1 - LOWEST)
        log_N = right_N * np.log(safe_N) + (1 - right_N) * np.log1p(-safe_N)
        total_P4 = np.zeros((len(groups), 4))
        np.add.at(
            total_P4,
            owner_N,
            np.stack(
                [np.ones_like(right_N), (forecast_N - right_N) ** 2, log_N, forecast_N - right_N],
                axis=1,
            ),
        )
        level_PL2 = np.zeros((len(groups), num_levels, 2))
        np.add.at(level_PL2, (owner_N, level_N), np.stack([right_N, 1 - right_N], axis=1))
        return cls(sum_PB3, total_P4, level_PL2, width_PB3)

    def brier(self, weight_SP: np.ndarray) -> np.ndarray:
        """Mean of (q - c)^2."""
        return self._total_mean(weight_SP, 1)

    def log_score(self, weight_SP: np.ndarray) -> np.ndarray:
        """Mean of c log q + (1 - c) log(1 - q), in nats; 0 is perfect."""
        return self._total_mean(weight_SP, 2)

    def overconfidence(self, weight_SP: np.ndarray) -> np.ndarray:
        """Mean of q - c."""
        return self._total_mean(weight_SP, 3)

    def reliability(self, weight_SP: np.ndarray) -> np.ndarray:
        """Mean over bins of (mean q - mean c)^2."""
        share_SB, forecast_SB, right_SB = self._bins(weight_SP)
        return np.asarray((share_SB * (forecast_SB - right_SB) ** 2).sum(axis=1))

    def resolution(self, weight_SP: np.ndarray) -> np.ndarray:
        """Mean over bins of (mean c of the bin - mean c)^2."""
        share_SB, _, right_SB = self._bins(weight_SP)
        rate_S1 = (share_SB * right_SB).sum(axis=1, keepdims=True)
        return np.asarray((share_SB * (right_SB - rate_S1) ** 2).sum(axis=1))

    def uncertainty(self, weight_SP: np.ndarray) -> np.ndarray:
        """Variance of c: what a constant forecast at the rate pays."""
        share_SB, _, right_SB = self._bins(weight_SP)
        rate_S = (share_SB * right_SB).sum(axis=1)
        return np.asarray(rate_S * (1 - rate_S))

    def error_plug_in(self, weight_SP: np.ndarray) -> np.ndarray:
        """Sqrt of the reliability."""
        return np.asarray(np.sqrt(self.reliability(weight_SP)))

    def ece(self, weight_SP: np.ndarray) -> np.ndarray:
        """Mean over bins of equal width of |mean q - mean c|, weighted by completions: the expected
        calibration error as papers report it, biased upwards.

        Source:
            Damani et al. 2025, arXiv:2507.16806, appendix (10 bins, L1).
        """
        sum_SB3 = np.einsum("sp,pbc->sbc", weight_SP, self.width_PB3)
        apart_SB = np.abs(sum_SB3[:, :, 1] - sum_SB3[:, :, 2])
        return np.asarray(apart_SB.sum(axis=1) / sum_SB3[:, :, 0].sum(axis=1))

    def error_square(self, weight_SP: np.ndarray) -> np.ndarray:
        """The reliability minus what noise alone would add; may be below 0.

        The noise of a bin's mean residual is that of its problems as clusters: sum over problems of
        (R_p - n_p r)^2 / n^2, times clusters / (clusters - 1), with R_p and n_p the problem's sum
        of q - c and number in the bin and r the bin's mean residual.
        """
        number_PB, residual_PB = (
            self.sum_PB3[:, :, 0],
            self.sum_PB3[:, :, 1] - self.sum_PB3[:, :, 2],
        )
        count_SB, residual_SB = weight_SP @ number_PB, weight_SP @ residual_PB
        safe_SB = np.maximum(count_SB, 1e-12)
        mean_SB = residual_SB / safe_SB
        squares_SB = weight_SP @ residual_PB**2 - 2 * mean_SB * (
            weight_SP @ (residual_PB * number_PB)
        )
        squares_SB = squares_SB + mean_SB**2 * (weight_SP @ number_PB**2)
        clusters_SB = weight_SP @ (number_PB > 0)
        noise_SB = squares_SB / safe_SB**2 * clusters_SB / np.maximum(clusters_SB - 1, 1)
        share_SB = count_SB / count_SB.sum(axis=1, keepdims=True)
        square_S: np.ndarray = (share_SB * (mean_SB**2 - noise_SB)).sum(axis=1)
        return square_S

    def auroc(self, weight_SP: np.ndarray) -> np.ndarray:
        """Chance that a right completion has the higher forecast of the two, ties half; NaN where
        all or none are right.
        """
        level_SL2 = np.einsum("sp,plc->slc", weight_SP, self.level_PL2)
        right_SL, wrong_SL = level_SL2[:, :, 0], level_SL2[:, :, 1]
        below_SL = wrong_SL.cumsum(axis=1) - wrong_SL / 2
        pairs_S = right_SL.sum(axis=1) * wrong_SL.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((right_SL * below_SL).sum(axis=1) / pairs_S)

    def risk_area(self, weight_SP: np.ndarray) -> np.ndarray:
        """Mean share of wrong completions among the most confident x of all, over all x in (0, 1];
        completions of one level are added together.
        """
        level_SL2 = np.einsum("sp,plc->slc", weight_SP, self.level_PL2)[:, ::-1]
        count_SL, wrong_SL = level_SL2.sum(axis=2), level_SL2[:, :, 1]
        covered_SL = count_SL.cumsum(axis=1)
        risk_SL = wrong_SL.cumsum(axis=1) / np.maximum(covered_SL, 1e-12)
        return np.asarray((count_SL * risk_SL).sum(axis=1) / covered_SL[:, -1])

    def _total_mean(self, weight_SP: np.ndarray, column: int) -> np.ndarray:
        total_S4 = weight_SP @ self.total_P4
        return np.asarray(total_S4[:, column] / total_S4[:, 0])

    def _bins(self, weight_SP: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Share of completions, mean forecast, mean outcome (S, B); a bin that no drawn problem
        reaches has share 0.
        """
        sum_SB3 = np.einsum("sp,pbc->sbc", weight_SP, self.sum_PB3)
        count_SB = sum_SB3[:, :, 0]
        safe_SB = np.maximum(count_SB, 1e-12)
        return (
            count_SB / count_SB.sum(axis=1, keepdims=True),
            sum_SB3[:, :, 1] / safe_SB,
            sum_SB3[:, :, 2] / safe_SB,
        )


def _cut(forecast_N: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """Number of the bin of each forecast, and how many bins there are: every value its own where
    there are few, else equal mass.
    """
    values = np.unique(forecast_N)
    if len(values) > most:
        values = np.unique(
            np.quantile(forecast_N, np.linspace(0, 1, most + 1)[:-1], method="higher")
        )
    return np.searchsorted(values, forecast_N, side="right") - 1, len(values)
