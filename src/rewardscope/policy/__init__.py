"""Models: loading, sampling, scoring."""

from rewardscope.policy.batches import pack
from rewardscope.policy.grams import gram_mask
from rewardscope.policy.local import LocalSampler
from rewardscope.policy.placement import Placement
from rewardscope.policy.policy import Policy
from rewardscope.policy.precision import Precision
from rewardscope.policy.sampler import Sampling, sample
from rewardscope.policy.scoring import score
from rewardscope.policy.turns import written

__all__ = [
    "LocalSampler",
    "Placement",
    "Policy",
    "Precision",
    "Sampling",
    "gram_mask",
    "pack",
    "sample",
    "score",
    "written",
]
