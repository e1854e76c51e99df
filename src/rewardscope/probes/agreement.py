"""Whether two trainings change the same weights, compared with updates of the same sizes at other
positions or with other signs.
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
from rewardscope.probes.nulls import rescaled, resigned, shuffled
from rewardscope.stats import Estimate, mean_over_pairs

TOP = 0.1
"""Share of the entries with the largest float32 updates that the rank-based overlap compares."""
SIDES = ("found", "shuffled", "rescaled", "resigned")
PLACES = ("shuffled", "rescaled")
"""The nulls for positions."""


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
    """The largest possible value of ``top``."""

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
        """One-sided overlaps and Jaccard index of two masks of these densities that are independent
        of each other and of the weights.
        """
        p, q = self.first / self.size, self.second / self.size
        return q, p, p * q / (p + q - p * q) if p + q else None

    @property
    def sign_share(self) -> float | None:
        """Share of the entries changed by both that both moved the same way; 0.5 by chance."""
        return self.same_sign / self.both if self.both else None

    @property
    def top_share(self) -> float | None:
        """Share of the largest float32 updates that both have in common; ``TOP`` by chance."""
        return self.top / self.top_of if self.top_of else None

    def __add__(self, other: "Overlap") -> "Overlap":
        """The sum of both, field by field."""
        return Overlap(
            *(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True))
        )


@dataclass(frozen=True)
class Agreement:
    """Two trainings compared, and the same comparison with every matrix's update shuffled, with and
    without the scales of its rows and columns, or re-signed, and stored again.
    """

    first: str
    second: str
    found: Overlap
    shuffled: Overlap
    """The null for positions: updates of the same sizes at independent positions. Its overlap comes
    from how weights are stored.
    """
    rescaled: Overlap
    """The same with the scales of rows and columns kept: its overlap comes from which rows and
    columns move far, too.
    """
    resigned: Overlap
    """The null for signs: the same sizes at the same positions, each sign drawn by a coin flip. Its
    overlap does not depend on signs. Its largest updates are the found ones by construction.
    """

    reads: ClassVar[str] = "weights of two trainings and of their start"


@dataclass(frozen=True)
class Moved:
    """Masks of what one training changed in one matrix, and of its nulls, by side: found,
    shuffled, rescaled, resigned.
    """

    changed: dict[str, Tensor]
    """As bfloat16 stores it."""
    up: dict[str, Tensor]
    largest: dict[str, Tensor]
    """Mask of the ``TOP`` largest: not re-signed, since that keeps all sizes."""


def moved(name: str, start: Tensor, end: Tensor, index: int) -> Moved:
    """One training's update of a matrix with its nulls. The nulls are seeded by the matrix's name
    and the training's index.
    """
    update = end - start
    updates = {
        "found": update,
        "shuffled": shuffled(update, index, name),
        "rescaled": rescaled(update, index, name),
        "resigned": resigned(update, index, name),
    }
    stored, count = start.bfloat16(), int(TOP * start.numel())
    ends = {"found": end, **{side: start + updates[side] for side in SIDES[1:]}}
    changed = {side: ends[side].bfloat16() != stored for side in SIDES}
    up = {side: updates[side] > 0 for side in SIDES}
    return Moved(
        changed,
        up,
        {side: largest(updates[side].abs(), count) for side in ("found", *PLACES)} if count else {},
    )


@dataclass
class Pairs:
    """Overlaps of every pair of trainings, added up matrix by matrix."""

    names: Sequence[str]
    overlaps: dict[tuple[int, int, str], Overlap] = field(default_factory=dict)

    def add(self, moves: Sequence[Moved]) -> None:
        """Adds one matrix of every training."""
        for first, second in combinations(range(len(moves)), 2):
            for side in SIDES:
                overlap = _overlap(moves[first], moves[second], side)
                self.overlaps[first, second, side] = (
                    self.overlaps.get((first, second, side), Overlap()) + overlap
                )

    def agreements(self) -> list[Agreement]:
        """The agreement of each pair."""
        pairs = combinations(range(len(self.names)), 2)
        return [
            Agreement(
                self.names[first],
                self.names[second],
                *(self.overlaps[first, second, side] for side in SIDES),
            )
            for first, second in pairs
        ]


def _overlap(first: Moved, second: Moved, side: str) -> Overlap:
    first_changed, second_changed = first.changed[side], second.changed[side]
    both = first_changed & second_changed
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
        first_changed.numel(),
        int(first_changed.count_nonzero()),
        int(second_changed.count_nonzero()),
        int(both.count_nonzero()),
        int(same.count_nonzero()),
        *top,
    )


@torch.no_grad()
def agreements(before: Weights, trained: Mapping[str, Weights]) -> list[Agreement]:
    """The agreement of every pair of trainings from the same start.

    bfloat16 stores an update only where it exceeds half the spacing at that weight, so small
    weights change in every training. Independent noise therefore overlaps far more than uniform
    masks do. Where 0.37 of the weights change, its one-sided overlap is 0.63 to 0.67 if the start
    was stored in bfloat16, and 0.58 if it was not. Noise whose rows and columns
    have scales in common overlaps still more. Only what exceeds both nulls for positions is
    agreement.

    Raises:
        ModelError: If there are fewer than two trainings, or checkpoints that cannot be compared.

    Source:
        Mukherjee et al. 2025, arXiv:2505.11711, section 5 (one-sided overlap); Zhu et al. 2025,
            arXiv:2511.08567 (Jaccard).
    """
    refuse_one(trained)
    pairs = Pairs(list(trained))
    for name, (start, *ends) in in_step(before, *trained.values()):
        pairs.add([moved(name, start, end, index) for index, end in enumerate(ends)])
    return pairs.agreements()


def refuse_one(trained: Mapping[str, Weights]) -> None:
    """Checks that there are two trainings to compare.

    Raises:
        ModelError: If there are fewer than two trainings.
    """
    if len(trained) < 2:
        raise ModelError(
            "Agreement compares two trainings or more",
            value=f"{len(trained)} checkpoint",
            allowed="2 or more",
            do="Give another checkpoint",
        )


def above_null(pairs: Sequence[Agreement], statistic: str) -> Estimate | None:
    """Mean over pairs of found - the larger of the nulls for positions, with an interval that
    treats the trainings as a random sample; None where a pair has no value.

    Pairs share trainings, so they are not independent: three trainings make three pairs, and the
    interval counts three, not more. Two trainings make one pair, and no interval.

    Args:
        pairs: The agreement of every pair.
        statistic: ``jaccard``, ``top_share`` or ``sign_share``.
    """
    differences: dict[tuple[str, str], float] = {}
    for pair in pairs:
        own = getattr(pair.found, statistic)
        nulls = [getattr(getattr(pair, side), statistic) for side in PLACES]
        if own is None or None in nulls:
            return None
        differences[pair.first, pair.second] = own - max(nulls)
    names = list(dict.fromkeys(name for pair in differences for name in pair))
    value_SS = np.full((len(names), len(names)), np.nan)
    for (first, second), value in differences.items():
        value_SS[names.index(first), names.index(second)] = value_SS[
            names.index(second), names.index(first)
        ] = value
    return mean_over_pairs(value_SS)
