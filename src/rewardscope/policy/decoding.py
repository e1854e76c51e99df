"""Fast one-token steps: a prompt's keys and values are stored once, and products of few rows may
run transposed.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from rewardscope.policy.attention import additive, merge, softmax_part
from rewardscope.policy.forwards import going

THIN_ROWS = 128
"""Up to this many rows, W x^T is faster than x W^T on a processor without AVX-512: 1.7 times at 8
rows, 1.4 at 32, 1.25 at 128.
"""
THIN_WEIGHTS = 1 << 16
"""Smaller matrices, such as those of the organisms, gain nothing."""


def prefill(
    model: PreTrainedModel, prompt_PL: Tensor, seen_PL: Tensor
) -> tuple[Tensor, DynamicCache]:
    """The last state of each prompt (P, D), and a cache of their keys and values.

    Args:
        model: Reads the prompts.
        prompt_PL: Token ids, padded on the left.
        seen_PL: 1 on the prompts' tokens, 0 on padding.
    """
    cache, position_PL = DynamicCache(config=model.config), (seen_PL.cumsum(1) - 1).clamp(min=0)
    output = model.base_model(
        input_ids=prompt_PL,
        attention_mask=seen_PL,
        position_ids=position_PL,
        past_key_values=cache,
        use_cache=True,
    )
    return output.last_hidden_state[:, -1], cache


class OwnLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of the completions alone, in memory that is allocated once; the prompts' are
    stored separately.
    """

    def __init__(self, prompts: DynamicLayer, rows: int, room: int) -> None:
        super().__init__()
        self.prompt_keys, self.prompt_values = prompts.keys, prompts.values
        self.dtype, self.device, self.is_initialized = prompts.dtype, prompts.device, True
        heads, width, wide = prompts.keys.shape[1], prompts.keys.shape[3], prompts.values.shape[3]
        self._keys, self._values = (
            prompts.keys.new_empty(rows, heads, room, width),
            prompts.values.new_empty(rows, heads, room, wide),
        )
        self.keys, self.values = self._keys[:, :, :0], self._values[:, :, :0]

    def get_seq_length(self) -> int:
        """Tokens read so far, the longest prompt's among them."""
        return int(self.prompt_keys.shape[2] + self.keys.shape[2])

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """The completions' keys and values, with the new states appended."""
        start, end = self.keys.shape[2], self.keys.shape[2] + key_states.shape[2]
        self._keys[:, :, start:end], self._values[:, :, start:end] = key_states, value_states
        self.keys, self.values = self._keys[:, :, :end], self._values[:, :, :end]
        return self.keys, self.values

    def keep(self, rows: Tensor, prompts: Tensor | None) -> None:
        """Keeps the chosen completions, and of the prompts the chosen ones."""
        length = self.keys.shape[2]
        self._keys, self._values = self._keys[rows], self._values[rows]
        self.keys, self.values = self._keys[:, :, :length], self._values[:, :, :length]
        if prompts is not None:
            self.prompt_keys, self.prompt_values = (
                self.prompt_keys[prompts],
                self.prompt_values[prompts],
            )


