"""ORPO: imitation of the better completion, and its odds above the worse one's."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from rewardscope.preference.base import (
    Pairs,
    apart,
    better_than,
    check,
    comparing,
    lengths,
    over_pairs,
)
from rewardscope.tensors import Signal, Signals, TokenCredit


def log_odds(mean_logprob: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """log(p / (1 - p)) from log p. p is capped a rounding step below 1, so the odds stay finite."""
    capped = mean_logprob.clamp(max=-torch.finfo(mean_logprob.dtype).eps)
    return capped - torch.log(-torch.expm1(capped))


@dataclass(frozen=True)
class ORPO:
    """Odds Ratio Preference Optimization: mean over pairs of -m[better] - weight x log sigmoid(log
    odds[better] - log odds[worse]).

    m = mean over the completion's tokens of log policy; odds = p / (1 - p) of p = exp(m). No
    reference.

    Source:
        Hong et al. 2024, arXiv:2403.07691, eqs. 6 and 7; weight 0.1. TRL computes the first term
            over prompt and completion, and over the tokens of all better completions together; we
            follow the paper.
    """

    weight: float = 0.1
    pairs: Pairs = "all"

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset()

    def __post_init__(self) -> None:
        check(self, self.pairs, "weight")

    def __call__(self, signals: Signals) -> TokenCredit:
        """A loss in nats, 0 without pairs, and the number of pairs as ``credit/pairs``."""
        pair_PGG = better_than(signals.reward_PG, self.pairs, signals.address)
        length_PG = lengths(signals)

        def loss(logprob_PG: Tensor, problems: list[int]) -> Tensor:
            mean_PG = logprob_PG / length_PG[problems]
            odds_PGG = logsigmoid(apart(log_odds(mean_PG)))
            return over_pairs(-mean_PG[:, :, None] - self.weight * odds_PGG, pair_PGG[problems])

        return comparing(signals, loss, pairs=float(pair_PGG.sum()))
