"""Attention over completions that share a prompt: over the prompt and over themselves separately,
then merged.

A softmax over two lists of keys is the mean of the softmaxes over each, weighted by how much mass
each list has: with s a list's output and l the logarithm of its mass, output = sum s exp(l - L), L
= log sum exp l. So a prompt is attended to by all of its completions at once, and no completion is
compared with another's tokens only to have them masked away. The model's own layers do everything
else: this stands in for the library's attention function while a plan is made current, and a family
that does more than the plain softmax (caps, sinks, biases) is found out by trying and goes the
library's way.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

NAME = "rewardscope"
"""Of our attention function among the library's."""
FLASH = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
FLASH_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
"""Torch's own attention on a CPU. Unlike the public function, they return the log mass."""


class Plan(Protocol):
    """How the rows of one forward pass attend."""

    def attend(
        self, layer: int, query_RHSd: Tensor, key_RKSd: Tensor, value_RKSd: Tensor, scale: float
    ) -> Tensor:
        """Outputs (R, S, H, d)."""


_PLAN: ContextVar[Plan] = ContextVar("plan")


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """The library's interface; masks come from the plan."""
    if softcap is not None or s_aux is not None:
        raise NotImplementedError("caps and sinks")  # raised only in Policy's trial
    plan, scale = _PLAN.get(), scaling if scaling is not None else query.shape[-1] ** -0.5
    return plan.attend(int(getattr(module, "layer_idx", 0)), query, key, value, scale), None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, lambda *args, **kwargs: None)


@contextlib.contextmanager
def attending(model: PreTrainedModel, plan: Plan | None) -> Iterator[None]:
    """A context in which the model's layers attend by the plan; None changes nothing."""
    if plan is None:
        yield
        return
    before, token = model.config._attn_implementation, _PLAN.set(plan)
    model.config._attn_implementation = NAME
    try:
        yield
    finally:
        model.config._attn_implementation = before
        _PLAN.reset(token)


