"""The learner: moves a policy along the streams it is given, and never asks which method made them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.learner.losses import Normalise, clipped_surrogate, kl_to_reference, token_weights
from rewardscope.policy.packing import arrange, choose_layout
from rewardscope.policy.policy import Policy
from rewardscope.policy.scoring import score_rows
from rewardscope.seeds import Address, generator
from rewardscope.tensors import Batch, TokenCredit

PASS_TOKENS = 4096
"""Tokens one forward and backward pass reads at most; bounds memory, never results: weights are set by the whole minibatch."""


@dataclass(frozen=True)
class PolicyGradient:
    """Clipped policy gradient with AdamW at a constant rate.

    loss = sum over tokens of weight x (-min(ratio A, clipped ratio A) + kl_weight x k3 KL to the untrained policy).
    The ratio is against the sampler's own logprobs. A minibatch is made of whole groups, so a group's advantages, which sum to zero,
    are never split over updates.
    """

    learning_rate: float = 1e-4
    clip_low: float = 0.2
    clip_high: float = 0.2
    kl_weight: float = 0.0
    """Reward units per nat; 0 = no reference is kept."""
    normalise: Normalise = "token"
    minibatches: int = 1
    """Updates per pass over the step's groups."""
    epochs: int = 1
    """Passes over the step's groups."""
    max_gradient_norm: float = 1.0
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999

    def __post_init__(self) -> None:
        if self.learning_rate < 0 or not 0 <= self.clip_low <= 1 or self.clip_high < 0 or self.minibatches < 1 or self.epochs < 1:
            raise ComponentError(
                "PolicyGradient cannot learn with these numbers",
                value=self,
                allowed="learning_rate >= 0, 0 <= clip_low <= 1, clip_high >= 0, minibatches >= 1, epochs >= 1",
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
            reference_logprob_NT: Of the untrained policy; only read when ``kl_weight`` is not 0.
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
                notes.append(self._step(policy, optimizer, batch, credit, reference_logprob_NT, max_tokens, chosen))
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
    ) -> dict[str, float]:
        """One optimizer step on the chosen problems, gradients summed over as many passes as memory asks for."""
        part = batch.problems(chosen)
        rows_N = torch.tensor([p * batch.group_size + g for p in chosen for g in range(batch.group_size)])
        width = part.token_NT.shape[1]
        weight_NT = token_weights(part.mask_NT, self.normalise, max_tokens)
        advantage_NT = credit.advantage_NT[rows_N, :width]
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
            loss_M, cut_M = clipped_surrogate(logprob_M, old_M, pick(advantage_NT), self.clip_low, self.clip_high)
            if self.kl_weight and reference_logprob_NT is not None:
                loss_M = loss_M + self.kl_weight * kl_to_reference(logprob_M, pick(reference_logprob_NT[rows_N, :width]))
            loss = (pick(weight_NT) * loss_M).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            total["loss"] += float(loss.detach())
            total["clip_share"] += float(cut_M.float().sum()) / num_tokens
            total["entropy_mean_nats"] += float(entropy_M.sum()) / num_tokens
            total["kl_to_sampler_nats"] += float(kl_to_reference(old_M, logprob_M.detach()).sum()) / num_tokens
        total["gradient_norm"] = float(torch.nn.utils.clip_grad_norm_(policy.model.parameters(), self.max_gradient_norm))
        optimizer.step()
        return total


def save_optimizer(optimizer: torch.optim.Optimizer, path: Path) -> None:
    """Writes the optimizer's tensors as safetensors: reading them back can run no code."""
    state = optimizer.state_dict()["state"]
    save_file({f"{index}.{name}": tensor.contiguous() for index, entry in state.items() for name, tensor in entry.items()}, path)


def load_optimizer(optimizer: torch.optim.Optimizer, path: Path) -> None:
    """Puts the saved tensors back into a fresh optimizer over the same weights."""
    state: dict[int, dict[str, Tensor]] = {}
    for place, tensor in load_file(path).items():
        index, name = place.split(".", 1)
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
