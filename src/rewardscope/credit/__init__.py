"""Rewards to per-token streams; pure tensor functions."""

from rewardscope.credit.base import Credit
from rewardscope.credit.generalised import GeneralisedAdvantage
from rewardscope.credit.group_mean import GroupMean
from rewardscope.credit.imitation import Imitation
from rewardscope.credit.implicit_process import ImplicitProcess
from rewardscope.credit.kl_in_reward import KLInReward
from rewardscope.credit.leave_one_out import LeaveOneOut
from rewardscope.credit.planning import Planning
from rewardscope.credit.reinforce import Reinforce, ReinforcePlusPlus
from rewardscope.credit.reprompt import Reprompt
from rewardscope.credit.self_distillation import SelfDistillation
from rewardscope.credit.signed import Signed

CREDITS: dict[str, type[Credit]] = {
    cls.__name__: cls
    for cls in (
        *(
            GroupMean,
            LeaveOneOut,
            Reinforce,
            ReinforcePlusPlus,
            Signed,
            GeneralisedAdvantage,
            ImplicitProcess,
        ),
        *(KLInReward, Planning, SelfDistillation, Imitation),
    )
}
"""Every credit method there is, by name."""

__all__ = [
    "CREDITS",
    "Credit",
    "GeneralisedAdvantage",
    "GroupMean",
    "Imitation",
    "ImplicitProcess",
    "KLInReward",
    "LeaveOneOut",
    "Planning",
    "Reinforce",
    "ReinforcePlusPlus",
    "Reprompt",
    "SelfDistillation",
    "Signed",
]
