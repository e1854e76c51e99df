"""What the learner is told."""

from rewardscope.rewards.base import Reward, tell
from rewardscope.rewards.coin import Coin
from rewardscope.rewards.form import Form
from rewardscope.rewards.inverted import Inverted
from rewardscope.rewards.truth import Truth

REWARDS: dict[str, type[Reward]] = {cls.__name__: cls for cls in (Truth, Coin, Inverted, Form)}
"""Every reward scheme there is, by name."""

__all__ = ["REWARDS", "Coin", "Form", "Inverted", "Reward", "Truth", "tell"]
