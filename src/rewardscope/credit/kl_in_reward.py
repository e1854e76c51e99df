"""A KL penalty inside the reward, around any other credit method."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rewardscope.credit.base import informative_share
from rewardscope.credit.leave_one_out import LeaveOneOut
from rewardscope.errors import ComponentError
from rewardscope.protocols import Credit, Maker, asked, makers_of
from rewardscope.tensors import KL, Signals, TokenCredit, kl_estimate

INFORMATIVE = "credit/informative_group_share"


@dataclass(frozen=True)
class KLInReward:
    """``base`` applied to r'[p, g] = r[p, g] - weight x sum over tokens of the KL estimate to the
    reference.

    Unlike a KL term in the loss, its gradient goes through the score function, and a group baseline
    subtracts its mean.

    Source:
        Ziegler et al. 2019, arXiv:1909.08593, eq. 2 (k1); estimators: Schulman 2020, "Approximating
            KL divergence".
    """

    base: Credit = LeaveOneOut()
    weight: float = 0.05
    """Reward units per nat."""
    estimator: KL = "k1"

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ComponentError(
                "A KL weight is 0 or more",
                value=self.weight,
                allowed="weight >= 0",
                do="Correct it in the study file",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether the base reads the answer key."""
        return self.base.uses_truth

    @property
    def needs(self) -> frozenset[str]:
        """Both log-probabilities, and the signals of the base."""
        return self.base.needs | {"policy_logprob_NT", "reference_logprob_NT"}

    @property
    def asks(self) -> Mapping[str, object]:
        """The settings that the base asks for."""
        return asked(self.base)

    @property
    def makers(self) -> Mapping[str, Maker]:
        """The makers of the base."""
        return makers_of(self.base)

    def __call__(self, signals: Signals) -> TokenCredit:
        """The base's credit for the penalised rewards. Notes gain ``credit/kl_nats``, the mean per
        completion.

        The share of informative groups is computed before the penalty, which makes the rewards of
        every group differ.
        """
        reference_NT = signals.ask("reference_logprob_NT", "KLInReward")
        policy_NT = signals.ask("policy_logprob_NT", "KLInReward")
        kl_N = (kl_estimate(policy_NT, reference_NT, self.estimator) * signals.mask_NT).sum(dim=1)
        credit = self.base(
            replace(
                signals,
                reward_PG=signals.reward_PG - self.weight * kl_N.reshape(signals.reward_PG.shape),
            )
        )
        told = (
            {INFORMATIVE: informative_share(signals.reward_PG)}
            if INFORMATIVE in credit.notes
            else {}
        )
        return replace(credit, notes={**credit.notes, **told, "credit/kl_nats": float(kl_N.mean())})
