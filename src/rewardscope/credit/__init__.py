"""Rewards to per-token streams; pure tensor functions."""

from rewardscope.credit.base import Credit
from rewardscope.credit.group_mean import GroupMean
from rewardscope.credit.leave_one_out import LeaveOneOut

CREDITS: dict[str, type[Credit]] = {cls.__name__: cls for cls in (GroupMean, LeaveOneOut)}
"""Every credit method there is, by name."""

__all__ = ["CREDITS", "Credit", "GroupMean", "LeaveOneOut"]
