"""Logprob and entropy of given tokens straight from hidden states, in few passes over (tokens x
vocabulary).
"""

from typing import Any

import torch
from torch import Tensor, nn

from rewardscope.errors import RewardscopeError

CHUNK_NUMBERS = 1 << 24
"""Logits worked on at once: 64 MiB of float32."""
CACHE_NUMBERS = 1 << 20
"""Logits that become probabilities at once: 4 MiB, and no second copy of a chunk."""
KEPT_NUMBERS = 1 << 26
"""Probabilities kept for the backward pass (256 MiB of float32); beyond that it computes them
again.
"""


def plain_head(head: nn.Module | None) -> nn.Linear | None:
    """The head if it is one matrix in float32 on the CPU, where :class:`HeadScores` may stand for
    it; None otherwise.
    """
    if not isinstance(head, nn.Linear) or getattr(head, "bias", None) is not None:
        return None
    return head if head.weight.dtype == torch.float32 and head.weight.device.type == "cpu" else None


class HeadScores(torch.autograd.Function):
    """(logprob (M,), entropy (M,)) of tokens (M,) under softmax(hidden (M, D) @ weight (V, D)^T /
    temperature), in nats.

    With z the logits, p their softmax and g the gradient at a logprob: logprob = z[token] - log sum
    exp z; entropy = log sum exp z - p . z; gradient at z = g (onehot(token) - p). The entropy
    carries none. Autograd through the library's log-softmax gives the same numbers in three times
    as many passes over memory.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden_MD: Tensor, weight_VD: Tensor, token_M: Tensor, temperature: float
    ) -> tuple[Tensor, Tensor]:
        """Both, chunk by chunk; the probabilities are kept where a gradient is wanted and they
        fit.
        """
        count, size = len(token_M), weight_VD.shape[0]
        wanted = any(ctx.needs_input_grad[:2])
        ctx.kept = (
            hidden_MD.new_empty(count, size) if wanted and count * size <= KEPT_NUMBERS else None
        )
        logprob_M, entropy_M = hidden_MD.new_empty(count), hidden_MD.new_empty(count)
        for chosen in _chunks(count, size, CHUNK_NUMBERS):
            kept = None if ctx.kept is None else ctx.kept[chosen]
            _, logprob_M[chosen], entropy_M[chosen] = _softmax(
                hidden_MD[chosen], weight_VD, token_M[chosen], temperature, kept
            )
        ctx.save_for_backward(hidden_MD, weight_VD, token_M)
        ctx.temperature, ctx.used = temperature, False
        ctx.mark_non_differentiable(entropy_M)
        return logprob_M, entropy_M

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Gradients at hidden states and weight; works in the kept probabilities' own memory, so it
        can be asked once.
        """
        if ctx.used:
            raise RewardscopeError(
                "The gradient of the same scores was asked for twice", do="Score the tokens again"
            )
        ctx.used = True
        hidden_MD, weight_VD, token_M = ctx.saved_tensors
        gradient_M = gradients[0] / ctx.temperature
        hidden_gradient_MD, weight_gradient_VD = (
            torch.empty_like(hidden_MD),
            torch.zeros_like(weight_VD),
        )
        for chosen in _chunks(len(token_M), weight_VD.shape[0], CHUNK_NUMBERS):
            if ctx.kept is not None:
                pull = ctx.kept[chosen]
            else:
                pull, _, _ = _softmax(
                    hidden_MD[chosen], weight_VD, token_M[chosen], ctx.temperature
                )
            pull.mul_(-gradient_M[chosen, None])
            pull.scatter_add_(1, token_M[chosen, None], gradient_M[chosen, None])
            torch.mm(pull, weight_VD, out=hidden_gradient_MD[chosen])
            weight_gradient_VD.addmm_(pull.T, hidden_MD[chosen])
        ctx.kept = None
        return hidden_gradient_MD, weight_gradient_VD, None, None


def _chunks(count: int, size: int, numbers: int) -> list[slice]:
    step = max(1, numbers // size)
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def _softmax(
    hidden_CD: Tensor,
    weight_VD: Tensor,
    token_C: Tensor,
    temperature: float,
    out: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities (C, V), in ``out`` where it is given, and logprob and entropy (C,) of the
    tokens.
    """
    probability_CV = torch.mm(hidden_CD, weight_VD.T, out=out)
    if temperature != 1.0:
        probability_CV.div_(temperature)
    logprob_C, entropy_C = hidden_CD.new_empty(len(token_C)), hidden_CD.new_empty(len(token_C))
    for part in _chunks(len(token_C), probability_CV.shape[1], CACHE_NUMBERS):
        logit = probability_CV[part]
        logit.sub_(logit.amax(dim=1, keepdim=True))
        probability = logit.exp()
        mass = probability.sum(dim=1)
        log_mass = mass.log()
        logprob_C[part] = logit.gather(1, token_C[part, None]).squeeze(1) - log_mass
        entropy_C[part] = log_mass - (probability[:, None] @ logit[:, :, None]).flatten() / mass
        torch.div(probability, mass[:, None], out=logit)
    return probability_CV, logprob_C, entropy_C
