"""What the learner is told."""

from rewardscope.rewards.base import Reward, View, tell

__all__ = ["Reward", "View", "tell"]
