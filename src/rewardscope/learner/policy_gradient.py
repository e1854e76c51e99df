"""The learner: moves a policy along the streams it is given, and never asks which method made them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import torch
from jaxtyping import Float
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.learner.critic import Critic
from rewardscope.learner.implicit import ImplicitReward
from rewardscope.learner.losses import Normalise, Ratio, clipped_surrogate, ratio_to_sampler, token_weights
from rewardscope.policy.packing import arrange, choose_layout
from rewardscope.policy.policy import Policy
from rewardscope.policy.scoring import score_rows
from rewardscope.seeds import Address, generator
from rewardscope.tensors import KL, Batch, TokenCredit, kl_estimate

PASS_TOKENS = 4096
"""Tokens one forward and backward pass reads at most; bounds memory, never results: weights are set by the whole minibatch."""


@dataclass(frozen=True)
class PolicyGradient:
    """Clipped policy gradient with AdamW at a constant rate.

    loss = sum over tokens of weight x (-min(ratio A, clipped ratio A) + kl_weight x KL to the reference).
    The ratio is against the sampler's own logprobs. A minibatch is made of whole groups, so a group's advantages, which sum to zero,
    are never split over updates.
    """

    learning_rate: float = 1e-4
    clip_low: float = 0.2
    clip_high: float = 0.2
    ratio: Ratio = "token"
    """Per token, or one per completion: its geometric mean (GSPO; its clips are about 3e-4 and 4e-4), or the product (RLOO in TRL)."""
    kl_weight: float = 0.0
    """Reward units per nat; 0 = no KL term, and no reference is kept for it."""
    kl: KL = "k3"
    """Estimator of the KL term."""
    normalise: Normalise = "token"
    minibatches: int = 1
    """Updates per pass over the step's groups."""
    epochs: int = 1
    """Passes over the step's groups."""
    max_gradient_norm: float = 1.0
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    reset_every: int = 0
    """Steps between resets of reference and optimizer to the policy as it is then (ProRL); 0 = never."""
    critic: Critic | None = None
    """For credit that reads values."""
    implicit: ImplicitReward | None = None
    """For credit that reads implicit rewards."""

    def __post_init__(self) -> None:
        rates = self.learning_rate >= 0 and self.kl_weight >= 0 and 0 <= self.clip_low <= 1 and self.clip_high >= 0
        counts = self.minibatches >= 1 and self.epochs >= 1 and self.reset_every >= 0
        if not (rates and counts and self.ratio in get_args(Ratio) and self.kl in get_args(KL)):
            raise ComponentError(
                "PolicyGradient cannot learn with these settings",
                value=self,
                allowed="learning_rate, kl_weight, clip_high, reset_every >= 0, 0 <= clip_low <= 1, minibatches >= 1, epochs >= 1, "
                "ratio one of token, sequence, product, kl one of k1, k2, k3",
                do="Mend them in the study",
            )
        token_weights(torch.ones(1, 1, dtype=torch.bool), self.normalise, 1)

    def optimizer(self, policy: Policy) -> torch.optim.AdamW:
        """A fresh optimizer over all weights of the policy."""
        return torch.optim.AdamW(
            policy.model.parameters(),
            lr=self.learning_rate,
            betas=(self.beta1, self.beta2),
            weight_decay=self.weight_decay,
            fused=True,
        )

    def update(
        self,
        policy: Policy,
        optimizer: torch.optim.Optimizer,
        batch: Batch,
        credit: TokenCredit,
        reference_logprob_NT: Float[Tensor, "N T"] | None,
        max_tokens: int,
        address: tuple[Address, ...],
    ) -> Mapping[str, float]:
        """Moves the policy by epochs x minibatches optimizer steps and says what happened.

        Args:
            policy: Moved in place.
            optimizer: Its state, moved in place.
            batch: The step's tokens.
            credit: Advantage per token.
            reference_logprob_NT: Of the reference; only read when ``kl_weight`` is not 0.
            max_tokens: Longest possible completion, for the constant normaliser.
            address: Where the order of groups is found.

        Returns:
            loss, clip_share, gradient_norm (before clipping), entropy_mean_nats (first pass), kl_to_sampler_nats (k3, last pass),
            each a mean over the optimizer steps it belongs to.
        """
        notes: list[dict[str, float]] = []
        for epoch in range(self.epochs):
            order = generator(*address, "minibatches", epoch).permutation(batch.num_problems).tolist()
            count = min(self.minibatches, batch.num_problems)
            for part in range(count):
                chosen = sorted(order[part::count])
                notes.append(self._step(policy, optimizer, batch, credit, reference_logprob_NT, max_tokens, chosen, address))
        mean = {name: sum(note[name] for note in notes) / len(notes) for name in notes[0]}
        return {**mean, "entropy_mean_nats": notes[0]["entropy_mean_nats"], "kl_to_sampler_nats": notes[-1]["kl_to_sampler_nats"]}

    def _step(
        self,
        policy: Policy,
        optimizer: torch.optim.Optimizer,
        batch: Batch,
        credit: TokenCredit,
        reference_logprob_NT: Tensor | None,
        max_tokens: int,
        chosen: list[int],
        address: tuple[Address, ...],
    ) -> dict[str, float]:
        """One optimizer step on the chosen problems, gradients summed over as many passes as memory asks for."""
        part = batch.problems(chosen)
        rows_N = torch.tensor([p * batch.group_size + g for p in chosen for g in range(batch.group_size)])
        width = part.token_NT.shape[1]
        advantage_NT = credit.advantage_NT[rows_N, :width]
        weight_NT = token_weights(part.mask_NT, self.normalise, max_tokens, advantage_NT)
        total = {"loss": 0.0, "clip_share": 0.0, "entropy_mean_nats": 0.0, "kl_to_sampler_nats": 0.0}
        num_tokens = int(part.mask_NT.sum())
        optimizer.zero_grad(set_to_none=True)
        for rows in arrange(part, choose_layout(policy, part), PASS_TOKENS, policy.device):
            members = list(rows.members)
            mask = part.mask_NT[members]

            def pick(tensor_NT: Tensor, members: list[int] = members, mask: Tensor = mask) -> Tensor:
                return tensor_NT[members][mask].to(policy.device)

            logprob_M, entropy_M = score_rows(policy, rows, part)
            old_M = pick(part.sampler_logprob_NT)
            owner_M = torch.arange(len(members)).repeat_interleave(mask.sum(dim=1)).to(policy.device)
            ratio_M = ratio_to_sampler(logprob_M, old_M, owner_M, len(members), self.ratio)
            loss_M, cut_M = clipped_surrogate(ratio_M, pick(advantage_NT), self.clip_low, self.clip_high)
            if self.kl_weight and reference_logprob_NT is not None:
                loss_M = loss_M + self.kl_weight * kl_estimate(logprob_M, pick(reference_logprob_NT[rows_N, :width]), self.kl)
            loss = (pick(weight_NT) * loss_M).sum()
            if not loss.isfinite():
                value = f"{float(loss.detach())} at {address}"
                raise ComponentError("The loss is not a number", value=value, do="The checkpoint before is kept; lower the learning rate")
            loss.backward()  # type: ignore[no-untyped-call]
            total["loss"] += float(loss.detach())
            total["clip_share"] += float(cut_M.float().sum()) / num_tokens
            total["entropy_mean_nats"] += float(entropy_M.sum()) / num_tokens
            total["kl_to_sampler_nats"] += float(kl_estimate(old_M, logprob_M.detach(), "k3").sum()) / num_tokens
        total["gradient_norm"] = float(torch.nn.utils.clip_grad_norm_(policy.model.parameters(), self.max_gradient_norm))
        optimizer.step()
        return total
