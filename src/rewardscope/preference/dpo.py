"""DPO: the better completion's log-ratio to the reference above the worse one's."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import logsigmoid

from rewardscope.preference.base import Pairs, apart, better_than, check, comparing, over_pairs
from rewardscope.tensors import Signal, Signals, TokenCredit


@dataclass(frozen=True)
class DPO:
    """Direct Preference Optimization: mean over pairs of -log sigmoid(beta (h[better] - h[worse])).

    h = log policy - log reference, summed over the completion's tokens. The reference is the
    learner's: the untrained policy, or the policy at its last reset. Pairs come from the rewards
    within a group, on-policy unless the arm has demonstrations.

    Source:
        Rafailov et al. 2023, arXiv:2305.18290, eq. 7.
    """

    beta: float = 0.1
    pairs: Pairs = "all"

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset({"reference_logprob_NT"})

    def __post_init__(self) -> None:
        check(self, self.pairs, "beta")

    def __call__(self, signals: Signals) -> TokenCredit:
        """A loss in nats, 0 without pairs, and the number of pairs as ``credit/pairs``."""
        pair_PGG = better_than(signals.reward_PG, self.pairs, signals.address)
        reference_PG = (
            signals.ask("reference_logprob_NT", "DPO").sum(dim=1).reshape(signals.reward_PG.shape)
        )

        def loss(logprob_PG: Tensor, problems: list[int]) -> Tensor:
            margin_PGG = apart(logprob_PG - reference_PG[problems])
            return over_pairs(-logsigmoid(self.beta * margin_PGG), pair_PGG[problems])

        return comparing(signals, loss, pairs=float(pair_PGG.sum()))
