"""What is asked, and how it is checked."""

from rewardscope.environments.base import Environment, distinct
from rewardscope.environments.proof import Proof, prove
from rewardscope.environments.regimes import Ranked, Regime, by_historical_variance

__all__ = [
    "Environment",
    "Proof",
    "Ranked",
    "Regime",
    "by_historical_variance",
    "distinct",
    "prove",
]
