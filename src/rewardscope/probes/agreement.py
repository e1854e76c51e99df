"""Do two trainings change the same weights, and would updates of the same sizes in other places or
with other signs look as if they did?
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from rewardscope.errors import ModelError
from rewardscope.policy.weights import Weights, in_step, largest
from rewardscope.probes.nulls import resigned, shuffled
from rewardscope.stats import Estimate, mean_over_pairs

TOP = 0.1
"""Share of the entries with the largest float32 updates that the rank-based overlap compares."""
SIDES = ("found", "shuffled", "resigned")


@dataclass(frozen=True)
class Overlap:
    """Entries that two trainings changed as bfloat16 stores them: counts over all matrices."""

    size: int = 0
    first: int = 0
    second: int = 0
    both: int = 0
    same_sign: int = 0
    """Of both, entries that both trainings moved the same way."""
    top: int = 0
    """Entries among the ``TOP`` largest float32 updates of both, matrix by matrix."""
    top_of: int = 0
    """How many that could be at most."""

    @property
    def one_sided(self) -> tuple[float | None, float | None]:
        """|both| / |first| and |both| / |second|; None where a training changed nothing."""
        return (
            self.both / self.first if self.first else None,
            self.both / self.second if self.second else None,
        )

    @property
    def jaccard(self) -> float | None:
        """|both| / |either|; None where neither changed anything."""
        either = self.first + self.second - self.both
        return self.both / either if either else None

    @property
    def uniform(self) -> tuple[float, float, float | None]:
        """One-sided overlaps and Jaccard of two masks of these densities that know nothing of each
        other or of the weights.
        """
        p, q = self.first / self.size, self.second / self.size
        return q, p, p * q / (p + q - p * q) if p + q else None

    @property
    def sign_share(self) -> float | None:
        """Share of what both changed that both moved the same way; a half by chance."""
        return self.same_sign / self.both if self.both else None

    @property
    def top_share(self) -> float | None:
        """Share of the largest float32 updates that both have; ``TOP`` by chance."""
        return self.top / self.top_of if self.top_of else None

    def __add__(self, other: "Overlap") -> "Overlap":
        """Both together."""
        return Overlap(
            *(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True))
        )


@dataclass(frozen=True)
class Agreement:
    """Two trainings side by side, and the same with every matrix's update shuffled or re-signed and
    stored again.
    """

    first: str
    second: str
    found: Overlap
    shuffled: Overlap
    """The null of the places: updates of the same sizes, in places that know nothing of each other.
    What it shares, the storage shares.
    """
    resigned: Overlap
    """The null of the directions: the same sizes in the same places, up or down by coin flips. What
    it shares needs no direction; its largest updates are the found ones by construction.
    """

    reads: ClassVar[str] = "weights of two trainings and of their start"


@dataclass(frozen=True)
class Moved:
    """What one training did to one matrix, and its two nulls, as masks by side: found, shuffled,
    resigned.
    """

    changed: dict[str, Tensor]
    """As bfloat16 stores it."""
    up: dict[str, Tensor]
    largest: dict[str, Tensor]
    """Mask of the ``TOP`` largest; found and shuffled, for re-signing leaves sizes as they are."""


def moved(name: str, start: Tensor, end: Tensor, place: int) -> Moved:
    """One training's update of a matrix with its nulls, drawn by the matrix's name and the
    training's place among all.
    """
    update = end - start
    updates = {
        "found": update,
        "shuffled": shuffled(update, place, name),
        "resigned": resigned(update, place, name),
    }
    stored, count = start.bfloat16(), int(TOP * start.numel())
    ends = {"found": end, **{side: start + updates[side] for side in ("shuffled", "resigned")}}
    changed = {side: ends[side].bfloat16() != stored for side in SIDES}
    up = {side: updates[side] > 0 for side in SIDES}
    return Moved(
        changed,
        up,
        {side: largest(updates[side].abs(), count) for side in ("found", "shuffled")}
        if count
        else {},
    )


@dataclass
class Pairs:
    """Overlaps of every pair of trainings, added up matrix by matrix."""

    names: Sequence[str]
    overlaps: dict[tuple[int, int, str], Overlap] = field(default_factory=dict)

    def add(self, found: Sequence[Moved]) -> None:
        """One matrix of every training."""
        for one, two in combinations(range(len(found)), 2):
            for side in SIDES:
                overlap = _overlap(found[one], found[two], side)
                self.overlaps[one, two, side] = (
                    self.overlaps.get((one, two, side), Overlap()) + overlap
                )

    def agreements(self) -> list[Agreement]:
        """What came out."""
        pairs = combinations(range(len(self.names)), 2)
        return [
            Agreement(
                self.names[one], self.names[two], *(self.overlaps[one, two, side] for side in SIDES)
            )
            for one, two in pairs
        ]


def _overlap(first: Moved, second: Moved, side: str) -> Overlap:
    one, two = first.changed[side], second.changed[side]
    both = one & two
    same = both & (first.up[side] == second.up[side])
    ranked = "found" if side == "resigned" else side
    top = (
        (
            int((first.largest[ranked] & second.largest[ranked]).count_nonzero()),
            int(first.largest[ranked].count_nonzero()),
        )
        if first.largest
        else (0, 0)
    )
    return Overlap(
        one.numel(),
        int(one.count_nonzero()),
        int(two.count_nonzero()),
        int(both.count_nonzero()),
        int(same.count_nonzero()),
        *top,
    )


@torch.no_grad()
def agreements(before: Weights, trained: Mapping[str, Weights]) -> list[Agreement]:
    """Every pair of trainings of one start.

    bfloat16 stores an update only where it passes half the spacing at that weight, so small weights
    change in every training: independent noise already agrees far above the uniform level: 0.63 to
    0.67 one-sided where 0.37 of the weights change and the start was stored in bfloat16, 0.58 where
    it was not. Only what lies above the shuffled updates is agreement.

    Raises:
        ModelError: If there are fewer than two trainings, or checkpoints that cannot be compared.

    Source:
        Mukherjee et al. 2025, arXiv:2505.11711, section 5 (one-sided overlap); Zhu et al. 2025,
            arXiv:2511.08567 (Jaccard).
    """
    refuse_one(trained)
    pairs = Pairs(list(trained))
    for name, (start, *ends) in in_step(before, *trained.values()):
        pairs.add([moved(name, start, end, place) for place, end in enumerate(ends)])
    return pairs.agreements()


def refuse_one(trained: Mapping[str, Weights]) -> None:
    """Raises where there is nobody to agree with.

    Raises:
        ModelError: If there are fewer than two trainings.
    """
    if len(trained) < 2:
        raise ModelError(
            "Agreement is between trainings",
            value=f"{len(trained)} checkpoint",
            allowed="2 or more",
            do="Give another one",
        )


def above_null(found: Sequence[Agreement], what: str) -> Estimate | None:
    """Mean over pairs of found - shuffled, with an interval that takes the trainings as draws of
    one kind; None where a pair has no value.

    Pairs share trainings, so they are not independent: three trainings make three pairs, and the
    interval counts three, not more. Two trainings make one pair, and no interval.

    Args:
        found: Every pair of them.
        what: ``jaccard``, ``top_share`` or ``sign_share``.
    """
    differences: dict[tuple[str, str], float] = {}
    for pair in found:
        own, null = getattr(pair.found, what), getattr(pair.shuffled, what)
        if own is None or null is None:
            return None
        differences[pair.first, pair.second] = own - null
    names = list(dict.fromkeys(name for pair in differences for name in pair))
    value_SS = np.full((len(names), len(names)), np.nan)
    for (one, two), value in differences.items():
        value_SS[names.index(one), names.index(two)] = value_SS[
            names.index(two), names.index(one)
        ] = value
    return mean_over_pairs(value_SS)
