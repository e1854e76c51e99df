"""PPO's advantage: a critic's estimates bridge from token to token."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from rewardscope.credit.base import informative_share, to_come, whitened
from rewardscope.errors import ComponentError
from rewardscope.tensors import Signal, Signals, TokenCredit


@dataclass(frozen=True)
class GeneralisedAdvantage:
    """Generalised advantage estimation over a critic's values.

    delta[n, t] = r[n, t] + discount x V[n, t + 1] - V[n, t], with the reward on the last token and
    V = 0 after it; A[n, t] = sum over l of (discount x trace)^l delta[n, t + l]. The critic's
    target is V[n, t] + A[n, t]. A completion that the sampler cut off ends like any other: no later
    reward exists.

    Source:
        Schulman et al. 2016, arXiv:1506.02438, eq. 16; Schulman et al. 2017, arXiv:1707.06347.
            Advantages are whitened over the step, as PPO implementations do and the papers do not
            say.
    """

    discount: float = 1.0
    trace: float = 0.95
    """Lambda."""
    whiten: bool = True

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset({"value_NT"})

    def __post_init__(self) -> None:
        if not (0 <= self.discount <= 1 and 0 <= self.trace <= 1):
            raise ComponentError(
                "GeneralisedAdvantage's discount and trace lie in [0, 1]",
                value=f"discount={self.discount}, trace={self.trace}",
                do="Correct them in the study file",
            )

    def __call__(self, signals: Signals) -> TokenCredit:
        """Advantages and the critic's targets. A completion without a reward gets an advantage of 0
        and a target of NaN, from which the critic learns nothing.
        """
        value_NT = signals.ask("value_NT", "GeneralisedAdvantage") * signals.mask_NT
        told_NT = signals.mask_NT & ~signals.reward_N.isnan()[:, None]
        length_N = signals.mask_NT.sum(dim=1)
        reward_NT = torch.zeros_like(value_NT)
        reward_NT[torch.arange(len(length_N)), (length_N - 1).clamp(min=0)] = (
            signals.reward_N.nan_to_num(0.0)
        )
        after_NT = torch.cat(
            [value_NT[:, 1:], torch.zeros_like(value_NT[:, :1])], dim=1
        )  # 0 after the last token: it is off the mask
        delta_NT = (reward_NT + self.discount * after_NT - value_NT) * told_NT
        advantage_NT = to_come(delta_NT, self.discount * self.trace) * told_NT
        target_NT = torch.where(told_NT, value_NT + advantage_NT, torch.nan)
        spread = float(
            (target_NT[told_NT].var() if told_NT.sum() > 1 else torch.tensor(0.0)).item()
        )
        left = float(
            (advantage_NT[told_NT].var() if told_NT.sum() > 1 else torch.tensor(0.0)).item()
        )
        notes = {
            "credit/informative_group_share": informative_share(signals.reward_PG),
            "credit/value_explained": 1 - left / spread if spread > 0 else 0.0,
        }
        return TokenCredit(
            whitened(advantage_NT, told_NT) if self.whiten else advantage_NT, notes, target_NT
        )
