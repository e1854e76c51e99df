"""A KL penalty that is part of the reward, around any other credit method."""

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
    """r'[p, g] = r[p, g] - weight x sum over tokens of the KL estimate to the reference; then
    ``base`` as usual.

    Unlike a KL term in the loss its gradient goes through the score function, and a group baseline
    takes its mean off.

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
                do="Mend it in the study",
            )

    @property
    def uses_truth(self) -> bool:
        """As the base does."""
        return self.base.uses_truth

    @property
    def needs(self) -> frozenset[str]:
        """The reference, and what the base needs."""
        return self.base.needs | {"reference_logprob_NT"}

    @property
    def asks(self) -> Mapping[str, object]:
        """What the base says."""
        return asked(self.base)

    @property
    def makers(self) -> Mapping[str, Maker]:
        """Those that the base brings."""
        return makers_of(self.base)

    def __call__(self, signals: Signals) -> TokenCredit:
        """The base's streams for the penalised rewards, with ``credit/kl_nats`` (mean per
        completion) in the notes.

        The share of informative groups is that of the told rewards: the penalty makes every group
        differ.
        """
        reference_NT = signals.ask("reference_logprob_NT", "KLInReward")
        sampler_NT = signals.ask("sampler_logprob_NT", "KLInReward")
        kl_N = (kl_estimate(sampler_NT, reference_NT, self.estimator) * signals.mask_NT).sum(dim=1)
        found = self.base(
            replace(
                signals,
                reward_PG=signals.reward_PG - self.weight * kl_N.reshape(signals.reward_PG.shape),
            )
        )
        told = (
            {INFORMATIVE: informative_share(signals.reward_PG)}
            if INFORMATIVE in found.notes
            else {}
        )
        return replace(found, notes={**found.notes, **told, "credit/kl_nats": float(kl_N.mean())})
