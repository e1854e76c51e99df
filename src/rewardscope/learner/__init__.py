"""Losses, what is trained beside the policy, and the optimizer step."""

from rewardscope.learner.companions import Companions
from rewardscope.learner.low_rank import load_adapters, save_adapters

__all__ = ["Companions", "load_adapters", "save_adapters"]
