"""Reward for being right."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.protocols import View
from rewardscope.rewards.base import verdicts
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Truth:
    """1 for a correct completion, 0 for a wrong one, None if it could not be graded."""

    strict: bool = False
    """Whether to use the strict extractor; the policy is then also trained on the answer's form."""

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """The verdicts as numbers."""
        return Rewards(verdicts(view, self.strict))
