"""One row per group: the prompt once, then its completions, which do not see each other.

A row is  prompt | completion 1 | completion 2 | ...  with a block mask (a completion sees the
prompt and itself) and position ids that start again after the prompt. Every completion is thus
scored as if it were alone after its prompt. A completion's last token predicts no sampled token, so
it is not read. An environment's tokens between turns are read, but never scored.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from rewardscope.policy.attention import Blocks, attending, block_mask
from rewardscope.policy.lean import lean
from rewardscope.policy.policy import Policy
from rewardscope.policy.recomputing import layers_again, recomputes
from rewardscope.tensors import Batch

Layout = Literal["packed", "plain"]
ROW_TOKENS = 2048
"""Longer packed rows are split by completions, which repeats the prompt and changes no result."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Model inputs for some completions, and the position that predicts each of their tokens."""

    input_RS: Tensor
    position_RS: Tensor
    segment_RS: Tensor | None
    """0 on a prompt, 1 and up on its completions, -1 on padding; None = plain causal rows."""
    row_M: Tensor
    """Row of the position that predicts token m, over the M sampled tokens in (n, t) order."""
    column_M: Tensor
    members: tuple[int, ...]
    """Completions (indices into N) whose tokens M runs over, in order."""

    @property
    def num_tokens(self) -> int:
        """Tokens the model reads, padding included."""
        return self.input_RS.numel()

    def mask_R1SS(self, dtype: torch.dtype = torch.float32) -> Tensor | None:
        """Additive mask, 0 or the format's lowest number; None = plain causal rows."""
        return None if self.segment_RS is None else block_mask(self.segment_RS, dtype)

    @cached_property
    def blocks(self) -> Blocks | None:
        """The mask for attention by blocks, which skips masked positions; None for plain rows."""
        return None if self.segment_RS is None else Blocks.of(self.segment_RS)


def choose_layout(policy: Policy, batch: Batch) -> Layout:
    """The layout with the lower cost, counted as multiply-adds: 2 x weights per token, 4 x width x
    layers per attended pair.

    Plain if the family cannot read packed rows, or a layer's window is shorter than a prompt with
    its completion.
    """
    length_N = _lengths_read(batch)
    if (
        policy.window is not None
        and max(map(len, batch.prompt_ids)) + max(length_N) > policy.window
    ):
        return "plain"
    if not policy.packs:
        return "plain"
    config = policy.model.config
    per_token = 2 * sum(p.numel() for p in policy.model.base_model.parameters())
    per_pair = 4 * config.hidden_size * config.num_hidden_layers
    plain = packed = 0.0
    for p, prompt in enumerate(batch.prompt_ids):
        lengths = length_N[p * batch.group_size : (p + 1) * batch.group_size]
        plain += sum(
            per_token * (len(prompt) + t) + per_pair * (len(prompt) + t) ** 2 / 2 for t in lengths
        )
        for members in _split(len(prompt), lengths):
            own = [lengths[g] for g in members]
            width = len(prompt) + sum(own)
            seen = len(prompt) ** 2 / 2 + sum(t * (len(prompt) + t / 2) for t in own)
            packed += per_token * width + per_pair * (
                seen if policy.blocks else width**2
            )  # a dense mask saves no work
    return "packed" if packed < plain else "plain"


def _lengths_read(batch: Batch) -> list[int]:
    """Tokens of each completion that the model reads: all but the last."""
    read: list[int] = (batch.length_N - 1).clamp(min=0).tolist()
    return read


def _split(prompt_length: int, lengths: list[int]) -> list[list[int]]:
    """Completions of one group, cut into rows of at most ROW_TOKENS tokens."""
    rows: list[list[int]] = [[]]
    width = prompt_length
    for member, length in enumerate(lengths):
        if rows[-1] and width + length > ROW_TOKENS:
            rows.append([])
            width = prompt_length
        rows[-1].append(member)
        width += length
    return rows


