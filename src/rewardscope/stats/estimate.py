"""What an estimate is, and what every interval aims at."""

from dataclasses import dataclass

from scipy import stats as distributions

LEVEL = 0.95
"""Coverage every interval aims at."""
EQUIVALENCE_LEVEL = 0.9
"""Coverage of the interval that two one-sided tests at 5 % read."""
POWER = 0.8
"""Chance of a call at the smallest visible effect."""
Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with the interval that its design allows."""

    value: float
    lower: float | None
    """None = this design gives no interval."""
    upper: float | None
    interval: str
    """How the interval was made."""

    def within(self, bounds: Bounds | None) -> "Estimate":
        """The same with an interval that does not reach past what is possible."""
        if bounds is None or self.lower is None or self.upper is None:
            return self
        return Estimate(
            self.value, max(self.lower, bounds[0]), min(self.upper, bounds[1]), self.interval
        )


def smallest_visible(estimate: Estimate, margin: float) -> float | None:
    """Smallest true contrast that would have been called with 80 % power: margin + half width x (1
    + z(0.8) / z(0.975)).
    """
    if estimate.lower is None or estimate.upper is None:
        return None
    half = (estimate.upper - estimate.lower) / 2
    ratio = distributions.norm.ppf(POWER) / distributions.norm.ppf((1 + LEVEL) / 2)
    return float(abs(margin) + half * (1 + ratio))
