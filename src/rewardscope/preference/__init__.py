"""Losses that compare completions as wholes: better with worse, or each with a fixed point."""

from rewardscope.preference.base import Preference
from rewardscope.preference.dpo import DPO
from rewardscope.preference.kto import KTO
from rewardscope.preference.orpo import ORPO
from rewardscope.preference.simpo import SimPO

PREFERENCES: dict[str, type[Preference]] = {cls.__name__: cls for cls in (DPO, KTO, ORPO, SimPO)}
"""Every preference objective there is, by name; each can stand where a credit method stands."""

__all__ = ["DPO", "KTO", "ORPO", "PREFERENCES", "Preference", "SimPO"]
