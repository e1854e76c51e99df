"""From an interval to the outcome of a claim, and the error at which it is called."""

from collections.abc import Callable

from rewardscope.stats import EQUIVALENCE_LEVEL, LEVEL, Estimate, smallest_error
from rewardscope.types import Claim, Outcome


def decide(
    claim: Claim, estimate: Estimate, equivalence: Estimate | None = None
) -> tuple[Outcome, str]:
    """The outcome of the claim by its interval, and the reason in words.

    Args:
        claim: The claim.
        estimate: With the interval that decides.
        equivalence: With the interval that supports ``same``; None = that of ``estimate``. Two
            one-sided tests at 5 % read an interval at 90 %.
    """
    if estimate.lower is None or estimate.upper is None:
        return Outcome.UNDECIDED, estimate.interval
    lower, upper, margin = estimate.lower, estimate.upper, claim.margin
    if claim.expects == "same":
        return _decide_same(margin, (lower, upper), equivalence or estimate)
    if claim.expects == "less":
        lower, upper = -upper, -lower
    bound = f"-{margin:g}" if claim.expects == "less" and margin else f"{margin:g}"
    sides = ("below", "above") if claim.expects == "less" else ("above", "below")
    if lower > margin:
        return Outcome.SUPPORTED, f"the whole interval lies {sides[0]} {bound}"
    if upper < margin:
        return Outcome.REFUTED, f"the whole interval lies {sides[1]} {bound}"
    return Outcome.UNDECIDED, f"the interval contains {bound}"


def _decide_same(
    margin: float, interval: tuple[float, float], equivalence: Estimate
) -> tuple[Outcome, str]:
    """The outcome of a claim that two numbers are the same, within a margin."""
    lower, upper = interval
    inner = (equivalence.lower, equivalence.upper)
    if inner[0] is not None and inner[1] is not None and -margin < inner[0] <= inner[1] < margin:
        if -margin < lower and upper < margin:
            return Outcome.SUPPORTED, f"the whole interval lies within {margin:g} of 0"
        return Outcome.SUPPORTED, (
            f"the {EQUIVALENCE_LEVEL:.0%} interval [{inner[0]:+.3g}, {inner[1]:+.3g}] of two "
            f"one-sided tests lies within {margin:g} of 0"
        )
    if lower >= margin or upper <= -margin:
        return Outcome.REFUTED, f"the whole interval lies {margin:g} or more from 0"
    return Outcome.UNDECIDED, f"the interval reaches beyond {margin:g} from 0"


def error_of(claim: Claim, estimate: Callable[[float], Estimate]) -> float | None:
    """The smallest error at which the claim is called, supported or refuted; None without an
    interval.

    Args:
        claim: The claim.
        estimate: The estimate with its interval at a level.
    """
    if estimate(LEVEL).lower is None:
        return None

    def called(outcome: Outcome) -> float:
        return smallest_error(lambda made: decide(claim, made)[0] is outcome, estimate)

    supported = called(Outcome.SUPPORTED)
    if claim.expects == "same" and supported < 1:
        supported /= 2  # its two one-sided tests at 5 % are an interval at 90 %
    return min(supported, called(Outcome.REFUTED))
