"""Do two trainings change the same weights, and would updates of the same sizes in other places look as if they did?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import torch
from torch import Tensor

from rewardscope.errors import ModelError
from rewardscope.policy.weights import Weights, in_step
from rewardscope.seeds import generator

TOP = 0.1
"""Share of the entries with the largest float32 updates that the rank-based overlap compares."""


@dataclass(frozen=True)
class Overlap:
    """Entries that two trainings changed as bfloat16 stores them: counts over all matrices."""

    size: int
    first: int
    second: int
    both: int
    top: int
    """Entries among the ``TOP`` largest float32 updates of both, matrix by matrix."""
    top_of: int
    """How many that could be at most."""

    @property
    def one_sided(self) -> tuple[float | None, float | None]:
        """|both| / |first| and |both| / |second|; None where a training changed nothing."""
        return self.both / self.first if self.first else None, self.both / self.second if self.second else None

    @property
    def jaccard(self) -> float | None:
        """|both| / |either|; None where neither changed anything."""
        either = self.first + self.second - self.both
        return self.both / either if either else None

    @property
    def uniform(self) -> tuple[float, float, float | None]:
        """One-sided overlaps and Jaccard of two masks of these densities that know nothing of each other or of the weights."""
        p, q = self.first / self.size, self.second / self.size
        return q, p, p * q / (p + q - p * q) if p + q else None

    @property
    def top_share(self) -> float | None:
        """Share of the largest float32 updates that both have; ``TOP`` by chance."""
        return self.top / self.top_of if self.top_of else None

    def __add__(self, other: "Overlap") -> "Overlap":
        """Both together."""
        mine = (self.size, self.first, self.second, self.both, self.top, self.top_of)
        theirs = (other.size, other.first, other.second, other.both, other.top, other.top_of)
        return Overlap(*(a + b for a, b in zip(mine, theirs, strict=True)))


@dataclass(frozen=True)
class Agreement:
    """Two trainings side by side, and the same with every matrix's update shuffled over its entries and stored again."""

    first: str
    second: str
    found: Overlap
    shuffled: Overlap
    """The null: updates of the same sizes, in places that know nothing of each other. What it shares, the storage shares."""

    reads: ClassVar[str] = "weights of two trainings and of their start"


@torch.no_grad()
def agreements(before: Weights, trained: Mapping[str, Weights]) -> list[Agreement]:
    """Every pair of trainings of one start.

    bfloat16 stores an update only where it passes half the spacing at that weight, so small weights change in every training: independent
    noise already agrees far above the uniform level: 0.63 to 0.67 one-sided where 0.37 of the weights change and the start was stored in
    bfloat16, 0.58 where it was not. Only what lies above the shuffled updates is agreement.

    Raises:
        ModelError: If there are fewer than two trainings, or checkpoints that cannot be compared.

    Source:
        Mukherjee et al. 2025, arXiv:2505.11711, section 5 (one-sided overlap); Zhu et al. 2025, arXiv:2511.08567 (Jaccard).
    """
    if len(trained) < 2:
        raise ModelError("Agreement is between trainings", value=f"{len(trained)} checkpoint", allowed="2 or more", do="Give another one")
    pairs = list(combinations(trained, 2))
    found = dict.fromkeys(pairs, Overlap(0, 0, 0, 0, 0, 0))
    shuffled = dict(found)
    for name, (start, *ends) in in_step(before, *trained.values()):
        updates = {label: end - start for label, end in zip(trained, ends, strict=True)}
        moved = {label: _shuffled(update, (label, name)) for label, update in updates.items()}
        for pair in pairs:
            found[pair] += _overlap(start, [updates[label] for label in pair])
            shuffled[pair] += _overlap(start, [moved[label] for label in pair])
    return [Agreement(*pair, found[pair], shuffled[pair]) for pair in pairs]


def _shuffled(update: Tensor, address: tuple[str, str]) -> Tensor:
    order = torch.from_numpy(generator("shuffled update", *address).permutation(update.numel()))
    return update.flatten()[order].view_as(update)


def _overlap(start: Tensor, updates: Sequence[Tensor]) -> Overlap:
    stored = start.bfloat16()
    first, second = ((start + update).bfloat16() != stored for update in updates)
    count = int(TOP * start.numel())
    top = 0
    if count:
        one, other = (_largest(update, count) for update in updates)
        top = int((one & other).sum())
    return Overlap(start.numel(), int(first.sum()), int(second.sum()), int((first & second).sum()), top, count)


def _largest(update: Tensor, count: int) -> Tensor:
    """True at the ``count`` largest entries by size."""
    mask = torch.zeros(update.numel(), dtype=torch.bool)
    mask[update.flatten().abs().topk(count, sorted=False).indices] = True
    return mask
