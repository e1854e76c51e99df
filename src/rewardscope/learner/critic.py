"""A critic: a value head over the policy's own states."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from rewardscope.errors import ComponentError
from rewardscope.learner.optimizers import load_optimizer, save_optimizer
from rewardscope.policy.policy import Policy
from rewardscope.policy.scoring import token_states
from rewardscope.tensors import Batch


@dataclass(frozen=True)
class Critic:
    """V[n, t] = w . h[n, t] + b, over the last hidden state from which token t was drawn; trained
    on squared error.

    No gradient of the value loss reaches the policy. An arm with a critic therefore differs from
    one without it in its advantages alone. (Implementations of PPO either train a second model or
    add the value loss to the policy's.)
    """

    learning_rate: float = 1e-2
    epochs: int = 4
    """Passes over the step's tokens."""

    def __post_init__(self) -> None:
        if not self.learning_rate > 0 or self.epochs < 1:
            raise ComponentError(
                "Critic has settings outside their ranges",
                value=self,
                allowed="learning_rate > 0, epochs >= 1",
                do="Correct it in the study file",
            )

    def begin(self, policy: Policy) -> "CriticState":
        """An untrained critic: 0 for every state."""
        head = nn.Linear(policy.model.config.hidden_size, 1).to(policy.device)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
        return CriticState(
            self,
            head,
            torch.optim.AdamW(head.parameters(), lr=self.learning_rate, weight_decay=0.0),
        )


@dataclass(frozen=True, eq=False)
class CriticState:
    """A critic in training."""

    settings: Critic
    head: nn.Linear
    optimizer: torch.optim.AdamW

    def values(self, policy: Policy, batch: Batch) -> tuple[Tensor, Tensor]:
        """Values (N, T), 0 off the mask, and the states (M, D) they were read from."""
        state_MD = token_states(policy, batch)
        value_NT = torch.zeros(batch.mask_NT.shape)
        with torch.no_grad():
            value_NT[batch.mask_NT] = self.head(state_MD).squeeze(1).cpu()
        return value_NT, state_MD

    def learn(self, state_MD: Tensor, target_NT: Tensor, mask_NT: Tensor) -> float:
        """The mean squared error before an update of the head towards the targets; NaN targets are
        ignored.
        """
        target_M = target_NT[mask_NT].to(state_MD.device)
        known_M = ~target_M.isnan()
        if not known_M.any():
            return 0.0
        first = None
        for _ in range(self.settings.epochs):
            self.optimizer.zero_grad(set_to_none=True)
            loss = (self.head(state_MD[known_M]).squeeze(1) - target_M[known_M]).square().mean()
            loss.backward()
            self.optimizer.step()
            first = float(loss.detach()) if first is None else first
        return first or 0.0

    def save(self, folder: Path) -> None:
        """Writes head and optimizer."""
        save_optimizer(
            self.optimizer, folder / "critic_optimizer.safetensors", dict(self.head.state_dict())
        )

    def load(self, folder: Path) -> None:
        """Reads them back."""
        self.head.load_state_dict(
            load_optimizer(self.optimizer, folder / "critic_optimizer.safetensors")
        )
