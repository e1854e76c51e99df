"""Models: loading, sampling, scoring."""

from rewardscope.policy.batches import pack
from rewardscope.policy.gap import sampler_gap
from rewardscope.policy.grams import gram_mask
from rewardscope.policy.local import LocalSampler
from rewardscope.policy.policy import Policy
from rewardscope.policy.sampler import Sampling, sample
from rewardscope.policy.scoring import score
from rewardscope.policy.turns import written

__all__ = [
    "LocalSampler",
    "Policy",
    "Sampling",
    "gram_mask",
    "pack",
    "sample",
    "sampler_gap",
    "score",
    "written",
]
