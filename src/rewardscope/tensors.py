"""The torch containers, and the axis legend that every tensor name follows.

P  problems in a step           G  completions per problem     N  = P * G rows, problem-major
T  completion tokens (padded)   V  vocabulary                  K  kept teacher entries
L  prompt tokens                S  positions of a packed row   R  packed rows
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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


KL = Literal["k1", "k2", "k3"]
"""Estimator of KL(policy || reference) from one token: unbiased and of either sign; squared; unbiased and never negative."""
Signal = Literal["reference_logprob_NT", "entropy_NT", "planning_NT", "value_NT", "implicit_NT"]
"""A field of :class:`Signals` that costs something to make, and so is made only for a credit method that asks for it."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What a credit method may read: rewards, tokens, and of the rest only what it asked for; nothing here carries a gradient."""

    reward_PG: Float[Tensor, "P G"]
    """Reward told to the learner; NaN = untold."""
    mask_NT: Bool[Tensor, "N T"]
    """True on sampled tokens."""
    sampler_logprob_NT: Float[Tensor, "N T"] | None = None
    """Nats under the policy that sampled."""
    reference_logprob_NT: Float[Tensor, "N T"] | None = None
    """Nats under the reference: the untrained policy, or the one it was last reset to."""
    entropy_NT: Float[Tensor, "N T"] | None = None
    """Nats of the distribution that each token was drawn from."""
    planning_NT: Bool[Tensor, "N T"] | None = None
    """True on tokens inside an occurrence of one of the method's strategic grams."""
    value_NT: Float[Tensor, "N T"] | None = None
    """The critic's estimate before each token of the reward still to come."""
    implicit_NT: Float[Tensor, "N T"] | None = None
    """Reward per token under the implicit reward model: beta x its log-ratio to the reference."""
    address: tuple[str | int | float | bool, ...] = ()
    """Where a method that draws (a placebo of its own shape) finds its randomness."""

    @property
    def reward_N(self) -> Float[Tensor, " N"]:
        """One reward per completion."""
        return self.reward_PG.reshape(-1)


@dataclass(frozen=True, slots=True)
class TokenCredit:
    """Reward spread over tokens. The learner reads these streams and never asks which method made them."""

    advantage_NT: Float[Tensor, "N T"]
    """Reward units per token; 0 off the mask."""
    notes: Mapping[str, float] = field(default_factory=dict)
    """Numbers for the step row, named ``credit/...``."""
    target_value_NT: Float[Tensor, "N T"] | None = None
    """What the critic should have said; NaN where it is taught nothing."""


@dataclass(frozen=True, slots=True)
class TokenScores:
    """What a policy says about given tokens."""

    logprob_NT: Float[Tensor, "N T"]
    """Nats per completion token at the batch's temperature; 0 off the mask."""
    entropy_NT: Float[Tensor, "N T"]
    """Nats of the distribution each token was drawn from; detached, 0 off the mask."""


def kl_estimate(logprob: Tensor, reference_logprob: Tensor, estimator: KL) -> Tensor:
    """KL(policy || reference) per token in nats, of any shape.

    With d = reference - policy:  k1 = -d,  k2 = d^2 / 2,  k3 = exp(d) - d - 1.

    Source:
        Schulman 2020, "Approximating KL divergence"; k3 is the one of Shao et al. 2024, arXiv:2402.03300, eq. 4.
    """
    difference = reference_logprob - logprob
    if estimator == "k1":
        return -difference
    if estimator == "k2":
        return difference.square() / 2
    return difference.exp() - difference - 1
