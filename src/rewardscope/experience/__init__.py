"""What a policy learns from beside its own rewards: completions that others wrote, and what earlier
attempts taught.
"""

from rewardscope.experience.bank import BankState
from rewardscope.experience.entries import Ask, category_of

__all__ = ["Ask", "BankState", "category_of"]
