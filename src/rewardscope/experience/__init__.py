"""What a policy learns from beside its own rewards: completions that others wrote, and what earlier
attempts taught.
"""

from rewardscope.experience.bank import BankState
from rewardscope.experience.demonstrations import Demonstrations
from rewardscope.experience.entries import Ask, Reader, category_of
from rewardscope.experience.recall import Recall
from rewardscope.experience.writers import Writer

__all__ = [
    "Ask",
    "BankState",
    "Demonstrations",
    "Reader",
    "Recall",
    "Writer",
    "category_of",
]
