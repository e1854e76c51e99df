"""An arm, its training loop, and the loop's one step."""

from rewardscope.training.arm import Arm
from rewardscope.training.groups import roll_out, summary, write_out
from rewardscope.training.loop import OnStep, train

__all__ = ["Arm", "OnStep", "roll_out", "summary", "train", "write_out"]