@dataclass(eq=False)
class Sharing:
    """The plan of a one-token step: rows with the same prompt query its keys together, then each
    its own.
    """

    cache: Cache
    """Its layers are :class:`OwnLayer`."""
    prompt_mask_P11L: Tensor
    """Additive: the lowest float where there is padding."""
    owner_R: Tensor
    """Prompt of each row, in ascending order."""

    def __post_init__(self) -> None:
        self._arrange()

    @classmethod
    def begin(cls, cache: Cache, seen_PL: Tensor, owner_R: Tensor, room: int) -> "Sharing":
        """The plan for a cache that has read the prompts.

        Args:
            cache: Filled; its layers are replaced.
            seen_PL: 1 on the prompts' tokens, 0 on padding.
            owner_R: Prompt of each row, in ascending order.
            room: Tokens each row will read.
        """
        cache.layers = [OwnLayer(layer, len(owner_R), room) for layer in cache.layers]
        return cls(cache, additive(seen_PL == 0)[:, None, None, :], owner_R)

    def _arrange(self) -> None:
        """Computes each row's slot among (prompts x rows of the prompt with the most rows)."""
        count_P = torch.bincount(self.owner_R, minlength=len(self.prompt_mask_P11L))
        most = int(count_P.max())
        first_P = count_P.cumsum(0) - count_P
        self._slot_R = (
            self.owner_R * most
            + torch.arange(len(self.owner_R), device=self.owner_R.device)
            - first_P[self.owner_R]
        )
        self._most, self._full = most, bool((count_P == most).all())

    def keep(self, rows: Tensor) -> None:
        """Drops all other rows, and prompts without rows."""
        prompts, self.owner_R = torch.unique(self.owner_R[rows], return_inverse=True)
        fewer = prompts if len(prompts) < len(self.prompt_mask_P11L) else None
        if fewer is not None:
            self.prompt_mask_P11L = self.prompt_mask_P11L[fewer]
        for layer in self.cache.layers:
            layer.keep(rows, fewer)
        self._arrange()

    def attend(
        self, layer: int, query_RHSd: Tensor, key_RKSd: Tensor, value_RKSd: Tensor, scale: float
    ) -> Tensor:
        """Outputs (R, 1, H, d) of one query a row."""
        rows, heads, _, width = query_RHSd.shape
        prompts, beside = len(self.prompt_mask_P11L), self.cache.layers[layer]
        query_RHd = query_RHSd[:, :, 0]
        # heads that share a key head become queries of one head, so its keys are read once
        own, own_mass = softmax_part(
            query_RHd.reshape(rows, key_RKSd.shape[1], -1, width), key_RKSd, value_RKSd, scale
        )
        slots = (
            query_RHd
            if self._full
            else query_RHd.new_zeros(prompts * self._most, heads, width).index_copy_(
                0, self._slot_R, query_RHd
            )
        )
        wide = slots.view(prompts, self._most, heads, width).transpose(1, 2)
        before, before_mass = softmax_part(
            wide, beside.prompt_keys, beside.prompt_values, scale, self.prompt_mask_P11L
        )
        before, before_mass = (
            before.transpose(1, 2).flatten(0, 1),
            before_mass.transpose(1, 2).flatten(0, 1),
        )
        if not self._full:
            before, before_mass = before[self._slot_R], before_mass[self._slot_R]
        return merge(
            ((before, before_mass), (own.reshape(rows, heads, -1), own_mass.reshape(rows, heads)))
        )[0][:, None]


def thin_products(model: PreTrainedModel) -> AbstractContextManager[None]:
    """A context in which large linear layers multiply few rows transposed if that is faster; equal
    up to float rounding.

    The processor's features decide, never a timing, so a machine always computes the same bits.
    With AVX-512 both ways are equally fast.
    """
    gaining = (
        filter(_gains, model.modules()) if torch.backends.cpu.get_cpu_capability() == "AVX2" else ()
    )
    return going({layer: partial(_thin_linear, layer) for layer in gaining})


def _gains(module: nn.Module) -> TypeGuard[nn.Linear]:
    if type(module) is not nn.Linear or module.weight.numel() < THIN_WEIGHTS:
        return False
    return module.weight.device.type == "cpu" and module.weight.dtype == torch.float32


def _thin_linear(layer: nn.Linear, states: Tensor) -> Tensor:
    rows = states.reshape(-1, states.shape[-1])
    if len(rows) > THIN_ROWS:
        return linear(states, layer.weight, layer.bias)
    product = torch.mm(layer.weight, rows.t()).t().contiguous().view(*states.shape[:-1], -1)
    return product if layer.bias is None else product + layer.bias