def additive(hidden: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """A mask to be added to scores: the format's lowest number where True, else 0."""
    return torch.zeros(hidden.shape, device=hidden.device, dtype=dtype).masked_fill(
        hidden, torch.finfo(dtype).min
    )


def block_mask(segment_RS: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Additive (R, 1, S, S): a token sees the earlier tokens of its own segment and of the prompt.

    Args:
        segment_RS: 0 on a prompt, 1 and up on its completions, -1 on padding.
        dtype: Of the model that reads it.
    """
    same_RSS = segment_RS[:, :, None] == segment_RS[:, None, :]
    seen_RSS = torch.ones_like(same_RSS[0]).tril() & (same_RSS | (segment_RS == 0)[:, None, :])
    return additive(~seen_RSS, dtype)[:, None]


def softmax_part(
    query: Tensor, key: Tensor, value: Tensor, scale: float, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Output (B, H, Q, d) over this list of keys alone, and the log of the list's mass (B, H, Q).

    Args:
        query: (B, H, Q, d).
        key: (B, K, L, d); head h reads key head h // (H / K).
        value: As the keys.
        scale: Of the products.
        mask: Additive, (B, 1, 1 or Q, L).
    """
    if query.device.type == "cpu" and query.dtype == torch.float32:
        whole = (
            None if mask is None else mask.expand(query.shape[0], 1, query.shape[2], key.shape[2])
        )
        output, mass = FLASH(query, key, value, attn_mask=whole, scale=scale)
        return output, mass
    repeats = query.shape[1] // key.shape[1]
    score = (query @ key.repeat_interleave(repeats, 1).transpose(2, 3)).float() * scale
    if mask is not None:
        score = score + mask
    mass = score.logsumexp(dim=-1)
    return (score - mass[..., None]).exp().to(value.dtype) @ value.repeat_interleave(
        repeats, 1
    ), mass


def merge(parts: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Output and log mass over both lists of keys."""
    (first, first_mass), (second, second_mass) = parts
    mass = torch.logaddexp(first_mass, second_mass)
    share = (first_mass - mass).exp()[..., None].to(first.dtype)
    return torch.lerp(second, first, share), mass


@dataclass(frozen=True, eq=False)
class Blocks:
    """Packed rows: a prompt, then its completions; each sees the prompt and itself. For float32 on
    the CPU.

    C counts slots for completions: in every row as many as in the row with the most.
    """

    prompt_mask_R11W: Tensor
    """Additive: the lowest float where a prompt has ended; W is the longest prompt."""
    own_CT: Tensor
    """Position, over all rows, of each token of each completion; 0 where there is none."""
    real_CT: Tensor
    """True where there is one."""

    @classmethod
    def of(cls, segment_RS: Tensor) -> "Blocks | None":
        """The blocks of segments, as for :func:`block_mask`; None if there are only prompts."""
        most = int(segment_RS.max())
        if most < 1:
            return None
        rows, width = segment_RS.shape
        prompt_R = (segment_RS == 0).sum(dim=1)
        length_RG = torch.nn.functional.one_hot(segment_RS.clamp(min=0), most + 1).sum(dim=1)[:, 1:]
        token_T = torch.arange(int(length_RG.max()))
        start_RG = (
            prompt_R[:, None]
            + length_RG.cumsum(1)
            - length_RG
            + width * torch.arange(rows)[:, None]
        )
        real_CT = (token_T < length_RG[:, :, None]).flatten(0, 1)
        own_CT = (start_RG[:, :, None] + token_T).flatten(0, 1).masked_fill(~real_CT, 0)
        ended_RW = torch.arange(int(prompt_R.max())) >= prompt_R[:, None]
        return cls(additive(ended_RW)[:, None, None], own_CT, real_CT)

    def attend(
        self, layer: int, query_RHSd: Tensor, key_RKSd: Tensor, value_RKSd: Tensor, scale: float
    ) -> Tensor:
        """Outputs (R, S, H, d), with their gradients."""
        output: Tensor = _BlockAttention.apply(query_RHSd, key_RKSd, value_RKSd, self, scale)  # type: ignore[no-untyped-call]
        return output

    @cached_property
    def prompt_R1W1(self) -> Tensor:
        """1 on the prompts' own tokens, 0 behind them."""
        return (self.prompt_mask_R11W == 0).transpose(2, 3).float()

    @cached_property
    def _place_M(self) -> tuple[Tensor, Tensor]:
        """Positions of the existing tokens: over all rows, and among (C x T)."""
        return self.own_CT[self.real_CT], self.real_CT.flatten().nonzero().squeeze(1)

    def prompts(self, tensor_RHSd: Tensor) -> Tensor:
        """The columns of the prompts, (R, H, W, d)."""
        return tensor_RHSd[:, :, : self.prompt_mask_R11W.shape[3]]

    def own(self, tensor_RHSd: Tensor) -> Tensor:
        """The completions' part, (C, H, T, d)."""
        flat = tensor_RHSd.transpose(1, 2).flatten(0, 1)
        return (
            flat.index_select(0, self.own_CT.flatten())
            .view(*self.own_CT.shape, *flat.shape[1:])
            .transpose(1, 2)
        )

    def put(self, row_RSHd: Tensor, own_CHTd: Tensor) -> None:
        """Adds the completions' part at its positions."""
        position_M, member_M = self._place_M
        flat = row_RSHd.flatten(0, 1)
        flat[position_M] = flat[position_M] + own_CHTd.transpose(1, 2).flatten(0, 1)[member_M]

    def side_by_side(self, tensor_CHT: Tensor) -> Tensor:
        """(C, H, T, ...) as (R, H, C / R x T, ...): all queries after one prompt."""
        return (
            tensor_CHT.reshape(len(self.prompt_mask_R11W), -1, *tensor_CHT.shape[1:])
            .transpose(1, 2)
            .flatten(2, 3)
        )

    def apart(self, tensor_RHQ: Tensor) -> Tensor:
        """(R, H, C / R x T, ...) as (C, H, T, ...)."""
        return (
            tensor_RHQ.reshape(
                *tensor_RHQ.shape[:2], -1, self.own_CT.shape[1], *tensor_RHQ.shape[3:]
            )
            .transpose(1, 2)
            .flatten(0, 1)
        )


class _BlockAttention(torch.autograd.Function):
    """Three softmaxes: prompts over themselves, completions over prompts, completions over
    themselves; the last two merged.

    Backward, each list of keys gets the same gradient as in one softmax over both. It is called
    with the output and log mass of both, and the probability of a key is exp(score - log mass).
    """

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, blocks: Blocks, scale: float
    ) -> Tensor:
        prompt = [blocks.prompts(tensor) for tensor in (query, key, value)]
        said, said_mass = FLASH(*prompt, is_causal=True, scale=scale)
        output = query.new_zeros(query.shape[0], query.shape[2], query.shape[1], query.shape[3])
        output[:, : said.shape[2]] = (said * blocks.prompt_R1W1).transpose(1, 2)
        own = [blocks.own(tensor) for tensor in (query, key, value)]
        before, before_mass = softmax_part(
            blocks.side_by_side(own[0]), prompt[1], prompt[2], scale, blocks.prompt_mask_R11W
        )
        itself = FLASH(*own, is_causal=True, scale=scale)
        merged, mass = merge(((blocks.apart(before), blocks.apart(before_mass)), itself))
        blocks.put(output, merged)
        ctx.save_for_backward(query, key, value, output, said_mass, mass)
        ctx.blocks, ctx.scale = blocks, scale
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query, key, value, output, said_mass, mass = ctx.saved_tensors
        blocks, scale, gradient = ctx.blocks, ctx.scale, gradients[0].transpose(1, 2)
        said, merged = (
            blocks.prompts(output.transpose(1, 2)) * blocks.prompt_R1W1,
            blocks.own(output.transpose(1, 2)),
        )
        gradients_ = [
            tensor.new_zeros(tensor.transpose(1, 2).shape) for tensor in (query, key, value)
        ]
        into = [tensor[:, : said.shape[2]].transpose(1, 2) for tensor in gradients_]
        prompt = [blocks.prompts(tensor) for tensor in (query, key, value)]
        parts = FLASH_BACKWARD(
            blocks.prompts(gradient) * blocks.prompt_R1W1,
            *prompt,
            said,
            said_mass,
            0.0,
            True,
            scale=scale,
        )
        for target, part in zip(into, parts, strict=True):
            target.copy_(part)
        own = [blocks.own(tensor) for tensor in (query, key, value)]
        pull = blocks.own(gradient) * blocks.real_CT[:, None, :, None]
        wide = [blocks.side_by_side(tensor) for tensor in (pull, own[0], merged, mass)]
        mask = blocks.prompt_mask_R11W.expand(-1, 1, wide[1].shape[2], -1)
        ahead = FLASH_BACKWARD(
            wide[0], wide[1], *prompt[1:], wide[2], wide[3], 0.0, False, attn_mask=mask, scale=scale
        )
        for target, part in zip(into[1:], ahead[1:], strict=True):
            target.add_(part)
        itself = FLASH_BACKWARD(pull, *own, merged, mass, 0.0, True, scale=scale)
        for target, part in zip(
            gradients_, (itself[0] + blocks.apart(ahead[0]), *itself[1:]), strict=True
        ):
            blocks.put(target, part)
        first, second, third = (tensor.transpose(1, 2) for tensor in gradients_)
        return first, second, third, None, None
