"""What is asked, and how it is checked."""

from rewardscope.environments.base import Environment, content_id, distinct, draw, prove
from rewardscope.environments.regimes import Ranked, Regime, by_historical_variance

__all__ = [
    "Environment",
    "Ranked",
    "Regime",
    "by_historical_variance",
    "content_id",
    "distinct",
    "draw",
    "prove",
]
