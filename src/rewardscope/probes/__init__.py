"""Instruments: each proved on organisms before it speaks about a model nobody understands."""

import json
from pathlib import Path
from typing import Any

from rewardscope.probes.base import Probe, Subject
from rewardscope.probes.behaviour import Behaviour
from rewardscope.probes.boundary import Boundary
from rewardscope.probes.calibration import Calibration
from rewardscope.probes.diversity import Diversity
from rewardscope.probes.losses import Losses
from rewardscope.probes.weight_change import WeightChange

VALIDATION = Path(__file__).parent / "validation.json"
PROBES: dict[str, type[Probe]] = {cls.__name__: cls for cls in (Boundary, Behaviour, Diversity, Calibration, Losses, WeightChange)}
"""Every instrument there is, by name."""


def validation() -> list[dict[str, Any]]:
    """What came out when ``studies/validation.py`` pointed each instrument at what is known: one record per figure."""
    found: list[dict[str, Any]] = json.loads(VALIDATION.read_text())
    return found


__all__ = ["PROBES", "Behaviour", "Boundary", "Calibration", "Diversity", "Losses", "Probe", "Subject", "WeightChange", "validation"]
