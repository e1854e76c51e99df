"""What is asked, and how it is checked."""

from rewardscope.environments.base import Environment, distinct, prove
from rewardscope.environments.chain import Chain
from rewardscope.environments.clinic import Clinic
from rewardscope.environments.code import Code
from rewardscope.environments.composition import Composition
from rewardscope.environments.confident import Confident
from rewardscope.environments.countdown import Countdown
from rewardscope.environments.graph import Graph
from rewardscope.environments.gym import Gym
from rewardscope.environments.hinted import Hinted
from rewardscope.environments.house import House, HouseInWords
from rewardscope.environments.loophole import Loophole
from rewardscope.environments.nest import Nest
from rewardscope.environments.paths import Paths
from rewardscope.environments.regimes import (
    REGIMES,
    AllProblems,
    Curriculum,
    Pool,
    Ranked,
    Regime,
    by_historical_variance,
)
from rewardscope.environments.reserved import Reserved
from rewardscope.environments.rules import Rules
from rewardscope.environments.sensors import Sensors
from rewardscope.environments.sums import Sums

ENVIRONMENTS: dict[str, type[Environment]] = {
    cls.__name__: cls
    for cls in (
        Chain,
        Nest,
        Paths,
        Sensors,
        Hinted,
        House,
        Rules,
        Sums,
        Gym,
        Clinic,
        Code,
        Countdown,
        Composition,
        Graph,
        HouseInWords,
        Loophole,
        Confident,
        Reserved,
    )
}
"""Every environment there is, by name: those of the organisms first, then those in words."""

__all__ = [
    "ENVIRONMENTS",
    "REGIMES",
    "AllProblems",
    "Chain",
    "Clinic",
    "Code",
    "Composition",
    "Confident",
    "Countdown",
    "Curriculum",
    "Environment",
    "Graph",
    "Gym",
    "Hinted",
    "House",
    "HouseInWords",
    "Loophole",
    "Nest",
    "Paths",
    "Pool",
    "Ranked",
    "Regime",
    "Reserved",
    "Rules",
    "Sensors",
    "Sums",
    "by_historical_variance",
    "distinct",
    "prove",
]
