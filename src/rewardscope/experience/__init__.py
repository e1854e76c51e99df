"""What a policy learns from beside its own rewards: completions that others wrote, and what earlier
attempts taught.
"""

from rewardscope.experience.bank import BankState, SkillBank
from rewardscope.experience.block import Block
from rewardscope.experience.demonstrations import Demonstrations, Oracle, Stored
from rewardscope.experience.entries import Ask, Reader, category_of
from rewardscope.experience.recall import Blank, OtherCategory, OwnCategory, RandomText, Recall
from rewardscope.experience.writers import ByPolicy, ByRule, Trajectories, Uniform, Writer

DEMONSTRATIONS: dict[str, type[Demonstrations]] = {cls.__name__: cls for cls in (Oracle, Stored)}
"""Every source of demonstrations there is, by name."""
WRITERS: dict[str, type[Writer]] = {
    cls.__name__: cls for cls in (ByRule, ByPolicy, Trajectories, Uniform)
}
"""Every writer there is, by name."""
RECALLS: dict[str, type[Recall]] = {
    cls.__name__: cls for cls in (OwnCategory, OtherCategory, RandomText, Blank)
}
"""Every way to recall there is, by name."""
BANKS: dict[str, type] = {cls.__name__: cls for cls in (SkillBank, Block)}
"""The bank and the block it is recalled into, by name."""

__all__ = [
    "BANKS",
    "DEMONSTRATIONS",
    "RECALLS",
    "WRITERS",
    "Ask",
    "BankState",
    "Blank",
    "Block",
    "ByPolicy",
    "ByRule",
    "Demonstrations",
    "Oracle",
    "OtherCategory",
    "OwnCategory",
    "RandomText",
    "Reader",
    "Recall",
    "SkillBank",
    "Stored",
    "Trajectories",
    "Uniform",
    "Writer",
    "category_of",
]
