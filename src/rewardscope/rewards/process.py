"""Reward for verified working, instead of the answer or in addition to it."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.protocols import View
from rewardscope.rewards.base import verdicts
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Process:
    """Share of the written steps that are right given the steps before, plus ``answer_weight`` x
    correct.

    A completion without steps to check has a share of None, and gets no reward.
    """

    answer_weight: float = 0.0

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.answer_weight >= 0:
            raise ComponentError(
                "An answer weight is 0 or more",
                value=self.answer_weight,
                allowed="answer_weight >= 0",
                do="Correct the study file",
            )

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """Shares of right steps plus the answer's term. None without steps to check, or if the
        answer counts and could not be graded.
        """
        steps = tuple(
            sum(grade.steps) / len(grade.steps) if grade.steps else None for grade in view.grades
        )
        truth = verdicts(view)
        told: list[float | None] = []
        for share, right in zip(steps, truth, strict=True):
            if share is None or (self.answer_weight and right is None):
                told.append(None)
            else:
                told.append(share + self.answer_weight * (right or 0.0))
        return Rewards(tuple(told), {"steps": steps, "truth": truth})
