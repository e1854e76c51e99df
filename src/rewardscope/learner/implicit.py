"""The implicit reward model of PRIME: a second policy whose log-ratio to the reference is a reward
per token.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from rewardscope.errors import ComponentError
from rewardscope.learner.optimizers import load_optimizer, save_optimizer
from rewardscope.policy.packing import arrange, choose_layout
from rewardscope.policy.policy import Policy
from rewardscope.policy.scoring import PASS_TOKENS, score, score_rows
from rewardscope.tensors import Batch


@dataclass(frozen=True)
class ImplicitReward:
    """Trained online on outcomes alone: cross-entropy of sigmoid(sum over tokens of beta (log
    pi_phi - log pi_reference)) to the reward.

    It starts as the reference, so its first rewards are 0. A step's rewards are computed before the
    model learns from that step (the source calls this "after"; its run script uses it).
    ``frozen=True`` is the control in which the model never learns.

    Source:
        Cui et al. 2025, arXiv:2502.01456 (PRIME), algorithm 1, with beta 0.05 and twice the
            policy's learning rate.
    """

    learning_rate: float = 2e-4
    beta: float = 0.05
    max_gradient_norm: float = 10.0
    frozen: bool = False

    def __post_init__(self) -> None:
        if not (self.learning_rate > 0 and self.beta > 0 and self.max_gradient_norm > 0):
            raise ComponentError(
                "ImplicitReward needs a learning rate, beta and gradient norm above 0",
                value=self,
                do="Correct them in the study file",
            )

    def begin(self, start: Policy) -> "ImplicitState":
        """The untrained model, which takes over ``start``, a copy of the reference."""
        optimizer = torch.optim.AdamW(
            start.moving().values(), lr=self.learning_rate, weight_decay=0.0, fused=True
        )
        return ImplicitState(self, start, optimizer)


@dataclass(frozen=True, eq=False)
class ImplicitState:
    """An implicit reward model in training."""

    settings: ImplicitReward
    policy: Policy
    optimizer: torch.optim.AdamW

    def rewards(self, batch: Batch, reference_logprob_NT: Tensor) -> Tensor:
        """Reward units: beta x log-ratio per token (N, T), 0 off the mask."""
        return (
            self.settings.beta
            * (score(self.policy, batch).logprob_NT - reference_logprob_NT)
            * batch.mask_NT
        )

    def learn(
        self, batch: Batch, reward_N: Tensor, reference_logprob_NT: Tensor
    ) -> dict[str, float]:
        """Cross-entropy (nats) and pairwise accuracy within groups, both before one optimizer step
        on the completions with a reward.

        Raises:
            ComponentError: If a reward lies outside [0, 1], so it is not an outcome.
        """
        outside = reward_N[(reward_N < 0) | (reward_N > 1)]
        if len(outside):
            raise ComponentError(
                "An implicit reward model learns from outcomes in [0, 1]",
                value=float(outside[0]),
                do="Choose a reward such as Truth or Coin",
            )
        told = int((~reward_N.isnan()).sum())
        logit_N = torch.full_like(reward_N, torch.nan)
        self.optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for rows in arrange(
            batch, choose_layout(self.policy, batch), PASS_TOKENS, self.policy.device
        ):
            members = list(rows.members)
            logprob_M, _ = score_rows(self.policy, rows, batch)
            reference_M = reference_logprob_NT[members][batch.mask_NT[members]].to(logprob_M.device)
            owner_M = (
                torch.arange(len(members))
                .repeat_interleave(batch.mask_NT[members].sum(dim=1))
                .to(logprob_M.device)
            )
            logit_C = logprob_M.new_zeros(len(members)).index_add(
                0, owner_M, self.settings.beta * (logprob_M - reference_M)
            )
            logit_N[members] = logit_C.detach().cpu()
            reward_C = reward_N[members].to(logit_C.device)
            known_C = ~reward_C.isnan()
            if known_C.any() and told:
                loss = (
                    binary_cross_entropy_with_logits(
                        logit_C[known_C], reward_C[known_C], reduction="sum"
                    )
                    / told
                )
                loss.backward()  # type: ignore[no-untyped-call]
                total += float(loss.detach())
        if not self.settings.frozen and told:
            torch.nn.utils.clip_grad_norm_(
                self.policy.moving().values(), self.settings.max_gradient_norm
            )
            self.optimizer.step()
            self.policy.settle()
        return {
            "implicit_loss_nats": total,
            "implicit_pair_accuracy": _pair_accuracy(logit_N, reward_N, batch.group_size),
        }

    def save(self, folder: Path) -> None:
        """Writes model and optimizer."""
        save_optimizer(self.optimizer, folder / "implicit.safetensors", self.policy.moving())

    def load(self, folder: Path) -> None:
        """Reads them back."""
        saved = load_optimizer(self.optimizer, folder / "implicit.safetensors")
        with torch.no_grad():
            for name, parameter in self.policy.moving().items():
                parameter.copy_(saved[name])
        self.policy.settle()


def _pair_accuracy(logit_N: Tensor, reward_N: Tensor, group_size: int) -> float:
    """Share of pairs with different rewards within a group that the model orders correctly. Ties
    count half; without pairs it is 0.5.
    """
    logit_PG, reward_PG = logit_N.reshape(-1, group_size), reward_N.reshape(-1, group_size)
    better_PGG = reward_PG[:, :, None] > reward_PG[:, None, :]
    ahead_PGG = logit_PG[:, :, None] - logit_PG[:, None, :]
    right = (ahead_PGG > 0).float() + (ahead_PGG == 0).float() / 2
    return float(right[better_PGG].mean()) if better_PGG.any() else 0.5
