"""HICRA: more credit on planning tokens, around any other method; with the controls that tell
planning from mere drift.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from rewardscope.credit.group_mean import GroupMean
from rewardscope.errors import ComponentError
from rewardscope.protocols import Credit, Maker, asked, makers_of
from rewardscope.seeds import generator
from rewardscope.tensors import Signals, TokenCredit

Where = Literal["planning", "execution", "entropy", "random", "everywhere"]
"""Which tokens are gained: those in a gram; the others (inverted mask); as many of highest entropy,
or drawn at random; all.
"""


@dataclass(frozen=True)
class Planning:
    """A'[n, t] = A[n, t] + gain x |A[n, t]| on the chosen tokens, A[n, t] elsewhere.

    Successes there count (1 + gain) times, failures (1 - gain) times. Since E|A| > 0 this pushes
    whatever was sampled on those tokens upwards: optimism on a token class, which
    ``drift="constant"`` (gain x the step's mean |A|, added alike to successes and failures) has
    too. A claim for planning needs the arm to beat ``where="random"``, ``where="entropy"``, random
    ``grams`` and the constant drift.

    Source:
        Wang et al. 2025, arXiv:2509.03646 (HICRA), section 3; gain 0.2. The paper's code was never
            released.
    """

    grams: tuple[str, ...]
    """Strategic grams: texts whose tokens plan. A gram of letters is matched as whole words."""
    base: Credit = GroupMean()
    gain: float = 0.2
    where: Where = "planning"
    drift: Literal["own", "constant"] = "own"
    mined_with_truth: bool = False
    """Whether the grams were mined from completions that were right, as ``Miner`` is meant to be
    used.
    """

    def __post_init__(self) -> None:
        if not self.grams or not all(self.grams) or not 0 <= self.gain < 1:
            raise ComponentError(
                "Planning needs grams and a gain",
                value=f"{len(self.grams)} grams, gain={self.gain}",
                allowed="one or more texts that are not empty; 0 <= gain < 1",
                do="Mend it in the study",
            )

    @property
    def uses_truth(self) -> bool:
        """As the base does, or because of where the grams come from."""
        return self.base.uses_truth or self.mined_with_truth

    @property
    def needs(self) -> frozenset[str]:
        """The planning mask (its count, where the control puts the gain elsewhere), and what the
        base needs.
        """
        mine = {"planning_NT", "entropy_NT"} if self.where == "entropy" else {"planning_NT"}
        return self.base.needs | mine

    @property
    def asks(self) -> Mapping[str, object]:
        """The grams, beside what the base says."""
        return {**asked(self.base), "planning_NT": self.grams}

    @property
    def makers(self) -> Mapping[str, Maker]:
        """Those that the base brings."""
        return makers_of(self.base)

    def __call__(self, signals: Signals) -> TokenCredit:
        """The base's streams with the advantage gained, and ``credit/gained_share`` of tokens in
        the notes.
        """
        found = self.base(signals)
        chosen_NT = self._chosen(signals)
        size_NT = found.advantage_NT.abs()
        if self.drift == "constant":
            size_NT = size_NT.sum() / signals.mask_NT.sum().clamp(min=1) * torch.ones_like(size_NT)
        advantage_NT = found.advantage_NT + self.gain * size_NT * chosen_NT
        share = float(chosen_NT.sum() / signals.mask_NT.sum().clamp(min=1))
        return replace(
            found, advantage_NT=advantage_NT, notes={**found.notes, "credit/gained_share": share}
        )

    def _chosen(self, signals: Signals) -> Tensor:
        mask_NT = (
            signals.mask_NT & ~signals.reward_N.isnan()[:, None]
        )  # an untold completion teaches nothing, drift included
        planning_NT = signals.ask("planning_NT", "Planning") & mask_NT
        if self.where == "planning":
            return planning_NT
        if self.where == "execution":
            return mask_NT & ~planning_NT
        if self.where == "everywhere":
            return mask_NT
        if self.where == "entropy":
            rank_NT = signals.ask("entropy_NT", "Planning")
        else:
            rank_NT = torch.from_numpy(
                generator(*signals.address, "planning", "random").random(tuple(mask_NT.shape))
            )
        rank_M = rank_NT[mask_NT]
        chosen_M = torch.zeros_like(rank_M, dtype=torch.bool)
        chosen_M[rank_M.argsort(descending=True, stable=True)[: int(planning_NT.sum())]] = True
        chosen_NT = torch.zeros_like(mask_NT)
        chosen_NT[mask_NT] = chosen_M
        return chosen_NT
