"""What the learner is told."""

from rewardscope.rewards.base import Reward, tell

__all__ = ["Reward", "tell"]