def read(policy: Policy, rows: Rows, *, states: bool = False) -> Tensor:
    """The model's output for the rows: :meth:`Policy.hidden` (R, S, ...), or its last states for
    any head.
    """
    forward = policy.states if states else policy.hidden
    blocks = rows.blocks if policy.blocks else None
    keeping: AbstractContextManager[None] = nullcontext()
    if torch.is_grad_enabled() and recomputes():
        keeping = layers_again(policy.model, lambda: attending(policy.model, blocks))
    elif torch.is_grad_enabled() and policy.lean:
        keeping = lean(policy.model)
    with attending(policy.model, blocks), keeping:
        return forward(
            input_ids=rows.input_RS,
            position_ids=rows.position_RS,
            attention_mask=rows.mask_R1SS(policy.model.dtype) if blocks is None else None,
        )


def arrange(batch: Batch, layout: Layout, max_tokens: int, device: torch.device) -> list[Rows]:
    """The batch as model inputs, in passes of at most ``max_tokens`` tokens (a single longer row
    still goes alone).
    """
    length_N = _lengths_read(batch)
    size = batch.group_size
    rows: list[tuple[int, list[int]]] = []  # (problem, completions in the row)
    for p, prompt in enumerate(batch.prompt_ids):
        members = [p * size + g for g in range(size)]
        if layout == "plain":
            rows += [(p, [n]) for n in members]
        else:
            rows += [
                (p, [members[g] for g in row])
                for row in _split(len(prompt), [length_N[n] for n in members])
            ]
    passes: list[list[tuple[int, list[int]]]] = []
    widest = 0
    for p, members in rows:
        width = len(batch.prompt_ids[p]) + sum(length_N[n] for n in members)
        if not passes or max(widest, width) * (len(passes[-1]) + 1) > max_tokens:
            passes.append([])
            widest = 0
        passes[-1].append((p, members))
        widest = max(widest, width)
    read_N = [ids[:length] for ids, length in zip(batch.read_N, length_N, strict=True)]
    places_N = batch.places_N
    return [_build(batch.prompt_ids, read_N, places_N, chosen, layout, device) for chosen in passes]


def _build(
    prompt_ids: Sequence[tuple[int, ...]],
    read_N: list[list[int]],
    places_N: list[list[int]],
    chosen: list[tuple[int, list[int]]],
    layout: Layout,
    device: torch.device,
) -> Rows:
    width = max(len(prompt_ids[p]) + sum(len(read_N[n]) for n in members) for p, members in chosen)
    inputs: list[list[int]] = []
    positions: list[list[int]] = []
    segments: list[list[int]] = []  # 0 = prompt, 1.. = completions, -1 = padding
    rows: list[int] = []
    columns: list[int] = []
    for r, (p, members) in enumerate(
        chosen
    ):  # lists, because one tensor per completion takes longer than the model's pass over it
        prompt = prompt_ids[p]
        ids, position, segment = list(prompt), list(range(len(prompt))), [0] * len(prompt)
        for number, n in enumerate(members, 1):
            # the first token of every completion is predicted by the prompt's last
            column = [len(ids) - 1 + at if at else len(prompt) - 1 for at in places_N[n]]
            columns += column
            rows += [r] * len(column)
            ids += read_N[n]
            position += range(len(prompt), len(prompt) + len(read_N[n]))
            segment += [number] * len(read_N[n])
        padding = width - len(ids)
        inputs.append(ids + [0] * padding)
        positions.append(position + [0] * padding)
        segments.append(segment + [-1] * padding)
    return Rows(
        torch.tensor(inputs, device=device),
        torch.tensor(positions, device=device),
        torch.tensor(segments, device=device) if layout == "packed" else None,
        torch.tensor(rows, dtype=torch.long, device=device),
        torch.tensor(columns, dtype=torch.long, device=device),
        tuple(n for _, members in chosen for n in members),
    )
