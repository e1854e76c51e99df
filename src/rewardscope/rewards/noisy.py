"""Reward with label noise: a dial between the truth and its opposite."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from rewardscope.errors import ComponentError
from rewardscope.protocols import View
from rewardscope.rewards.base import verdicts
from rewardscope.seeds import Address, generator, key
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Noisy:
    """Truth with each verdict inverted with probability ``flip``: 0 = `Truth`, 0.5 = a coin flip
    per verdict, 1 = `Inverted`.

    ``per="completion"`` is an unreliable verifier: each verdict is inverted independently.
    ``per="problem"`` is a wrong answer key: all verdicts on a problem are inverted. The content of
    a problem decides whether it is one of them: the same ones in every step, seed and arm.
    ``parts`` records the truth with the rewards.
    """

    flip: float = 0.1
    per: Literal["completion", "problem"] = "completion"

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 <= self.flip <= 1 or self.per not in ("completion", "problem"):
            raise ComponentError(
                "Noisy has settings outside their ranges",
                value=f"flip={self.flip}, per={self.per!r}",
                allowed="0 <= flip <= 1; per one of completion, problem",
                do="Correct it in the study file",
            )

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """Verdicts as numbers, some of them inverted, as the address decides; None stays None."""
        count = len(view.completions)
        if self.per == "problem":
            turned = [key("noisy", view.problem.id) < self.flip * 2**64] * count
        else:
            turned = (generator(*address, "noisy").random(count) < self.flip).tolist()
        truth = verdicts(view)
        told = tuple(
            None if value is None else abs(value - float(flip))
            for value, flip in zip(truth, turned, strict=True)
        )
        return Rewards(told, {"truth": truth})
