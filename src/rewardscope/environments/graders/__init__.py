"""What says whether a completion is right: one frozen dataclass per kind of answer, no models."""

from rewardscope.protocols import Grader

__all__ = ["Grader"]
