"""What a credit method is, and what group methods share."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rewardscope.errors import ComponentError


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


def spread(
    advantage_PG: Float[Tensor, "P G"], mask_NT: Bool[Tensor, "N T"]
) -> Float[Tensor, "N T"]:
    """The completion's advantage on each of its sampled tokens; 0 for a completion without a reward
    (NaN).
    """
    return advantage_PG.nan_to_num(0.0).reshape(-1, 1) * mask_NT


def to_come(value_NT: Float[Tensor, "N T"], discount: float = 1.0) -> Float[Tensor, "N T"]:
    """Discounted sum of this and all later tokens: R[n, t] = v[n, t] + discount x R[n, t + 1]."""
    total_NT = torch.zeros_like(value_NT)
    running_N = torch.zeros_like(value_NT[:, 0])
    for t in range(value_NT.shape[1] - 1, -1, -1):
        running_N = value_NT[:, t] + discount * running_N
        total_NT[:, t] = running_N
    return total_NT


def whitened(value_NT: Float[Tensor, "N T"], mask_NT: Bool[Tensor, "N T"]) -> Float[Tensor, "N T"]:
    """Mean 0 and std 1 over all masked tokens of the step, 0 off the mask; tokens that are all
    alike become 0.
    """
    count = mask_NT.sum().clamp(min=1)
    centred_NT = (value_NT - (value_NT * mask_NT).sum() / count) * mask_NT
    std = (centred_NT.square().sum() / (count - 1).clamp(min=1)).sqrt()
    return centred_NT / (std + 1e-8)


def informative_share(reward_PG: Float[Tensor, "P G"]) -> float:
    """Share of groups whose rewards differ. Only these groups carry a gradient."""
    low = torch.where(reward_PG.isnan(), torch.inf, reward_PG).amin(dim=1)
    high = torch.where(reward_PG.isnan(), -torch.inf, reward_PG).amax(dim=1)
    return float((high > low).float().mean())
