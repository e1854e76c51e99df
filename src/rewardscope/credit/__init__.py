"""Rewards to per-token streams; pure tensor functions."""

from rewardscope.credit.base import Credit

__all__ = ["Credit"]
