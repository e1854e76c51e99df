"""Loss terms per token; pure, and blind to the method whose credit they carry."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rewardscope.errors import ComponentError

Normalise = Literal["token", "sequence", "constant", "active"]
Ratio = Literal["token", "sequence", "product"]


def clipped_surrogate(
    ratio_M: Float[Tensor, " M"], advantage_M: Float[Tensor, " M"], clip_low: float, clip_high: float
) -> tuple[Float[Tensor, " M"], Bool[Tensor, " M"]]:
    """PPO's loss per token and whether the clip cut its gradient.

    loss = -min(ratio A, clip(ratio, 1 - clip_low, 1 + clip_high) A), with ratio = exp(logprob - old_logprob) per token or per completion.

    Source:
        Schulman et al. 2017, arXiv:1707.06347, eq. 7; separate bounds: Yu et al. 2025, arXiv:2503.14476.
    """
    cut_M = ((advantage_M > 0) & (ratio_M > 1 + clip_high)) | ((advantage_M < 0) & (ratio_M < 1 - clip_low))
    loss_M = -torch.minimum(ratio_M * advantage_M, ratio_M.clamp(1 - clip_low, 1 + clip_high) * advantage_M)
    return loss_M, cut_M


def ratio_to_sampler(
    logprob_M: Float[Tensor, " M"], old_logprob_M: Float[Tensor, " M"], owner_M: Int[Tensor, " M"], count: int, of: Ratio
) -> Float[Tensor, " M"]:
    """Probability under the policy over that under the sampler, at each token.

    token: the token's own, exp(logprob - old_logprob); sequence: the geometric mean over the completion, exp(mean(logprob - old_logprob));
    product: the whole completion's, exp(sum(logprob - old_logprob)). The last two are one number per completion.

    Args:
        logprob_M: Of the policy; carries the gradient.
        old_logprob_M: Of the policy that sampled.
        owner_M: Which of ``count`` completions a token belongs to.
        count: Completions.
        of: Which of the three.

    Source:
        sequence: Zheng et al. 2025, arXiv:2507.18071 (GSPO), eq. 7; product: what TRL 1.16 does for RLOO.
    """
    log_ratio_M = logprob_M - old_logprob_M
    if of == "token":
        return log_ratio_M.exp()
    zeros_C = logprob_M.new_zeros(count)
    sum_C = zeros_C.index_add(0, owner_M, log_ratio_M)
    if of == "product":
        return sum_C.exp()[owner_M]
    length_C = zeros_C.index_add(0, owner_M, torch.ones_like(logprob_M))
    return (sum_C / length_C.clamp(min=1)).exp()[owner_M]


def token_weights(
    mask_NT: Bool[Tensor, "N T"], normalise: Normalise, max_tokens: int, advantage_NT: Float[Tensor, "N T"] | None = None
) -> Float[Tensor, "N T"]:
    """What each sampled token's loss is multiplied by before the sum; 0 off the mask.

    token: 1 / (tokens of the minibatch), so long completions weigh more; sequence: 1 / (N x the completion's own tokens), so a long
    completion's tokens weigh less; constant: 1 / (N x max_tokens), so no weight depends on what was sampled; active: 1 / (tokens with an
    advantage), as if completions without one had been dropped from the batch.

    Source:
        token: Yu et al. 2025, arXiv:2503.14476; sequence: Shao et al. 2024, arXiv:2402.03300; constant: Liu et al. 2025, arXiv:2503.20783;
        active: the released code of Zhu et al. 2025, arXiv:2506.01347.
    """
    mask = mask_NT.float()
    if normalise == "token":
        return mask / mask.sum().clamp(min=1)
    if normalise == "sequence":
        return mask / mask.sum(dim=1, keepdim=True).clamp(min=1) / len(mask)
    if normalise == "constant":
        return mask / (len(mask) * max_tokens)
    if normalise == "active":
        active = mask if advantage_NT is None else mask * (advantage_NT != 0)
        return active / active.sum().clamp(min=1)
    raise ComponentError(
        "Unknown loss normalisation", value=repr(normalise), allowed="token, sequence, constant, active", do="Check the spelling"
    )
