"""What a policy solves within k draws, from counts of right draws alone: no model, no torch."""

from rewardscope.boundary.comparison import CLASSES, Frontier, Standing, frontier
from rewardscope.boundary.draws import Draws, powers_of_two, read_draws, verdicts

__all__ = ["CLASSES", "Draws", "Frontier", "Standing", "frontier", "powers_of_two", "read_draws", "verdicts"]
