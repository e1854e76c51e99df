"""An arm, its training loop, and the loop's one step."""

from rewardscope.training.arm import Arm
from rewardscope.training.experience import emptied, recalled, swapped
from rewardscope.training.groups import roll_out, summary, write_out
from rewardscope.training.loop import OnStep, train

__all__ = [
    "Arm",
    "OnStep",
    "emptied",
    "recalled",
    "roll_out",
    "summary",
    "swapped",
    "train",
    "write_out",
]
