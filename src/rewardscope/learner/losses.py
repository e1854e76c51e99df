"""Loss terms per token; pure, and blind to the method whose credit they carry."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rewardscope.errors import ComponentError

Normalise = Literal["token", "sequence", "constant"]


def clipped_surrogate(
    logprob_M: Float[Tensor, " M"],
    old_logprob_M: Float[Tensor, " M"],
    advantage_M: Float[Tensor, " M"],
    clip_low: float,
    clip_high: float,
) -> tuple[Float[Tensor, " M"], Bool[Tensor, " M"]]:
    """PPO's loss per token and whether the clip cut its gradient.

    ratio = exp(logprob - old_logprob); loss = -min(ratio A, clip(ratio, 1 - clip_low, 1 + clip_high) A).

    Source:
        Schulman et al. 2017, arXiv:1707.06347, eq. 7; separate bounds: Yu et al. 2025, arXiv:2503.14476.
    """
    ratio_M = (logprob_M - old_logprob_M).exp()
    cut_M = ((advantage_M > 0) & (ratio_M > 1 + clip_high)) | ((advantage_M < 0) & (ratio_M < 1 - clip_low))
    loss_M = -torch.minimum(ratio_M * advantage_M, ratio_M.clamp(1 - clip_low, 1 + clip_high) * advantage_M)
    return loss_M, cut_M


def kl_to_reference(logprob_M: Float[Tensor, " M"], reference_logprob_M: Float[Tensor, " M"]) -> Float[Tensor, " M"]:
    """KL(policy || reference) per token by the k3 estimator, in nats: exp(d) - d - 1 with d = reference - policy; never negative.

    Source:
        Schulman 2020, "Approximating KL divergence"; used in Shao et al. 2024, arXiv:2402.03300, eq. 4.
    """
    difference_M = reference_logprob_M - logprob_M
    return difference_M.exp() - difference_M - 1


def token_weights(mask_NT: Bool[Tensor, "N T"], normalise: Normalise, max_tokens: int) -> Float[Tensor, "N T"]:
    """What each sampled token's loss is multiplied by before the sum; 0 off the mask.

    token: 1 / (tokens of the minibatch), so long completions weigh more; sequence: 1 / (N x the completion's own tokens), so a long
    completion's tokens weigh less; constant: 1 / (N x max_tokens), so no weight depends on what was sampled.

    Source:
        token: Yu et al. 2025, arXiv:2503.14476; sequence: Shao et al. 2024, arXiv:2402.03300; constant: Liu et al. 2025, arXiv:2503.20783.
    """
    mask = mask_NT.float()
    if normalise == "token":
        return mask / mask.sum().clamp(min=1)
    if normalise == "sequence":
        return mask / mask.sum(dim=1, keepdim=True).clamp(min=1) / len(mask)
    if normalise == "constant":
        return mask / (len(mask) * max_tokens)
    raise ComponentError("Unknown loss normalisation", value=repr(normalise), allowed="token, sequence, constant", do="Check the spelling")
