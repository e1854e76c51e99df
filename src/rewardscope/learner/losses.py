"""Loss terms per token: pure functions, independent of the credit method."""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.tensors import CompletionLoss

Normalise = Literal["token", "sequence", "constant", "active"]
Ratio = Literal["token", "sequence", "product"]
Correction = Literal["truncated", "masked", "none"]


def clipped_surrogate(
    ratio_M: Float[Tensor, " M"],
    advantage_M: Float[Tensor, " M"],
    clip_low: float,
    clip_high: float,
) -> tuple[Float[Tensor, " M"], Bool[Tensor, " M"]]:
    """PPO's loss per token, and whether the clip removed its gradient.

    loss = -min(ratio A, clip(ratio, 1 - clip_low, 1 + clip_high) A), with ratio = exp(logprob -
    old_logprob) per token or per completion.

    Source:
        Schulman et al. 2017, arXiv:1707.06347, eq. 7; separate bounds: Yu et al. 2025,
            arXiv:2503.14476.
    """
    cut_M = ((advantage_M > 0) & (ratio_M > 1 + clip_high)) | (
        (advantage_M < 0) & (ratio_M < 1 - clip_low)
    )
    loss_M = -torch.minimum(
        ratio_M * advantage_M, ratio_M.clamp(1 - clip_low, 1 + clip_high) * advantage_M
    )
    return loss_M, cut_M


def ratio_to_old(
    logprob_M: Float[Tensor, " M"],
    old_logprob_M: Float[Tensor, " M"],
    owner_M: Int[Tensor, " M"],
    count: int,
    of: Ratio,
) -> Float[Tensor, " M"]:
    """Probability under the policy divided by that before the step's updates, at each token.

    token: the token's own, exp(logprob - old_logprob); sequence: the geometric mean over the
    completion, exp(mean(logprob - old_logprob)); product: the whole completion's, exp(sum(logprob -
    old_logprob)). The last two are one number per completion.

    Args:
        logprob_M: Under the policy; carries the gradient.
        old_logprob_M: Under the policy before the step's updates.
        owner_M: The completion, of ``count``, that each token belongs to.
        count: Number of completions.
        of: Which of the three ratios.

    Source:
        sequence: Zheng et al. 2025, arXiv:2507.18071 (GSPO), eq. 7; product: what TRL 1.16 does for
            RLOO.
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


def importance(
    old_logprob_M: Float[Tensor, " M"],
    sampler_logprob_M: Float[Tensor, " M"],
    correction: Correction,
    most: float,
) -> Float[Tensor, " M"]:
    """Weight of each token's surrogate, for a sampler whose probabilities are not the policy's own.

    With w = exp(old_logprob - sampler_logprob): truncated: min(w, most); masked: w where w <= most,
    0 elsewhere; none: 1.

    Source:
        truncated: Yao et al. 2025, "Your Efficient RL Framework Secretly Brings You Off-Policy RL
            Training" (most = 2); masked: the token mask of Liu et al. 2025, "When Speed Kills
            Stability".
    """
    weight_M = (old_logprob_M - sampler_logprob_M).clamp(-20, 20).exp()
    if correction == "truncated":
        return weight_M.clamp(max=most)
    if correction == "masked":
        return weight_M * (weight_M <= most)
    return torch.ones_like(weight_M)


def with_tail(logprob_MK: Float[Tensor, "M K"]) -> Float[Tensor, "M L"]:
    """Logprobs of the kept tokens, and of all others as one more entry: log(1 - sum of the kept
    probabilities). The probabilities of each row sum to 1.

    Source:
        Huebotter et al. 2026, arXiv:2601.20802, appendix A.2; the kept mass is capped at
            exp(-1e-7), as its code does.
    """
    kept_M1 = logprob_MK.logsumexp(dim=-1, keepdim=True).clamp(max=-1e-7)
    return torch.cat([logprob_MK, torch.log(-torch.expm1(kept_M1))], dim=-1)


def divergence(
    policy_MK: Float[Tensor, "M K"], teacher_MK: Float[Tensor, "M K"], mixing: float
) -> Float[Tensor, " M"]:
    """Divergence of a policy's distribution from a teacher's, in nats per token, from the logprobs
    of both.

    mixing = 0: KL(teacher || policy); 1: KL(policy || teacher); a between: (1 - a) KL(policy || m)
    + a KL(teacher || m) with m = (1 - a) policy + a teacher. Near equality the last is a (1 - a)
    times a KL, so its gradient at a = 1/2 is a quarter as large. Compare divergences at matched
    update sizes.

    Source:
        Agarwal et al. 2024, arXiv:2306.13649, eq. 1, with the orientation of the code of Huebotter
            et al. 2026, arXiv:2601.20802.
    """

    def kl(first_MK: Tensor, second_MK: Tensor) -> Tensor:
        return torch.nn.functional.kl_div(
            second_MK, first_MK, reduction="none", log_target=True
        ).sum(dim=-1)

    if mixing == 0:
        return kl(teacher_MK, policy_MK)
    if mixing == 1:
        return kl(policy_MK, teacher_MK)
    middle_MK = torch.logaddexp(policy_MK + math.log(1 - mixing), teacher_MK + math.log(mixing))
    return (1 - mixing) * kl(policy_MK, middle_MK) + mixing * kl(teacher_MK, middle_MK)


def completion_pull(
    loss: CompletionLoss, logprob_N: Float[Tensor, " N"], group_size: int, problems: list[int]
) -> tuple[float, Float[Tensor, " N"]]:
    """A loss of whole completions and its derivative at each completion's summed logprob.

    By the chain rule, the sum over completions of derivative x logprob has the same gradient at the
    weights as the loss. Completions to compare therefore need not be in the same pass.

    Args:
        loss: The loss over whole completions.
        logprob_N: Summed logprob of each completion, in nats; its own gradient is ignored.
        group_size: G.
        problems: Which problems of the step these are.
    """
    with torch.enable_grad():
        leaf_PG = logprob_N.detach().reshape(-1, group_size).requires_grad_()
        value = loss(leaf_PG, problems)
        (pull_PG,) = torch.autograd.grad(value, leaf_PG)
    return float(value.detach()), pull_PG.reshape(-1)


def token_weights(
    mask_NT: Bool[Tensor, "N T"],
    normalise: Normalise,
    max_tokens: int,
    active_NT: Bool[Tensor, "N T"] | None = None,
) -> Float[Tensor, "N T"]:
    """The weight of each sampled token's loss in the sum; 0 off the mask.

    token: 1 / (tokens of the minibatch), so long completions weigh more. sequence: 1 / (N x the
    completion's own tokens), so a long completion's tokens weigh less. constant: 1 / (N x
    max_tokens), so no weight depends on the sample. active: 1 / (tokens that are True in
    ``active_NT``), as if the others had been dropped from the batch.

    Source:
        token: Yu et al. 2025, arXiv:2503.14476; sequence: Shao et al. 2024, arXiv:2402.03300;
            constant: Liu et al. 2025, arXiv:2503.20783;
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
        active = mask if active_NT is None else mask * active_NT
        return active / active.sum().clamp(min=1)
    raise ComponentError(
        "Unknown loss normalisation",
        value=repr(normalise),
        allowed="token, sequence, constant, active",
        do="Check the spelling",
    )
