"""What is asked, and how it is checked."""

from rewardscope.environments.base import content_id, distinct, draw, prove
from rewardscope.environments.regimes import Ranked, by_historical_variance
from rewardscope.protocols import Environment

__all__ = [
    "Environment",
    "Ranked",
    "by_historical_variance",
    "content_id",
    "distinct",
    "draw",
    "prove",
]
