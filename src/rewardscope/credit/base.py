"""What a credit method is, and what group methods share."""

from typing import ClassVar, Protocol

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.tensors import Signals, TokenCredit


class Credit(Protocol):
    """Spreads the rewards of a step over its tokens; pure, no gradient attached."""

    uses_truth: ClassVar[bool]
    """Whether it reads the key by another door than the reward."""

    def __call__(self, signals: Signals) -> TokenCredit:
        """The streams the learner trains on."""


def need_groups(reward_PG: Float[Tensor, "P G"], method: str) -> None:
    """Checks that each group has siblings to compare with.

    Raises:
        ComponentError: If G < 2.
    """
    if reward_PG.shape[1] < 2:
        raise ComponentError(
            f"{method} compares a completion with its siblings and needs groups of 2 or more",
            value=f"reward_PG of shape {tuple(reward_PG.shape)}",
            allowed="completions_per_problem >= 2",
            do="Raise completions_per_problem",
        )


def spread(advantage_PG: Float[Tensor, "P G"], mask_NT: Bool[Tensor, "N T"]) -> Float[Tensor, "N T"]:
    """Every sampled token of a completion gets the completion's advantage; untold completions (NaN) get 0."""
    return advantage_PG.nan_to_num(0.0).reshape(-1, 1) * mask_NT


def informative_share(reward_PG: Float[Tensor, "P G"]) -> float:
    """Share of groups whose told rewards differ: only they carry a gradient."""
    low = torch.where(reward_PG.isnan(), torch.inf, reward_PG).amin(dim=1)
    high = torch.where(reward_PG.isnan(), -torch.inf, reward_PG).amax(dim=1)
    return float((high > low).float().mean())
