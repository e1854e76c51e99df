"""What the learner is told."""

from rewardscope.protocols import Reward
from rewardscope.rewards.base import tell

__all__ = ["Reward", "tell"]
