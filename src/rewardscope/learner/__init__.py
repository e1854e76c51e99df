"""Losses and the optimizer step."""

from rewardscope.learner.policy_gradient import PolicyGradient, load_optimizer, save_optimizer

__all__ = ["PolicyGradient", "load_optimizer", "save_optimizer"]
