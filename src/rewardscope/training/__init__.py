"""An arm, its training loop, and the loop's one step."""

from rewardscope.training.arm import Arm
from rewardscope.training.experience import emptied, recalled, swapped
from rewardscope.training.groups import roll_out, summary, write_out
from rewardscope.training.held_out import HeldOut
from rewardscope.training.loop import OnStep, train
from rewardscope.training.signals import SIGNALS, SignalContext

__all__ = [
    "SIGNALS",
    "Arm",
    "HeldOut",
    "OnStep",
    "SignalContext",
    "emptied",
    "recalled",
    "roll_out",
    "summary",
    "swapped",
    "train",
    "write_out",
]
