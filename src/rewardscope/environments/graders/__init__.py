"""Graders decide whether a completion is right: one frozen dataclass per kind of answer."""

from rewardscope.protocols import Grader

__all__ = ["Grader"]
