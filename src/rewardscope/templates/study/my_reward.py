"""What the learner is told."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope import Rewards
from rewardscope.rewards import View
from rewardscope.seeds import Address


@dataclass(frozen=True)
class Brief:
    """1 for a correct completion less ``cost`` for each of its tokens; 0 for a wrong one."""

    cost: float = 0.04

    uses_truth: ClassVar[bool] = True
    """It reads ``grade.correct``. With False, reading it would stop the run."""
    placebo: ClassVar[bool] = False

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """One number per completion; None where the verifier could not say."""
        return Rewards(
            tuple(
                None if grade.correct is None else grade.correct * (1 - self.cost * said.length)
                for said, grade in zip(view.completions, view.grades, strict=True)
            )
        )
