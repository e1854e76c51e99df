"""Where a curve over training steps bends, and whether a smooth curve with noise that lingers from
step to step looks as bent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats as distributions

from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.stats import LEVEL, Estimate

FEWEST = 8
"""The fewest steps in which a bend can be found."""
MARGIN = 2
"""Steps at either end that a bend cannot lie in: a line needs two."""
GRID = 8
"""Candidate positions per step."""
DRAWS = 499
"""Curves drawn for a test, and for an interval."""
RATES = np.geomspace(0.05, 3.0, 25)
"""Time constants of the exponentials, as shares of the run."""
WIDTHS = np.geomspace(0.2, 0.4, 4)
"""Widths of the sigmoids, as shares of the run. Steeper ones level off within a few steps."""
MIDDLES = np.linspace(0.0, 1.0, 21)
"""Where the sigmoids are steepest."""
CORRELATIONS = np.array([*np.linspace(-0.9, 0.9, 19), 0.95, 0.99])
"""Lag-1 correlations of the noise that are considered; 0.99 is a random walk at these lengths."""


@dataclass(frozen=True)
class Bend:
    """The fit of two straight pieces that meet, and whether a smooth curve would do."""

    place: Estimate
    """Step at which the two pieces meet, bent or not."""
    before: float
    """Slope per step of the first piece."""
    after: float
    smooth: float
    """Largest share, over the smooth families, of their curves with this curve's noise that favour
    a bend as much.
    """
    draw_B: np.ndarray
    """Position of the bend in curves made of the fit and noise drawn anew."""

    @property
    def step(self) -> Estimate | None:
        """Where the curve bends; None = some smooth curve with the same noise looks as bent in more
        than 5 % of draws.
        """
        return self.place if self.smooth <= 1 - LEVEL else None


@dataclass(frozen=True)
class Family:
    """Curves that are linear in all but one parameter, which is searched over a grid."""

    basis_CTJ: np.ndarray
    """Orthonormal columns by candidate."""

    @classmethod
    def of(cls, columns: Sequence[np.ndarray]) -> "Family":
        """The family of the given columns (T, J), one set per candidate."""
        return cls(np.stack([np.linalg.qr(columns_TJ)[0] for columns_TJ in columns]))

    def fitted(self, value_BT: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Index of the best candidate (B,), and the squares that it leaves (B,)."""
        taken_BC = np.zeros((len(value_BT), len(self.basis_CTJ)))
        for basis_CT in np.moveaxis(self.basis_CTJ, 2, 0):
            part_BC = value_BT @ basis_CT.T
            taken_BC += np.square(part_BC, out=part_BC)
        total_B = (value_BT**2).sum(axis=1)
        exact_B = 1e-12 * total_B + 1e-300
        return taken_BC.argmax(axis=1), np.maximum(total_B - taken_BC.max(axis=1), exact_B)

    def curve(self, value_T: np.ndarray, candidate: int) -> np.ndarray:
        """Least-squares fit of one candidate (T,)."""
        basis_TJ = self.basis_CTJ[candidate]
        return np.asarray(basis_TJ @ (basis_TJ.T @ value_T))


@lru_cache(maxsize=8)
def _hinges(steps: tuple[float, ...]) -> tuple[Family, np.ndarray]:
    """Two lines that meet, and where (C,)."""
    t_T = np.asarray(steps)
    inside = t_T[MARGIN : len(t_T) - MARGIN]
    place_C = np.interp(
        np.linspace(0, len(inside) - 1, GRID * (len(inside) - 1) + 1),
        np.arange(len(inside)),
        inside,
    )
    one_T = np.ones_like(t_T)
    hinges = [np.column_stack([one_T, t_T, np.maximum(t_T - place, 0)]) for place in place_C]
    return Family.of(hinges), place_C


@lru_cache(maxsize=8)
def _smooth(steps: tuple[float, ...]) -> tuple[Family, ...]:
    """A parabola; an exponential that settles or takes off; a line with such an exponential, which
    has as many parameters as two lines that meet; and a sigmoid.
    """
    t_T = np.asarray(steps)
    u_T = (t_T - t_T[0]) / (t_T[-1] - t_T[0])
    one_T = np.ones_like(t_T)
    bent = [np.exp(-way_T / rate) for way_T in (u_T, 1 - u_T) for rate in RATES]
    grown = [1 / (1 + np.exp((at - u_T) / width)) for at in MIDDLES for width in WIDTHS]
    return (
        Family.of([np.column_stack([one_T, u_T, u_T**2])]),
        Family.of([np.column_stack([one_T, bent_T]) for bent_T in bent]),
        Family.of([np.column_stack([one_T, u_T, bent_T]) for bent_T in bent]),
        Family.of([np.column_stack([one_T, grown_T]) for grown_T in grown]),
    )


