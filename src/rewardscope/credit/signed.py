"""Positive and negative reinforcement apart: rewarding successes, and punishing failures."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.credit.base import informative_share, spread
from rewardscope.errors import ComponentError
from rewardscope.tensors import Signal, Signals, TokenCredit


@dataclass(frozen=True)
class Signed:
    """A[p, g] = positive_weight x r[p, g] - negative_weight x (1 - r[p, g]) for rewards in [0, 1];
    no baseline.

    (1, 0) is positive sample reinforcement (PSR), (0, 1) negative sample reinforcement (NSR), (0.1,
    1) weighted REINFORCE, (1, 1) REINFORCE with rewards of +1 and -1.

    On-policy, with a loss summed over each completion, E[grad log pi] = 0 makes the expected
    gradients of PSR and NSR equal, grad P(correct): every published difference between them comes
    from staleness, clipping, normalisation or finite samples.

    Source:
        Zhu et al. 2025, arXiv:2506.01347. Its code drops completions of the other sign from the
            batch, so each of PSR and NSR is normalised by its own tokens;
            ``Learner(normalise="active")`` does that.
    """

    positive_weight: float = 0.1
    negative_weight: float = 1.0

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset()

    def __post_init__(self) -> None:
        if not (
            self.positive_weight >= 0
            and self.negative_weight >= 0
            and self.positive_weight + self.negative_weight > 0
        ):
            raise ComponentError(
                "Signed needs weights of 0 or more that are not both 0",
                value=f"positive_weight={self.positive_weight}, "
                f"negative_weight={self.negative_weight}",
                do="Correct them in the study file",
            )

    def __call__(self, signals: Signals) -> TokenCredit:
        """Advantages in reward units; 0 for a completion without a reward.

        Raises:
            ComponentError: If a reward lies outside [0, 1], where success and failure are not
                defined.
        """
        reward_PG = signals.reward_PG
        outside = reward_PG[(reward_PG < 0) | (reward_PG > 1)]
        if len(outside):
            raise ComponentError(
                "Signed tells successes from failures, so rewards must lie in [0, 1]",
                value=float(outside[0]),
                do="Choose a reward such as Truth or Coin",
            )
        advantage_PG = self.positive_weight * reward_PG - self.negative_weight * (1 - reward_PG)
        return TokenCredit(
            spread(advantage_PG, signals.mask_NT),
            {"credit/informative_group_share": informative_share(reward_PG)},
        )
