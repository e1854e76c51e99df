"""Reward for form alone: separates learning the form of an answer from learning the answer."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Form:
    """1 for a well-formed completion, right or wrong; 0 otherwise.

    Source:
        Shao et al. 2025, arXiv:2506.10947, section 2.2 (format reward).
    """

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = True

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """1 or 0 by the form of each completion."""
        return Rewards(tuple(float(grade.well_formed) for grade in view.grades))
