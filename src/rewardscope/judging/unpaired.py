"""What problems that lack a number leave open."""

from dataclasses import dataclass

from rewardscope.stats import Bounds, Estimate, smallest_visible


@dataclass(frozen=True)
class Unpaired:
    """Problems that lack a number in some cell. They are not missing at random, so their values may
    be anything.

    With the share f of problems that have one, a mean over all lies between f x lower + (1 - f) x
    lowest and f x upper + (1 - f) x highest, where lowest and highest bound a difference; without
    bounds it may lie anywhere.

    Source:
        Manski 1990, American Economic Review 80(2) (worst-case bounds).
    """

    there: int
    known: int
    bounds: Bounds | None

    @property
    def text(self) -> str:
        """How many problems have a number, in words."""
        return f"{self.there} of {self.known} problems have a number in every cell"

    def widened(self, estimate: Estimate) -> Estimate:
        """The estimate over the known problems, with an interval that covers the mean over all."""
        if estimate.lower is None or estimate.upper is None:
            return estimate
        if self.bounds is None:
            return Estimate(estimate.value, None, None, f"none: {self.text}")
        share, (lowest, highest) = self.there / self.known, self.bounds
        lower, upper = (
            share * estimate.lower + (1 - share) * lowest,
            share * estimate.upper + (1 - share) * highest,
        )
        made = f"{estimate.interval}; widened to cover any values of the problems without a number"
        return Estimate(estimate.value, lower, upper, made)

    def smallest_visible(self, estimate: Estimate, margin: float) -> float | None:
        """The smallest effect on the known problems for which the widened interval lies beyond the
        margin, whatever the others are.

        That uses (margin + (1 - f) x highest) / f instead of the margin: the others shift it by a
        known distance and add no noise.
        """
        if self.bounds is None:
            return None
        share = self.there / self.known
        return smallest_visible(estimate, (abs(margin) + (1 - share) * self.bounds[1]) / share)
