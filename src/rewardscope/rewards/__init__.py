"""What the learner is told."""

from rewardscope.protocols import Reward, View
from rewardscope.rewards.base import tell

__all__ = ["Reward", "View", "tell"]
