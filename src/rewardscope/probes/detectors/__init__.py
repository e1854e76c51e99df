"""Detectors of behaviours in free text: patterns, each with its precision and recall on texts
labelled by hand.
"""

from rewardscope.probes.detectors.quality import Labelled, Quality, labelled, quality
from rewardscope.protocols import Detector
from rewardscope.registry import components

ALL: tuple[Detector, ...] = tuple(cls() for cls in components("detectors").values())
"""One of each detector there is."""

__all__ = ["ALL", "Labelled", "Quality", "labelled", "quality"]
