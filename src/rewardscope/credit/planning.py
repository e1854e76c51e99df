"""HICRA: more credit on planning tokens, around any other method. Its controls separate planning
from mere drift.
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
"""Which tokens get the gain: those in a gram; all others (the inverted mask); as many with the
highest entropy; as many drawn at random; all.
"""


@dataclass(frozen=True)
class Planning:
    """A'[n, t] = A[n, t] + gain x |A[n, t]| on the chosen tokens, A[n, t] elsewhere.

    On these tokens successes count (1 + gain) times and failures (1 - gain) times. Since E|A| > 0,
    whatever was sampled there becomes more likely: optimism on a class of tokens.
    ``drift="constant"`` has the same optimism: it adds gain x the step's mean |A| to successes and
    failures alike. A claim for planning needs the arm to beat ``where="random"``,
    ``where="entropy"``, random ``grams`` and the constant drift.

    Source:
        Wang et al. 2025, arXiv:2509.03646 (HICRA), section 3; gain 0.2. The paper's code was never
            released.
    """

    grams: tuple[str, ...]
    """Strategic grams: texts whose tokens count as planning. Letters match as whole words only."""
    base: Credit = GroupMean()
    gain: float = 0.2
    where: Where = "planning"
    drift: Literal["own", "constant"] = "own"
    mined_with_truth: bool = False
    """Whether the grams were mined from correct completions, which is the intended use of
    ``Miner``.
    """

    def __post_init__(self) -> None:
        if not self.grams or not all(self.grams) or not 0 <= self.gain < 1:
            raise ComponentError(
                "Planning needs grams and a gain",
                value=f"{len(self.grams)} grams, gain={self.gain}",
                allowed="one or more non-empty texts; 0 <= gain < 1",
                do="Correct it in the study file",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether the base reads the answer key, or the grams were mined with it."""
        return self.base.uses_truth or self.mined_with_truth

    @property
    def needs(self) -> frozenset[str]:
        """The planning mask, the entropy if tokens are ranked by it, and the signals of the base.
        Controls read the mask for its number of tokens.
        """
        mine = {"planning_NT", "entropy_NT"} if self.where == "entropy" else {"planning_NT"}
        return self.base.needs | mine

    @property
    def asks(self) -> Mapping[str, object]:
        """The grams, and the settings that the base asks for."""
        return {**asked(self.base), "planning_NT": self.grams}

    @property
    def makers(self) -> Mapping[str, Maker]:
        """The makers of the base."""
        return makers_of(self.base)

    def __call__(self, signals: Signals) -> TokenCredit:
        """The base's credit with the gain applied. Notes gain ``credit/gained_share``, the share of
        tokens with a gain.
        """
        credit = self.base(signals)
        chosen_NT = self._chosen(signals)
        size_NT = credit.advantage_NT.abs()
        if self.drift == "constant":
            size_NT = size_NT.sum() / signals.mask_NT.sum().clamp(min=1) * torch.ones_like(size_NT)
        advantage_NT = credit.advantage_NT + self.gain * size_NT * chosen_NT
        share = float(chosen_NT.sum() / signals.mask_NT.sum().clamp(min=1))
        return replace(
            credit, advantage_NT=advantage_NT, notes={**credit.notes, "credit/gained_share": share}
        )

    def _chosen(self, signals: Signals) -> Tensor:
        mask_NT = (
            signals.mask_NT & ~signals.reward_N.isnan()[:, None]
        )  # a completion without a reward teaches nothing, not even drift
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
