"""What a policy solves within k draws, from counts of right draws alone: no model, no torch."""

from rewardscope.judging.boundary.comparison import CLASSES, Frontier, Standing, frontier
from rewardscope.judging.boundary.tally import Tally, powers_of_two, read_tallies, verdicts

__all__ = [
    "CLASSES",
    "Frontier",
    "Standing",
    "Tally",
    "frontier",
    "powers_of_two",
    "read_tallies",
    "verdicts",
]
