"""Adding a method: a class and a table line each; the loop, the record and the page take it as it
is.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from factories import SMALL_ARM
from rewardscope import Arm
from rewardscope.codec import decode, encode
from rewardscope.credit.base import spread
from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.store import CellDirectory
from rewardscope.tensors import Signal, Signals, TokenCredit
from rewardscope.training import train
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Brevity:
    """One over the number of characters."""

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = True

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        return Rewards(tuple(1 / max(len(completion.text), 1) for completion in view.completions))


@dataclass(frozen=True)
class BestOfGroup:
    """1 for the best-paid completion of a group, 0 for the others."""

    scale: float = 1.0

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset()

    def __call__(self, signals: Signals) -> TokenCredit:
        best_PG = signals.reward_PG == signals.reward_PG.amax(dim=1, keepdim=True)
        return TokenCredit(spread(self.scale * best_PG, signals.mask_NT))


def test_a_toy_reward_and_a_toy_credit_are_classes_and_touch_nothing_of_ours(
    tmp_path: Path,
) -> None:
    arm = replace(SMALL_ARM, name="toy", reward=Brevity(), credit=BestOfGroup(scale=0.5))
    cell = CellDirectory(tmp_path)
    train(arm, 0, cell, lambda done: None)
    assert [row["step"] for row in cell.steps()] == [0, 1, 2, 3]
    assert all(0 < row["reward_mean"] < 1 for row in cell.steps())
    assert arm.uses_truth == {
        "reward": False,
        "credit": False,
        "regime": False,
        "demonstrations": False,
        "mask": False,
        "bank": False,
    }
    again = decode(encode(arm))
    assert isinstance(again, Arm) and again == arm
    assert encode(arm)["reward"]["is"].endswith(":Brevity")
