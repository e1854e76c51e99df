"""Reward by coin flip: the placebo to compare every curve with."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.protocols import View
from rewardscope.seeds import Address, generator
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Coin:
    """1 with probability p, 0 otherwise, whatever the completion says.

    Source:
        Shao et al. 2025, arXiv:2506.10947, section 2.2 (random reward, gamma = p = 0.5).
    """

    p: float = 0.5

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ComponentError(
                "A coin's p is a probability",
                value=self.p,
                allowed="0 <= p <= 1",
                do="Correct it in the study file",
            )

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """Coin flips; the same address gives the same flips in every run."""
        flips = generator(*address, "coin").random(len(view.completions)) < self.p
        return Rewards(tuple(float(flip) for flip in flips))
