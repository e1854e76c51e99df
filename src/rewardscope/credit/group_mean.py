"""GRPO's advantage: a completion's reward against its group's mean."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from rewardscope.credit.base import informative_share, need_groups, spread
from rewardscope.tensors import Signal, Signals, TokenCredit

STD_EPSILON = 1e-4
"""Added to the std, as TRL 1.16 does; the spurious-rewards code adds 1e-9."""


def group_centred(reward_PG: Float[Tensor, "P G"], divide_by_std: bool) -> Float[Tensor, "P G"]:
    """Reward minus the mean reward of its group, divided by the group's std if asked; NaN stays
    NaN and counts in neither.

    A[p, g] = r[p, g] - mean_h r[p, h], divided by (std_h r[p, h] + 1e-4) with the n - 1 std.

    >>> import torch
    >>> group_centred(torch.tensor([[1.0, 0.0, 0.0, 1.0]]), divide_by_std=False)
    tensor([[ 0.5000, -0.5000, -0.5000,  0.5000]])
    """
    centred_PG = reward_PG - reward_PG.nanmean(dim=1, keepdim=True)
    if not divide_by_std:
        return centred_PG
    told = (~reward_PG.isnan()).sum(dim=1, keepdim=True)
    std = (centred_PG.square().nansum(dim=1, keepdim=True) / (told - 1).clamp(min=1)).sqrt()
    return centred_PG / (std + STD_EPSILON)


@dataclass(frozen=True)
class GroupMean:
    """Group Relative Policy Optimization: the group's mean reward is the baseline.

    Dividing by the group's std weights problems by how mixed their group is. That acts as a second
    reward, so it is off by default.

    Source:
        Shao et al. 2024, arXiv:2402.03300, section 4.1 (with std); Liu et al. 2025,
            arXiv:2503.20783 (without).
    """

    divide_by_std: bool = False

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset()

    def __call__(self, signals: Signals) -> TokenCredit:
        """Advantages in reward units, or in group stds; a group of equal rewards gives 0.

        Raises:
            ComponentError: If groups have fewer than 2 completions.
        """
        need_groups(signals.reward_PG, "GroupMean")
        advantage_PG = group_centred(signals.reward_PG, self.divide_by_std)
        return TokenCredit(
            spread(advantage_PG, signals.mask_NT),
            {"credit/informative_group_share": informative_share(signals.reward_PG)},
        )
