"""What training asks of a model: completions from one side, scores and weights on the other.

The two sides need not be one process or one number format: a sampler may be a server that holds a
copy of the weights. :class:`rewardscope.policy.Policy` is both.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from rewardscope.policy.sampler import Sampling
from rewardscope.seeds import Address
from rewardscope.tensors import Batch, TokenScores
from rewardscope.types import Completion, Replies


@runtime_checkable
class Sampler(Protocol):
    """Writes completions, each with its tokens and their logprobs under the weights that wrote
    them.
    """

    def sample(
        self,
        prompts: Sequence[str],
        group_size: int,
        sampling: Sampling,
        addresses: Sequence[tuple[Address, ...]],
        replies: Replies | None = None,
        opening: str = "",
    ) -> list[tuple[Completion, ...]]:
        """A group of completions per prompt; the arguments are those of
        :func:`rewardscope.policy.sample`. Equal addresses give equal completions of equal weights.
        """


@runtime_checkable
class FollowingSampler(Sampler, Protocol):
    """A sampler that is told of new weights after every update."""

    @property
    def version(self) -> int:
        """Updates behind the weights that it samples with."""

    @property
    def exact(self) -> bool:
        """Whether its logprobs are those of the policy's own scores, up to rounding. Where they are
        not, each step row says how far they are apart (``sampler/gap_nats``).
        """

    def follow(self, policy: "Trainable", version: int) -> None:
        """Samples from now on with these weights, which have so many updates behind them."""


@runtime_checkable
class Trainable(Protocol):
    """A model that is trained: its tokens, its scores, its weights on disk."""

    @property
    def context_length(self) -> int:
        """Most tokens of a prompt and its completion together."""

    def encode(self, prompt: str) -> tuple[int, ...]:
        """Tokens of a prompt as the model meets it."""

    def decode(self, token_ids: tuple[int, ...]) -> str:
        """Text of a completion's tokens."""

    def score(self, batch: Batch) -> TokenScores:
        """Nats of each chosen token, and the entropy of what it was drawn from; no gradient is
        kept.
        """

    def save(self, folder: Path) -> None:
        """Writes config, tokenizer and safetensors, for any other tool to read."""


def sampler_gap(policy: Trainable, batch: Batch) -> float:
    """Nats: mean over chosen tokens of |log sampler - log policy|; 0 of a batch without tokens.

    The two differ where the sampler computes in another number format or with older weights.
    """
    apart_NT = (batch.sampler_logprob_NT - policy.score(batch).logprob_NT).abs() * batch.mask_NT
    return float(apart_NT.sum() / batch.mask_NT.sum().clamp(min=1))
