"""A penalty for saying the same again, to be added to another reward."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class RepeatedGrams:
    """-(1 - different n-grams / n-grams) of the completion's words, in [-1, 0]; 0 for a text of
    fewer than ``size`` words.

    Words are what stands between spaces, whatever their case. A loop over k words costs about
    1 - k / words. ``Plus((Truth(), RepeatedGrams()), (1.0, 0.5))`` is a reward with this penalty.
    `Detected(Repetition(), absent=True)` is all or nothing instead.

    Source:
        Open-R1, ``get_repetition_penalty_reward`` of its rewards.py (size 3, penalty -1), after
            Yeo et al. 2025, arXiv:2502.03373.
    """

    size: int = 3
    """Words of an n-gram."""

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ComponentError(
                "RepeatedGrams counts grams of one word or more",
                value=f"size={self.size}",
                allowed="size >= 1",
                do="Correct it in the study file",
            )

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """The penalty of each completion."""
        return Rewards(tuple(self._penalty(completion.said) for completion in view.completions))

    def _penalty(self, text: str) -> float:
        words = text.casefold().split()
        grams = [
            tuple(words[first : first + self.size]) for first in range(len(words) - self.size + 1)
        ]
        return len(set(grams)) / len(grams) - 1 if grams else 0.0
