"""RLOO's advantage: a completion's reward against the mean of its siblings."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from rewardscope.credit.base import informative_share, need_groups, spread
from rewardscope.credit.group_mean import group_centred
from rewardscope.tensors import Signal, Signals, TokenCredit


def leave_one_out(reward_PG: Float[Tensor, "P G"]) -> Float[Tensor, "P G"]:
    """Each completion's reward minus the mean reward of its siblings; NaN stays NaN.

    A[p, g] = r[p, g] - mean of r[p, h] over h != g. For n completions with a reward this equals
    n / (n - 1) times the group-centred reward. A completion's own reward is not in its baseline, so
    the policy gradient stays unbiased.

    >>> import torch
    >>> leave_one_out(torch.tensor([[1.0, 0.0, 0.0, 1.0]]))
    tensor([[ 0.6667, -0.6667, -0.6667,  0.6667]])
    """
    told = (~reward_PG.isnan()).sum(dim=1, keepdim=True)
    return group_centred(reward_PG, divide_by_std=False) * (told / (told - 1).clamp(min=1))


@dataclass(frozen=True)
class LeaveOneOut:
    """REINFORCE Leave-One-Out.

    Source:
        Ahmadian et al. 2024, arXiv:2402.14740.
    """

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset()

    def __call__(self, signals: Signals) -> TokenCredit:
        """Advantages in reward units; a group of equal rewards gives 0.

        Raises:
            ComponentError: If groups have fewer than 2 completions.
        """
        need_groups(signals.reward_PG, "LeaveOneOut")
        advantage_NT = spread(leave_one_out(signals.reward_PG), signals.mask_NT)
        return TokenCredit(
            advantage_NT, {"credit/informative_group_share": informative_share(signals.reward_PG)}
        )
