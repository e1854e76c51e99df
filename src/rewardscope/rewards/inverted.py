"""Reward for being wrong: a placebo with the truth's structure and the opposite sign."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Inverted:
    """1 for a wrong completion, 0 for a correct one, None if it could not be graded."""

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = True

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """One minus each verdict."""
        return Rewards(
            tuple(
                None if grade.correct is None else float(not grade.correct) for grade in view.grades
            )
        )
