"""Imitation: rewarded or given completions are made more likely."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.tensors import Signal, Signals, TokenCredit


@dataclass(frozen=True)
class Imitation:
    """-log policy of completions with a reward of ``threshold`` or more, each with the same weight;
    no ratio, no clip, no baseline.

    On the policy's own completions this is rejection-sampling fine-tuning. With
    `Learner(restart_every=1, epochs=...)` it is expert iteration: the start is trained anew on the
    latest policy's completions. On an arm's demonstrations it is supervised fine-tuning. With
    ``distinct``, equal completions of a problem share the weight of one.

    Source:
        Yuan et al. 2023, arXiv:2308.01825 (rejection sampling, distinct paths); Singh et al. 2023,
            arXiv:2312.06585 (ReST-EM); Zelikman et al. 2022, arXiv:2203.14465 (STaR).
    """

    threshold: float = 1.0
    distinct: bool = False

    uses_truth: ClassVar[bool] = False
    needs: ClassVar[frozenset[Signal]] = frozenset()

    def __call__(self, signals: Signals) -> TokenCredit:
        """Weights of 1 on imitated completions, 0 elsewhere; no advantage.

        Raises:
            ComponentError: If ``distinct`` is set and there are no tokens to compare.
        """
        chosen_PG = (signals.reward_PG >= self.threshold).float()  # NaN compares as False
        share = float(chosen_PG.mean())
        if self.distinct:
            chosen_PG = chosen_PG / _times_chosen(signals, chosen_PG).clamp(min=1)
        weight_NT = chosen_PG.reshape(-1, 1) * signals.mask_NT
        notes = {"credit/imitated_share": share}
        return TokenCredit(torch.zeros_like(weight_NT), notes, imitation_NT=weight_NT)


def _times_chosen(signals: Signals, chosen_PG: Tensor) -> Tensor:
    """Number of chosen completions (P, G) in the group with the same tokens as each completion."""
    if signals.token_NT is None:
        raise ComponentError(
            "Imitation(distinct=True) compares tokens",
            value="token_NT=None",
            do="Give the signals token_NT",
        )
    marked_NT = (
        signals.token_NT + 1
    ) * signals.mask_NT  # 0 is a token id, so padding needs another value
    token_PGT = marked_NT.reshape(*chosen_PG.shape, -1)
    equal_PGG = (token_PGT[:, :, None] == token_PGT[:, None, :]).all(dim=-1)
    return (equal_PGG * chosen_PG[:, None, :]).sum(dim=-1)
