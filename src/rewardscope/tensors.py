"""The torch containers, and the axis legend that every tensor name follows.

P  problems in a step           G  completions per problem     N  = P * G rows, problem-major
T  completion tokens (padded)   V  vocabulary                  K  kept teacher entries
L  prompt tokens                S  positions of a packed row   R  packed rows
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rewardscope.errors import ComponentError


@dataclass(frozen=True, slots=True)
class Batch:
    """The tokens that the policy chose in one step's groups, with completions padded on the right:
    a row's mask is True, then False.

    An environment's tokens between turns are in no (N, T) tensor, so no advantage, loss or
    statistic includes them. They are read as context from ``read_ids`` only.
    """

    prompt_ids: tuple[tuple[int, ...], ...]
    """P prompts, without padding."""
    token_NT: Int[Tensor, "N T"]
    """Completion tokens; 0 where the mask is False."""
    mask_NT: Bool[Tensor, "N T"]
    """True on sampled tokens, the end token included."""
    sampler_logprob_NT: Float[Tensor, "N T"]
    """Nats under the sampling policy at the sampling temperature; 0 where the mask is False."""
    group_size: int
    """G."""
    temperature: float
    """Divides the logits for every logprob of this batch."""
    read_ids: tuple[tuple[int, ...], ...] | None = None
    """N completions as the model reads them, the environment's tokens among the policy's; None =
    there are none.
    """
    place_NT: Int[Tensor, "N T"] | None = None
    """Position of each chosen token in its ``read_ids``, 0 off the mask; None = t."""
    exact: bool = True
    """Whether the sampler's logprobs equal the policy's own, up to rounding of float32."""
    old_logprob_NT: Float[Tensor, "N T"] | None = None
    """Nats under the policy before the step's first update, from its own forward pass. None = the
    sampler's stand for them if ``exact``; otherwise the learner finds them.
    """

    @property
    def num_problems(self) -> int:
        """P."""
        return len(self.prompt_ids)

    @property
    def read_N(self) -> list[list[int]]:
        """Tokens of each completion, whoever chose them."""
        if self.read_ids is not None:
            return [list(ids) for ids in self.read_ids]
        return [
            row[:count]
            for row, count in zip(
                self.token_NT.tolist(), self.mask_NT.sum(dim=1).tolist(), strict=True
            )
        ]

    @property
    def places_N(self) -> list[list[int]]:
        """Positions in ``read_N`` of the tokens that the policy chose."""
        counts: list[int] = self.mask_NT.sum(dim=1).tolist()
        if self.place_NT is None:
            return [list(range(count)) for count in counts]
        return [row[:count] for row, count in zip(self.place_NT.tolist(), counts, strict=True)]

    @property
    def length_N(self) -> Int[Tensor, " N"]:
        """Tokens of each completion up to the last one the policy chose, including the
        environment's.
        """
        count_N = self.mask_NT.sum(dim=1)
        return count_N if self.place_NT is None else (self.place_NT.amax(dim=1) + 1) * (count_N > 0)

    def rows(self, chosen: list[int]) -> Int[Tensor, " n"]:
        """Rows of all completions of the chosen problems."""
        size = self.group_size
        return torch.tensor([p * size + g for p in chosen for g in range(size)])

    def problems(self, chosen: list[int]) -> "Batch":
        """The sub-batch of the chosen problems, in their order, all completions kept."""
        rows = self.rows(chosen)
        width = int(self.mask_NT[rows].sum(dim=1).max())
        return Batch(
            prompt_ids=tuple(self.prompt_ids[p] for p in chosen),
            token_NT=self.token_NT[rows, :width],
            mask_NT=self.mask_NT[rows, :width],
            sampler_logprob_NT=self.sampler_logprob_NT[rows, :width],
            group_size=self.group_size,
            temperature=self.temperature,
            exact=self.exact,
            old_logprob_NT=None
            if self.old_logprob_NT is None
            else self.old_logprob_NT[rows, :width],
            **self._between(rows.tolist(), width),
        )

    def _between(self, rows: list[int], width: int) -> dict[str, Any]:
        """The fields about the environment's tokens for some completions."""
        if self.read_ids is None or self.place_NT is None:
            return {}
        return {
            "read_ids": tuple(self.read_ids[row] for row in rows),
            "place_NT": self.place_NT[rows, :width],
        }

    def behind(self, prompt_ids: Sequence[tuple[int, ...]], rows: list[int]) -> "Batch":
        """The completions of ``rows``, each after a prompt of its own."""
        between = self._between(rows, self.mask_NT.shape[1])
        own = (self.token_NT[rows], self.mask_NT[rows], self.sampler_logprob_NT[rows])
        return Batch(tuple(prompt_ids), *own, 1, self.temperature, **between)


