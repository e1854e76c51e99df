"""What is asked, and how it is checked."""

from rewardscope.environments.base import Environment, prove
from rewardscope.environments.chain import Chain
from rewardscope.environments.clinic import Clinic
from rewardscope.environments.confident import Confident
from rewardscope.environments.gym import Gym
from rewardscope.environments.hinted import Hinted
from rewardscope.environments.paths import Paths
from rewardscope.environments.regimes import REGIMES, AllProblems, Curriculum, Pool, Ranked, Regime, by_historical_variance
from rewardscope.environments.sums import Sums

ENVIRONMENTS: dict[str, type[Environment]] = {cls.__name__: cls for cls in (Chain, Sums, Gym, Clinic, Confident, Paths, Hinted)}
"""Every environment there is, by name."""

__all__ = [
    "ENVIRONMENTS",
    "REGIMES",
    "AllProblems",
    "Chain",
    "Clinic",
    "Confident",
    "Curriculum",
    "Environment",
    "Gym",
    "Hinted",
    "Paths",
    "Pool",
    "Ranked",
    "Regime",
    "Sums",
    "by_historical_variance",
    "prove",
]
