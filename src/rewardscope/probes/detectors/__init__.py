"""Detectors of behaviours in free text: patterns, each with what it got right and wrong on texts
labelled by hand.
"""

from rewardscope.probes.detectors.base import Detector
from rewardscope.probes.detectors.code import MentionsDef, MentionsPython, WrittenCode
from rewardscope.probes.detectors.form import AnswerTag, Boxed
from rewardscope.probes.detectors.quality import Labelled, Quality, labelled, quality
from rewardscope.probes.detectors.reflection import Backtracking, Verification
from rewardscope.probes.detectors.repetition import Repetition
from rewardscope.probes.detectors.script import OtherScript

DETECTORS: dict[str, type[Detector]] = {
    cls.__name__: cls
    for cls in (
        AnswerTag,
        Boxed,
        MentionsPython,
        MentionsDef,
        WrittenCode,
        Backtracking,
        Verification,
        OtherScript,
        Repetition,
    )
}
"""Every detector there is, by name."""
ALL: tuple[Detector, ...] = tuple(cls() for cls in DETECTORS.values())

__all__ = [
    "ALL",
    "DETECTORS",
    "Detector",
    "Labelled",
    "Quality",
    "labelled",
    "quality",
    *DETECTORS,
]  # the names of the table above
