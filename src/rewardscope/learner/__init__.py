"""Losses, what is trained beside the policy, and the optimizer step."""

from rewardscope.learner.companions import Companions
from rewardscope.learner.critic import Critic
from rewardscope.learner.implicit import ImplicitReward
from rewardscope.learner.policy_gradient import PolicyGradient

__all__ = ["Companions", "Critic", "ImplicitReward", "PolicyGradient"]