@dataclass(frozen=True)
class Noise:
    """Noise of a curve whose lag-1 correlation is known up to a likelihood."""

    weight_R: np.ndarray
    """Restricted likelihood of each of ``CORRELATIONS``, summing to 1."""
    scale_R: np.ndarray
    """Standard deviation of the noise at each."""

    @classmethod
    def of(cls, value_T: np.ndarray, basis_TJ: np.ndarray, searched: int) -> "Noise":
        """What a fit leaves, as first-order autoregression. The restricted likelihood allows for
        what the fit itself took out, which would bias the correlation towards 0.

        Args:
            value_T: The curve.
            basis_TJ: Columns of the fit; may depend on each other.
            searched: Parameters found by search, beside the columns.

        Source:
            Patterson and Thompson 1971, Biometrika 58(3).
        """
        left_TJ, size_J, _ = np.linalg.svd(basis_TJ, full_matrices=False)
        x_TJ = left_TJ[:, size_J > 1e-6 * size_J[0]]
        free = len(value_T) - x_TJ.shape[1]
        _, inverse_RTT, logdet_R = _correlated(len(value_T))
        within_RJJ = x_TJ.T @ inverse_RTT @ x_TJ
        cross_RJ = np.einsum("rjt,t->rj", x_TJ.T @ inverse_RTT, value_T)
        taken_R = (cross_RJ * np.linalg.solve(within_RJJ, cross_RJ[..., None])[..., 0]).sum(axis=1)
        rest_R = np.maximum((inverse_RTT @ value_T) @ value_T - taken_R, 1e-300)
        log_R = -0.5 * (logdet_R + np.linalg.slogdet(within_RJJ)[1] + free * np.log(rest_R))
        weight_R = np.exp(log_R - log_R.max())
        return cls(weight_R / weight_R.sum(), np.sqrt(rest_R / max(1, free - searched)))

    def drawn(self, random: np.random.Generator, steps: int) -> np.ndarray:
        """Noise (DRAWS, T): a correlation by its likelihood for each, then Gaussian steps."""
        root_RTT, _, _ = _correlated(steps)
        index_B = random.choice(len(CORRELATIONS), size=DRAWS, p=self.weight_R)
        noise_BT = random.normal(size=(DRAWS, steps))
        for index in np.unique(index_B):
            chosen_B = index_B == index
            noise_BT[chosen_B] = self.scale_R[index] * noise_BT[chosen_B] @ root_RTT[index].T
        return noise_BT


@lru_cache(maxsize=8)
def _correlated(steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By correlation: a root of the correlation matrix of a curve, its inverse, its log
    determinant.
    """
    apart_TT = np.abs(np.subtract.outer(np.arange(steps), np.arange(steps)))
    sign_R, size_R = np.sign(CORRELATIONS), np.abs(CORRELATIONS)
    one_RTT = (size_R[:, None, None] ** apart_TT) * np.where(
        apart_TT % 2, sign_R[:, None, None], 1.0
    )
    one_RTT[size_R == 0] = np.eye(steps)
    return np.linalg.cholesky(one_RTT), np.linalg.inv(one_RTT), np.linalg.slogdet(one_RTT)[1]


def bend(step_T: Sequence[float], value_T: Sequence[float] | np.ndarray, address: str) -> Bend:
    """Where a curve bends: the least-squares fit of two lines that meet, over a grid of positions.

    There is a bend if the two lines fit better than each smooth family (a parabola, exponentials, a
    line with an exponential, sigmoids), by a larger ratio of squares than in 95 % of the curves
    that are that family's fit with noise. The noise is a first-order autoregression; each draw
    takes its correlation from the restricted likelihood given both fits together, so that what is
    unknown about it counts.
    The interval comes from the two lines with such noise. A sigmoid that rises within a few steps
    is called bent: it levels off at a step.

    Raises:
        ComponentError: If there are fewer than 8 steps.

    Source:
        Hinkley 1971, JASA 66(336) (two-phase regression); Cox 1962, JRSS B 24(2) (families that do
            not contain each other, by the ratio of their fits). The families are ours.
    """
    y_T = np.asarray(value_T, dtype=np.float64)
    if len(y_T) < FEWEST or not np.isfinite(y_T).all():
        raise ComponentError(
            "Too few steps for a bend", value=f"{len(y_T)} steps, {int((~np.isfinite(y_T)).sum())} "
                                          "unknown", allowed=f"{FEWEST} known or more",
            do="Train longer",
        )  # fmt: skip
    steps = tuple(float(step) for step in step_T)
    hinges, place_C = _hinges(steps)
    random = generator("bend", address)
    y_T = y_T - y_T.mean()
    best, rest = (array_B[0] for array_B in hinges.fitted(y_T[None]))
    shares = []
    for family in _smooth(steps):
        index, rest_smooth = (array_B[0] for array_B in family.fitted(y_T[None]))
        both_TJ = np.hstack([hinges.basis_CTJ[best], family.basis_CTJ[index]])
        noise_BT = Noise.of(y_T, both_TJ, 0).drawn(random, len(y_T))
        drawn_BT = family.curve(y_T, index) + noise_BT
        ratio_B = family.fitted(drawn_BT)[1] / hinges.fitted(drawn_BT)[1]
        shares.append((1 + int((ratio_B >= rest_smooth / rest).sum())) / (DRAWS + 1))
    noise_BT = Noise.of(y_T, hinges.basis_CTJ[best], 1).drawn(random, len(y_T))
    draw_B = place_C[hinges.fitted(hinges.curve(y_T, best) + noise_BT)[0]]
    place = float(place_C[best])
    t_T = np.asarray(steps)
    columns = np.column_stack([np.ones_like(t_T), t_T, np.maximum(t_T - place, 0)])
    _, before, more = np.linalg.lstsq(columns, y_T, rcond=None)[0]
    found = interval(place, draw_B, t_T)
    return Bend(found, float(before), float(before + more), max(shares), draw_B)


def interval(value: float, draw_B: np.ndarray, step_T: Sequence[int] | np.ndarray) -> Estimate:
    """Percentiles, their deviations stretched by t / z for the curve's few steps, and half a grid
    cell wider on either side.
    """
    quantile, count = (1 + LEVEL) / 2, len(step_T)
    stretch = distributions.t.ppf(quantile, count - 4) / distributions.norm.ppf(quantile)
    cell = float(np.diff(step_T).mean()) / GRID / 2
    lower, upper = value + stretch * (np.quantile(draw_B, [1 - quantile, quantile]) - value)
    how = f"noise of {count} steps drawn anew, correlated as it may be"
    return Estimate(value, min(value, float(lower)) - cell, max(value, float(upper)) + cell, how)
