"""Losses, what is trained beside the policy, and the optimizer step."""

from rewardscope.learner.companions import Companions
from rewardscope.learner.critic import Critic
from rewardscope.learner.implicit import ImplicitReward
from rewardscope.learner.learner import Learner
from rewardscope.learner.low_rank import LowRank, load_adapters, save_adapters
from rewardscope.learner.subnetwork import Subnetwork
from rewardscope.learner.teacher import Teacher

__all__ = [
    "Companions",
    "Critic",
    "ImplicitReward",
    "Learner",
    "LowRank",
    "Subnetwork",
    "Teacher",
    "load_adapters",
    "save_adapters",
]
