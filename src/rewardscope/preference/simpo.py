"""SimPO: the better completion's mean logprob above the worse one's by a margin, without a
reference.
"""

from dataclasses import dataclass
from typing import ClassVar

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


@dataclass(frozen=True)
class SimPO:
    """Simple Preference Optimization: mean over pairs of -log sigmoid(beta (m[better] - m[worse]) -
    margin).

    m = mean over the completion's tokens of log policy.

    Source:
        Meng et al. 2024, arXiv:2405.14734, eq. 6; beta 2.0 to 2.5 and margin 0.5 to 1.6 there.
    """

    beta: float = 2.0
    margin: float = 1.0
    pairs: Pairs = "all"

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset()

    def __post_init__(self) -> None:
        check(self, self.pairs, "beta")

    def __call__(self, signals: Signals) -> TokenCredit:
        """A loss in nats, 0 without pairs, and the number of pairs as ``credit/pairs``."""
        pair_PGG = better_than(signals.reward_PG, self.pairs, signals.address)
        length_PG = lengths(signals)

        def loss(logprob_PG: Tensor, problems: list[int]) -> Tensor:
            margin_PGG = self.beta * apart(logprob_PG / length_PG[problems]) - self.margin
            return over_pairs(-logsigmoid(margin_PGG), pair_PGG[problems])

        return comparing(signals, loss, pairs=float(pair_PGG.sum()))
