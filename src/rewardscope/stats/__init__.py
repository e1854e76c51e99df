"""Estimates and their intervals; every random draw is seeded by address, so the same rows give the
same interval.
"""

from rewardscope.stats.contrast import (
    Contrast,
    Squares,
    fewest_problems,
    paired_contrast,
    smallest_error,
)
from rewardscope.stats.curves import crossing_over_problems, curve_over_problems
from rewardscope.stats.estimate import (
    EQUIVALENCE_LEVEL,
    LEVEL,
    POWER,
    Bounds,
    Estimate,
    smallest_visible,
)
from rewardscope.stats.pass_at_k import pass_at_k, pass_at_ks
from rewardscope.stats.per_problem import pseudo_values, ratio_values
from rewardscope.stats.problems import (
    mean_over_pairs,
    mean_over_problems,
    ratio_over_problems,
    statistic_over_problems,
)
from rewardscope.stats.resampling import DRAWS, unseen_share
from rewardscope.stats.several import (
    chance_of_improvement,
    holm,
    interquartile_mean,
    stands_apart,
)

__all__ = [
    "DRAWS",
    "EQUIVALENCE_LEVEL",
    "LEVEL",
    "POWER",
    "Bounds",
    "Contrast",
    "Estimate",
    "Squares",
    "chance_of_improvement",
    "crossing_over_problems",
    "curve_over_problems",
    "fewest_problems",
    "holm",
    "interquartile_mean",
    "mean_over_pairs",
    "mean_over_problems",
    "paired_contrast",
    "pass_at_k",
    "pass_at_ks",
    "pseudo_values",
    "ratio_over_problems",
    "ratio_values",
    "smallest_error",
    "smallest_visible",
    "stands_apart",
    "statistic_over_problems",
    "unseen_share",
]
