"""The torch containers, and the axis legend that every tensor name follows.

P  problems in a step           G  completions per problem     N  = P * G rows, problem-major
T  completion tokens (padded)   V  vocabulary                  K  kept teacher entries
L  prompt tokens                S  positions of a packed row   R  packed rows
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """The tokens of one step's groups, completions padded on the right."""

    prompt_ids: tuple[tuple[int, ...], ...]
    """P prompts, each as long as it is."""
    token_NT: Int[Tensor, "N T"]
    """Completion tokens; 0 where the mask is False."""
    mask_NT: Bool[Tensor, "N T"]
    """True on sampled tokens, the end token included."""
    sampler_logprob_NT: Float[Tensor, "N T"]
    """Nats under the sampling policy at the sampling temperature; 0 where the mask is False."""
    group_size: int
    """G."""
    temperature: float
    """At which logits are divided before every logprob of this batch."""

    @property
    def num_problems(self) -> int:
        """P."""
        return len(self.prompt_ids)

    def problems(self, chosen: list[int]) -> "Batch":
        """The sub-batch of the chosen problems, in their order, all completions kept."""
        rows = torch.tensor([p * self.group_size + g for p in chosen for g in range(self.group_size)])
        width = int(self.mask_NT[rows].sum(dim=1).max())
        return Batch(
            prompt_ids=tuple(self.prompt_ids[p] for p in chosen),
            token_NT=self.token_NT[rows, :width],
            mask_NT=self.mask_NT[rows, :width],
            sampler_logprob_NT=self.sampler_logprob_NT[rows, :width],
            group_size=self.group_size,
            temperature=self.temperature,
        )


@dataclass(frozen=True, slots=True)
class Signals:
    """What a credit method may read: only what it asked for is there."""

    reward_PG: Float[Tensor, "P G"]
    """Reward told to the learner; NaN = untold."""
    mask_NT: Bool[Tensor, "N T"]
    """True on sampled tokens."""


@dataclass(frozen=True, slots=True)
class TokenCredit:
    """Reward spread over tokens. The learner reads these streams and never asks which method made them."""

    advantage_NT: Float[Tensor, "N T"]
    """Reward units per token; 0 off the mask."""
    notes: Mapping[str, float] = field(default_factory=dict)
    """Numbers for the step row, named ``credit/...``."""


@dataclass(frozen=True, slots=True)
class TokenScores:
    """What a policy says about given tokens."""

    logprob_NT: Float[Tensor, "N T"]
    """Nats per completion token at the batch's temperature; 0 off the mask."""
    entropy_NT: Float[Tensor, "N T"]
    """Nats of the distribution each token was drawn from; detached, 0 off the mask."""
