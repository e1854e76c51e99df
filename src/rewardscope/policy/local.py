"""The sampler without another process: the trained policy itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import ModelError
from rewardscope.policy.sampler import Sampling
from rewardscope.protocols import Sampler, Trainable
from rewardscope.seeds import Address
from rewardscope.types import Completion, Replies


@dataclass
class LocalSampler:
    """Samples with the policy in training, in this process and without copying weights."""

    policy: Sampler | None = None
    """None before :meth:`follow`."""
    version: int = 0
    exact: ClassVar[bool] = True

    def follow(self, policy: Trainable, version: int) -> None:
        """Switches to these weights.

        Raises:
            ModelError: If the model has no method ``sample``.
        """
        if not isinstance(policy, Sampler):
            raise ModelError(
                "A model that is trained elsewhere cannot sample its own completions here",
                value=type(policy).__name__,
                allowed="a Policy, or any model with a method `sample`",
                do="Give train(...) a sampler that can follow it",
            )
        self.policy, self.version = policy, version

    def sample(
        self,
        prompts: Sequence[str],
        group_size: int,
        sampling: Sampling,
        addresses: Sequence[tuple[Address, ...]],
        replies: Replies | None = None,
        opening: str = "",
    ) -> list[tuple[Completion, ...]]:
        """A group of completions per prompt."""
        if self.policy is None:
            raise ModelError(
                "A sampler was asked for completions before it had any weights",
                do="Call follow(policy, version) first",
            )
        return self.policy.sample(prompts, group_size, sampling, addresses, replies, opening)
