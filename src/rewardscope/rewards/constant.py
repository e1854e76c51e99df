"""The same reward for every completion: the null for every advantage with a baseline."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Constant:
    """``value`` for every completion: with a group baseline nothing is learned, without one all
    sampled tokens are pushed equally.
    """

    value: float = 1.0

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = True

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """The constant."""
        return Rewards((self.value,) * len(view.completions))
