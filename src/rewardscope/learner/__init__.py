"""Losses, what is trained beside the policy, and the optimizer step."""

from rewardscope.learner.companions import Companions
from rewardscope.learner.low_rank import load_adapters, save_adapters
from rewardscope.learner.optimizers import load_masters, save_masters

__all__ = ["Companions", "load_adapters", "load_masters", "save_adapters", "save_masters"]
