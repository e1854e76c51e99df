"""Whether credit is low where a completion went wrong, given the position of its first error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.policy import Policy
from rewardscope.stats import Estimate, mean_over_problems
from rewardscope.types import Rollout


@dataclass(frozen=True, eq=False)
class ErrorAuroc:
    """Whether credit is low where a completion first went wrong: 1 = only there, 0.5 =
    independent of the position.
    """

    each_N: Float[Tensor, " N"]
    """By completion: the share of its other compared tokens with more credit than its first error,
    with ties counted half; NaN = nothing to compare.
    """

    reads: ClassVar[str] = "credit per token, and the known place of the first error"

    @property
    def mean(self) -> float | None:
        """Over completions; None where none has an error."""
        known_N = self.each_N[~self.each_N.isnan()]
        return float(known_N.mean()) if len(known_N) else None

    def over_problems(self, group_size: int, address: str) -> Estimate | None:
        """The mean over problems of their completions' mean, with the interval of resampled
        problems; None where no problem has one.
        """
        mean_P = self.each_N.reshape(-1, group_size).nanmean(dim=1)
        means = mean_P[~mean_P.isnan()].tolist()
        return mean_over_problems(means, address=address, bounds=(0.0, 1.0)) if means else None


def error_auroc(
    credit_NT: Float[Tensor, "N T"], first_error_N: Int[Tensor, " N"], mask_NT: Bool[Tensor, "N T"]
) -> ErrorAuroc:
    """How often a token has more credit than the first error of its completion.

    The comparison stays within a completion, so that its overall quality does not count. It
    uses tokens before and after the error, so that a trend over positions counts little where
    errors lie anywhere.

    Args:
        credit_NT: Any number per token that should be low where something is wrong.
        first_error_N: Token of the first error; -1 = there is none, or none known.
        mask_NT: Which tokens are compared: all, or those that can be wrong (moves and results, not
            commas).

    Raises:
        ComponentError: If an error lies on a token that is not compared.
    """
    known_N = first_error_N >= 0
    position_N1 = first_error_N.clamp(min=0)[:, None]
    if not mask_NT.gather(1, position_N1)[known_N].all():
        raise ComponentError(
            "A first error lies on a token that is not compared",
            do="Let the mask hold every token that can be wrong",
        )
    lower_N1 = credit_NT.gather(1, position_N1)
    other_NT = mask_NT & (torch.arange(mask_NT.shape[1]) != position_N1)
    above_NT = (credit_NT > lower_N1).double() + (credit_NT == lower_N1).double() / 2
    each_N = (above_NT * other_NT).sum(dim=1) / other_NT.sum(dim=1)
    return ErrorAuroc(each_N.masked_fill(~known_N, torch.nan))


def first_error_tokens(
    policy: Policy, rollouts: Sequence[Rollout], offsets: Sequence[Sequence[int | None]]
) -> Int[Tensor, " N"]:
    """The token that holds the character at each completion's offset; -1 for None, and for one that
    was cut off before it.
    """
    tokens = []
    for rollout, row in zip(rollouts, offsets, strict=True):
        for completion, offset in zip(rollout.completions, row, strict=True):
            own = tuple(completion.token_ids[position] for position in completion.places)
            ends = (len(policy.decode(own[: t + 1])) for t in range(len(own)))
            tokens.append(
                -1
                if offset is None
                else next((t for t, end in enumerate(ends) if end > offset), -1)
            )
    return torch.tensor(tokens)
