"""Instruments: each proved on organisms before it speaks about a model nobody understands."""

from rewardscope.probes.base import Probe, Subject
from rewardscope.probes.behaviour import Behaviour
from rewardscope.probes.boundary import Boundary
from rewardscope.probes.calibration import Calibration
from rewardscope.probes.diversity import Diversity
from rewardscope.probes.losses import Losses
from rewardscope.probes.weight_change import WeightChange

PROBES: dict[str, type[Probe]] = {cls.__name__: cls for cls in (Boundary, Behaviour, Diversity, Calibration, Losses, WeightChange)}
"""Every instrument there is, by name."""

__all__ = ["PROBES", "Behaviour", "Boundary", "Calibration", "Diversity", "Losses", "Probe", "Subject", "WeightChange"]
