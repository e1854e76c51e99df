"""Models: loading, sampling, scoring."""

from rewardscope.policy.policy import Policy
from rewardscope.policy.sampler import Sampling, sample
from rewardscope.policy.scoring import score

__all__ = ["Policy", "Sampling", "sample", "score"]
