"""REINFORCE and REINFORCE++, which need no groups."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from rewardscope.credit.base import informative_share, spread, whitened
from rewardscope.credit.group_mean import group_centred
from rewardscope.tensors import Signal, Signals, TokenCredit


@dataclass(frozen=True)
class Reinforce:
    """A[p, g] = r[p, g]; with ``baseline="batch"``, minus the mean reward of the step.

    Source:
        Williams 1992, Machine Learning 8, 229-256.
    """

    baseline: Literal["none", "batch"] = "none"

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset()

    def __call__(self, signals: Signals) -> TokenCredit:
        """Advantages in reward units; 0 for a completion without a reward."""
        reward_PG = signals.reward_PG
        baseline = reward_PG.nanmean().nan_to_num(0.0) if self.baseline == "batch" else 0.0
        notes = {"credit/informative_group_share": informative_share(reward_PG)}
        return TokenCredit(spread(reward_PG - baseline, signals.mask_NT), notes)


@dataclass(frozen=True)
class ReinforcePlusPlus:
    """Rewards whitened over all tokens of the step. ``group_baseline`` subtracts the group's mean
    first (REINFORCE++-baseline).

    A[p, g, t] = (r[p, g] - mean) / (std + 1e-8), with mean and std over all tokens of the step that
    have a reward. Long completions therefore weigh more in both. The paper's KL term in the reward
    is a component of its own:
    ``KLInReward(base=ReinforcePlusPlus())``.

    Source:
        Hu et al. 2025, arXiv:2501.03262, eq. 8 to 10.
    """

    group_baseline: bool = False

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset()

    def __call__(self, signals: Signals) -> TokenCredit:
        """Advantages in standard deviations of the step; rewards that are all equal give 0."""
        reward_PG = signals.reward_PG
        base_PG = (
            group_centred(reward_PG, divide_by_std=False) if self.group_baseline else reward_PG
        )
        told_NT = signals.mask_NT & ~reward_PG.isnan().reshape(-1, 1)
        advantage_NT = whitened(spread(base_PG, signals.mask_NT), told_NT)
        # after centring, equal rewards differ by rounding errors, whose std is no meaningful scale
        equal = torch.isclose(
            base_PG[~base_PG.isnan()], base_PG.nanmean(), atol=1e-6, rtol=1e-6
        ).all()
        notes = {"credit/informative_group_share": informative_share(reward_PG)}
        return TokenCredit(torch.zeros_like(advantage_NT) if equal else advantage_NT, notes)
