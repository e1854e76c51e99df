"""Clinical calculation from case notes in words: for research on learning, not for care."""

from rewardscope.environments.clinic.environment import Clinic
from rewardscope.environments.clinic.table import CALCULATORS

__all__ = ["CALCULATORS", "Clinic"]
