"""PRIME: an implicit reward model, trained on outcomes alone, gives each token its reward."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from rewardscope.credit.base import informative_share, need_groups, spread, to_come, whitened
from rewardscope.credit.leave_one_out import leave_one_out
from rewardscope.seeds import generator
from rewardscope.tensors import Signal, Signals, TokenCredit

Placement = Literal["token", "uniform", "last", "noise"]
"""Where a completion's process reward goes: on each token as computed; spread evenly; all on the
last token; in random shares of the same sum.
"""


@dataclass(frozen=True)
class ImplicitProcess:
    """Returns of the implicit process reward, plus the leave-one-out advantage of the outcome.

    q[n, t] = beta (log pi_phi - log pi_reference) of each token, from the learner's ``implicit``
    model; G = completions per problem.

    form="paper", eq. 5: A[n, t] = sum over s >= t of (q[n, s] - mean over siblings of their
    token-mean q) + leave-one-out outcome. form="code", as released: q divided by the step's largest
    |return| (so beta cancels), baseline q x G / (G - 1) - sum over the whole group of token-means /
    (G - 1), outcome leave-one-out added, the sum whitened over the step.

    With phi = reference the paper's form is exactly `LeaveOneOut`. ``placement`` offers controls
    with the same sum per completion: a claim for process rewards needs "token" to beat "uniform"
    and "noise".

    Source:
        Cui et al. 2025, arXiv:2502.01456 (PRIME); PRIME-RL/PRIME at 18ad596, core_algos.py.
    """

    form: Literal["paper", "code"] = "paper"
    placement: Placement = "token"

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset({"implicit_NT"})

    def __call__(self, signals: Signals) -> TokenCredit:
        """Advantages in reward units (paper) or standard deviations (code); 0 for a completion
        without a reward, or whose siblings all have none.

        Raises:
            ComponentError: If groups have fewer than 2 completions.
        """
        need_groups(signals.reward_PG, "ImplicitProcess")
        told_PG = ~signals.reward_PG.isnan()
        told_PG = told_PG & (told_PG.sum(dim=1, keepdim=True) > 1)  # no sibling, no comparison
        told_NT = signals.mask_NT & told_PG.reshape(-1, 1)
        ratio_NT = self._placed(
            signals.ask("implicit_NT", "ImplicitProcess") * told_NT, told_NT, signals
        )
        outcome_NT = spread(leave_one_out(signals.reward_PG), signals.mask_NT)
        siblings_P1 = (told_PG.sum(dim=1, keepdim=True) - 1).clamp(min=1)
        notes = {"credit/informative_group_share": informative_share(signals.reward_PG)}
        if self.form == "paper":
            mean_PG = _token_mean(ratio_NT, told_NT).reshape(told_PG.shape)
            baseline_PG = (mean_PG.sum(dim=1, keepdim=True) - mean_PG) / siblings_P1
            process_NT = (ratio_NT - baseline_PG.reshape(-1, 1)) * told_NT
            return TokenCredit((to_come(process_NT) + outcome_NT) * told_NT, notes)
        scaled_NT = ratio_NT / to_come(ratio_NT).abs().max().clamp(min=1e-6)
        mean_PG = _token_mean(scaled_NT, told_NT).reshape(told_PG.shape)
        count_P1 = told_PG.sum(dim=1, keepdim=True)
        factor_N = (count_P1 / siblings_P1).expand_as(mean_PG).reshape(-1, 1)
        baseline_N = (
            (mean_PG.sum(dim=1, keepdim=True) / siblings_P1).expand_as(mean_PG).reshape(-1, 1)
        )
        return_NT = to_come((scaled_NT * factor_N - baseline_N) * told_NT) * told_NT
        return TokenCredit(whitened(return_NT + outcome_NT, told_NT), notes)

    def _placed(self, ratio_NT: Tensor, told_NT: Tensor, signals: Signals) -> Tensor:
        """Log-ratios with the same sum per completion, distributed as ``placement`` says."""
        if self.placement == "token":
            return ratio_NT
        sum_N1 = ratio_NT.sum(dim=1, keepdim=True)
        length_N = told_NT.sum(dim=1)
        if self.placement == "last":
            last_NT = torch.zeros_like(ratio_NT)
            last_NT[torch.arange(len(length_N)), (length_N - 1).clamp(min=0)] = 1.0
            return sum_N1 * last_NT * told_NT
        share_NT = told_NT.float()
        if self.placement == "noise":
            draws = generator(*signals.address, "implicit", "noise").exponential(
                size=tuple(ratio_NT.shape)
            )
            share_NT = torch.from_numpy(draws).float() * told_NT
        return sum_N1 * share_NT / share_NT.sum(dim=1, keepdim=True).clamp(min=1e-12)


def _token_mean(value_NT: Tensor, mask_NT: Tensor) -> Tensor:
    """Mean over each completion's own tokens."""
    return (value_NT * mask_NT).sum(dim=1) / mask_NT.sum(dim=1).clamp(min=1)
