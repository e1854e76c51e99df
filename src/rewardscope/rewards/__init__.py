"""What the learner is told."""

from rewardscope.protocols import Reward, View
from rewardscope.rewards.base import tell
from rewardscope.rewards.state import Memory

__all__ = ["Memory", "Reward", "View", "tell"]
