"""A house that is played turn by turn, in characters and in words."""

from rewardscope.environments.house.compact import House
from rewardscope.environments.house.words import HouseInWords

__all__ = ["House", "HouseInWords"]
