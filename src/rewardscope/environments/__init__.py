"""What is asked, and how it is checked."""

from rewardscope.environments.base import content_id, distinct, draw
from rewardscope.environments.proof import Proof, prove
from rewardscope.environments.regimes import Ranked, by_historical_variance
from rewardscope.protocols import Environment

__all__ = [
    "Environment",
    "Proof",
    "Ranked",
    "by_historical_variance",
    "content_id",
    "distinct",
    "draw",
    "prove",
]
