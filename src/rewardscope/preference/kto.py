"""KTO: each completion alone, desirable or not, relative to the drift from the reference."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rewardscope.preference.base import check, comparing
from rewardscope.tensors import Signal, Signals, TokenCredit


@dataclass(frozen=True)
class KTO:
    """Kahneman-Tversky Optimization: mean over completions with a reward of weight x (1 -
    sigmoid(+-beta (h - z))), + for desirable ones.

    h = log policy - log reference, summed over the completion's tokens. z = max(0, mean of the same
    log-ratio for completions after another problem's prompt): an estimate of the KL, constant
    within the step. A completion is desirable if its reward is ``threshold`` or more.

    Source:
        Ethayarajh et al. 2024, arXiv:2402.01306, eqs. 7 and 8.
    """

    beta: float = 0.1
    threshold: float = 0.5
    desirable_weight: float = 1.0
    undesirable_weight: float = 1.0

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset({"reference_logprob_NT", "mismatched_N"})

    def __post_init__(self) -> None:
        check(self, "all", "beta", "desirable_weight", "undesirable_weight")

    def __call__(self, signals: Signals) -> TokenCredit:
        """A loss without unit, 0 if no completion has a reward. The notes hold the number of
        completions with a reward, the share of them that is desirable (0 of none), and z.
        """
        reward_PG = signals.reward_PG
        told_PG = ~reward_PG.isnan()
        desirable_PG = reward_PG >= self.threshold
        reference_PG = (
            signals.ask("reference_logprob_NT", "KTO").sum(dim=1).reshape(reward_PG.shape)
        )
        drift = signals.ask("mismatched_N", "KTO").mean().clamp(min=0)
        sign_PG = torch.where(desirable_PG, 1.0, -1.0)
        weight_PG = (
            torch.where(desirable_PG, self.desirable_weight, self.undesirable_weight) * told_PG
        )

        def loss(logprob_PG: Tensor, problems: list[int]) -> Tensor:
            ratio_PG = logprob_PG - reference_PG[problems]
            loss_PG = weight_PG[problems] * (
                1 - torch.sigmoid(sign_PG[problems] * self.beta * (ratio_PG - drift))
            )
            return loss_PG.sum() / told_PG[problems].sum().clamp(min=1)

        told = int(told_PG.sum())
        share = int(desirable_PG.sum()) / max(told, 1)  # NaN compares as False
        return comparing(
            signals, loss, told=float(told), desirable_share=share, drift_nats=float(drift)
        )
