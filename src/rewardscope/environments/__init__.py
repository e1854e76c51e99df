"""What is asked, and how it is checked."""

from rewardscope.environments.base import Environment, distinct, prove
from rewardscope.environments.regimes import Ranked, Regime, by_historical_variance

__all__ = ["Environment", "Ranked", "Regime", "by_historical_variance", "distinct", "prove"]
