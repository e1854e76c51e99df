"""The learner's state beside the policy, saved and restored with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from rewardscope.learner.critic import CriticState
from rewardscope.learner.implicit import ImplicitState
from rewardscope.learner.learner import Learner
from rewardscope.learner.low_rank import merged
from rewardscope.learner.optimizers import load_optimizer, save_optimizer
from rewardscope.learner.teacher import TeacherState
from rewardscope.policy.policy import Policy
from rewardscope.policy.weights import PolicyWeights

OPTIMIZER, REFERENCE = "optimizer.safetensors", "reference"


@dataclass
class Companions:
    """The learner's state; all but the optimizer are None unless something needs them."""

    optimizer: torch.optim.Optimizer
    reference: Policy | None
    critic: CriticState | None
    implicit: ImplicitState | None
    teacher: TeacherState | None
    masks: Mapping[str, torch.Tensor] | None = None
    """Computed again from their folders when a run resumes; see :class:`Subnetwork`."""

    @classmethod
    def begin(
        cls,
        learner: Learner,
        policy: Policy,
        start: Callable[[], Policy],
        *,
        reference: bool,
        seed: int = 0,
    ) -> "Companions":
        """The companions of an untrained policy.

        Args:
            learner: Says which companions exist.
            policy: About to be trained.
            start: Makes a fresh copy of the untrained policy.
            reference: Whether anything reads the reference.
            seed: Selects the masks, if the learner has any.
        """
        wanted = reference or learner.kl_weight > 0 or learner.implicit is not None
        masks = learner.mask.masks(PolicyWeights(start()), seed) if learner.mask else None
        return cls(
            optimizer=learner.optimizer(policy, masks),
            reference=learner.plain(start())
            if wanted
            else None,  # it never moves; adapters would not be read back from its folder
            critic=learner.critic.begin(policy) if learner.critic else None,
            implicit=learner.implicit.begin(start().with_masters()) if learner.implicit else None,
            teacher=learner.teacher.begin(start()) if learner.teacher else None,
            masks=masks,
        )

    def reset(self, learner: Learner, policy: Policy) -> None:
        """ProRL's reset: the reference becomes a copy of the current policy, the optimizer state is
        cleared.
        """
        self.optimizer = learner.optimizer(policy, self.masks)
        if self.reference is not None:
            self.reference = merged(policy)

    def restart(self, learner: Learner, policy: Policy, start: Policy) -> None:
        """Expert iteration's restart: the policy gets its untrained weights back and the optimizer
        state is cleared. Everything else stays.
        """
        policy.model.load_state_dict(start.model.state_dict())
        policy.refresh()
        self.optimizer = learner.optimizer(policy, self.masks)

    def save(self, folder: Path, *, moved_reference: bool) -> None:
        """Writes everything that a fresh start could not recreate."""
        save_optimizer(self.optimizer, folder / OPTIMIZER)
        if self.reference is not None and moved_reference:
            (folder / REFERENCE).mkdir()
            self.reference.save(folder / REFERENCE)
        if self.critic is not None:
            self.critic.save(folder)
        for companion in (self.implicit, self.teacher):
            if companion is not None:
                companion.save(folder)

    def load(self, folder: Path) -> None:
        """Reads it back."""
        load_optimizer(self.optimizer, folder / OPTIMIZER)
        if self.reference is not None and (folder / REFERENCE).is_dir():
            saved = Policy.load(folder / REFERENCE)
            self.reference = saved.cast(self.reference.precise, str(self.reference.device))
        if self.critic is not None:
            self.critic.load(folder)
        for companion in (self.implicit, self.teacher):
            if companion is not None:
                companion.load(folder)