KL = Literal["k1", "k2", "k3"]
"""Estimator of KL(policy || reference) from one token: unbiased and of either sign; squared;
unbiased and never negative.
"""
Signal = Literal[
    "policy_logprob_NT",
    "reference_logprob_NT",
    "entropy_NT",
    "planning_NT",
    "value_NT",
    "implicit_NT",
    "teaching",
    "mismatched_N",
]
"""A field of :class:`Signals` that costs computation, so it is made only if a credit method needs
it.
"""


@dataclass(frozen=True, slots=True)
class Teaching:
    """A teacher's distributions at every token of the policy's completions."""

    evidence_N: Bool[Tensor, " N"]
    """Whether the teacher had evidence; without it, the rows below are meaningless."""
    logprob_NTK: Float[Tensor, "N T K"]
    """The teacher's nats for the kept tokens; 0 off the mask."""
    kept_NTK: Int[Tensor, "N T K"] | None
    """Ids of the kept tokens; None = the whole vocabulary, in order."""


@dataclass(frozen=True, slots=True)
class Signals:
    """The input of a credit method: rewards, tokens, and the signals it needs; no gradients."""

    reward_PG: Float[Tensor, "P G"]
    """Rewards; NaN = none."""
    mask_NT: Bool[Tensor, "N T"]
    """True on sampled tokens."""
    sampler_logprob_NT: Float[Tensor, "N T"] | None = None
    """Nats under the policy that sampled, as the sampler gave them."""
    policy_logprob_NT: Float[Tensor, "N T"] | None = None
    """Nats under the policy before the update: the sampler's own where they are exact, those of the
    policy's forward pass otherwise.
    """
    reference_logprob_NT: Float[Tensor, "N T"] | None = None
    """Nats under the reference: the untrained policy, or the policy at its last reset."""
    entropy_NT: Float[Tensor, "N T"] | None = None
    """Nats of the distribution that each token was drawn from."""
    planning_NT: Bool[Tensor, "N T"] | None = None
    """True on tokens inside an occurrence of one of the method's strategic grams."""
    value_NT: Float[Tensor, "N T"] | None = None
    """The critic's estimate, before each token, of the future reward."""
    implicit_NT: Float[Tensor, "N T"] | None = None
    """Reward per token under the implicit reward model: beta x its log-ratio to the reference."""
    teaching: Teaching | None = None
    """The teacher's distributions at each completion's tokens, after the method's reprompt."""
    mismatched_N: Float[Tensor, " N"] | None = None
    """Nats: log-ratio of policy to reference for each completion, after the prompt of another
    problem of the step.
    """
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    """Signals of the method's own makers, by name."""
    token_NT: Int[Tensor, "N T"] | None = None
    """The tokens themselves, for a method that counts equal completions once."""
    address: tuple[str | int | float | bool, ...] = ()
    """Address of the randomness of a method that draws, such as a placebo."""

    @property
    def reward_N(self) -> Float[Tensor, " N"]:
        """One reward per completion."""
        return self.reward_PG.reshape(-1)

    def ask(self, name: str, method: str) -> Tensor:
        """The signal that the method declared: one of the fields, or one of ``extra``.

        Raises:
            ComponentError: If it was not made.
        """
        signal: Tensor | None = self.extra.get(name)
        if signal is None:
            signal = getattr(self, name, None)
        if signal is None:
            raise ComponentError(
                f"{method} reads a signal that was not given",
                value=name,
                do=f"Let its `needs` name {name}",
            )
        return signal


CompletionLoss = Callable[[Float[Tensor, "P G"], list[int]], Float[Tensor, ""]]
"""Loss of the chosen problems from the summed logprobs (nats) of their completions, which carry the
gradient.
"""


@dataclass(frozen=True, slots=True)
class Distillation:
    """A teacher's distributions to move towards."""

    teaching: Teaching
    mixing: float
    """0 = KL(teacher || policy), 1 = KL(policy || teacher), between = the generalised
    Jensen-Shannon divergence.
    """
    weight: float = 1.0
    """Relative to the other streams."""
    sampled: bool = False
    """Whether only the sampled token is kept, so that the loss is stop_gradient(log policy - log
    teacher) x log policy.
    """
    most_ratio: float = 2.0
    """Cap of the ratio to the sampler that each token's loss is multiplied by; 0 = no ratio."""


@dataclass(frozen=True, slots=True)
class TokenCredit:
    """Reward spread over tokens, as streams that the learner reads whatever the method."""

    advantage_NT: Float[Tensor, "N T"]
    """Reward units per token; 0 off the mask."""
    notes: Mapping[str, float] = field(default_factory=dict)
    """Numbers for the step row, named ``credit/...``."""
    target_value_NT: Float[Tensor, "N T"] | None = None
    """Targets of the critic; NaN = no target."""
    imitation_NT: Float[Tensor, "N T"] | None = None
    """Weight of -log policy at each token; 0 = nothing to imitate there."""
    distillation: Distillation | None = None
    """Distributions to move towards."""
    completion_loss: CompletionLoss | None = None
    """A loss of whole completions, for methods that compare them."""

    def rows(self, rows_N: Int[Tensor, " n"], width: int) -> "TokenCredit":
        """The streams of some completions, cut to ``width`` tokens."""

        def cut(stream: Tensor | None) -> Tensor | None:
            return None if stream is None else stream[rows_N, :width]

        distillation = self.distillation
        if distillation is not None:
            said = distillation.teaching
            kept = None if said.kept_NTK is None else said.kept_NTK[rows_N, :width]
            distillation = replace(
                distillation,
                teaching=Teaching(said.evidence_N[rows_N], said.logprob_NTK[rows_N, :width], kept),
            )
        return TokenCredit(
            self.advantage_NT[rows_N, :width],
            self.notes,
            cut(self.target_value_NT),
            cut(self.imitation_NT),
            distillation,
            self.completion_loss,
        )

    @property
    def finite_N(self) -> Bool[Tensor, " N"]:
        """Whether all numbers for the training on a completion are finite."""
        fine_N = self.advantage_NT.isfinite().all(dim=1)
        if self.imitation_NT is not None:
            fine_N = fine_N & self.imitation_NT.isfinite().all(dim=1)
        if self.distillation is not None:
            fine_N = fine_N & ~self.distillation.teaching.logprob_NTK.isnan().flatten(1).any(
                dim=1
            )  # -inf: a token of no probability
        return fine_N


@dataclass(frozen=True, slots=True)
class TokenScores:
    """A policy's scores of given tokens."""

    logprob_NT: Float[Tensor, "N T"]
    """Nats per completion token at the batch's temperature; 0 off the mask."""
    entropy_NT: Float[Tensor, "N T"]
    """Nats of the distribution each token was drawn from; detached, 0 off the mask."""


def kl_estimate(logprob: Tensor, reference_logprob: Tensor, estimator: KL) -> Tensor:
    """KL(policy || reference) per token in nats, of any shape.

    With d = reference - policy:  k1 = -d,  k2 = d^2 / 2,  k3 = exp(d) - d - 1.

    Source:
        Schulman 2020, "Approximating KL divergence"; k3 is the one of Shao et al. 2024,
            arXiv:2402.03300, eq. 4.
    """
    difference = reference_logprob - logprob
    if estimator == "k1":
        return -difference
    if estimator == "k2":
        return difference.square() / 2
    return difference.exp() - difference - 1
