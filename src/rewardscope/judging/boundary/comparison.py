"""pass@k of one policy, and of a trained policy beside its base, problem by problem at equal
numbers of draws.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rewardscope.errors import ComponentError
from rewardscope.judging.boundary.split import Split, split_null
from rewardscope.judging.boundary.tally import EXTRACTORS, Tally, powers_of_two, read_tallies
from rewardscope.stats import (
    Estimate,
    crossing_over_problems,
    curve_over_problems,
    mean_over_problems,
    ratio_over_problems,
)

CLASSES = {
    (True, True): "preserved",
    (True, False): "shrunk",
    (False, True): "expanded",
    (False, False): "out_of_reach",
}
"""Solved by (base, trained policy) -> what became of the problem."""
SUPPORT = {
    "support_retention": ({"preserved": 1.0}, {"preserved", "shrunk"}, (0.0, 1.0)),
    "discovery": ({"expanded": 1.0}, {"preserved", "expanded"}, (0.0, 1.0)),
    "support_change": (
        {"expanded": 1.0, "shrunk": -1.0},
        {"preserved", "expanded", "shrunk"},
        (-1.0, 1.0),
    ),
}
"""SRR, NDR and NSCR of Wu et al. 2025: points by class, among which classes, bounds."""
MOST_DRAWS = 1024
"""Largest k of a frontier."""


@dataclass(frozen=True)
class Point:
    """An estimate over problems at one k."""

    k: int
    estimate: Estimate | None
    """None = no problem has k graded draws, or there is nothing to estimate."""
    n: int
    """Problems behind it."""
    dropped: int
    """Problems with too few graded draws, or drawn on one side alone."""


def whole(estimate: Estimate, dropped: int, n: int) -> Estimate:
    """The estimate, without its interval where problems had to be left out: those that remain are
    no sample of all.
    """
    if not dropped:
        return estimate
    return Estimate(
        estimate.value, None, None, f"none: {dropped} of {dropped + n} problems could not be used"
    )


def epsilon(k: int) -> float:
    """The chance above which k draws solve a problem with 95 % certainty, at most 1: 3 / k, since
    (1 - 3 / k)^k is about exp(-3).

    >>> epsilon(256)
    0.01171875
    """
    return min(1.0, 3 / k)


def pass_curve(draws: Tally, ks: Sequence[int], address: str) -> list[Point]:
    """Mean pass@k over the problems that have max k graded draws, with one band for the whole
    curve.
    """
    usable_P = draws.graded_P >= ks[-1]
    n, dropped = int(usable_P.sum()), int((~usable_P).sum())
    if not n:
        return [Point(k, None, 0, dropped) for k in ks]
    band = curve_over_problems(draws.pass_at(ks)[usable_P], address=address, bounds=(0.0, 1.0))
    cut = [at if at.lower is None or at.upper is None else _within(at, 0.0, 1.0) for at in band]
    return [Point(k, whole(at, dropped, n), n, dropped) for k, at in zip(ks, cut, strict=True)]


def _within(estimate: Estimate, low: float, high: float) -> Estimate:
    assert estimate.lower is not None and estimate.upper is not None
    return Estimate(
        estimate.value, max(low, estimate.lower), min(high, estimate.upper), estimate.interval
    )


@dataclass(frozen=True, eq=False)
class Standing:
    """A trained policy and its base on the problems that both were given, under one extractor."""

    base: Tally
    trained: Tally
    alone: int
    """Problems that only one side was given."""

    @classmethod
    def of(cls, base: Tally, trained: Tally) -> "Standing":
        """Paired by problem.

        Raises:
            ComponentError: If they have no problem in common.
        """
        if base.problems == trained.problems:
            return cls(base, trained, 0)
        theirs = set(base.problems)
        common = [name for name in trained.problems if name in theirs]
        if not common:
            raise ComponentError(
                "Base and trained policy were given different problems",
                value=f"{len(base.problems)} of the base, {len(trained.problems)} of the trained "
                "policy, none in common",
                allowed="completions on the same problems",
                do="Evaluate both on one set of problems",
            )
        return cls(
            base.chosen(common),
            trained.chosen(common),
            len(base.problems) + len(trained.problems) - 2 * len(common),
        )

    @property
    def fewest(self) -> int:
        """Smallest number of draws that either side stored of a problem."""
        return int(min(self.base.stored_P.min(), self.trained.stored_P.min()))

    def difference(self, ks: Sequence[int], name: str) -> list[Point]:
        """Trained less base pass@k with one band over all k, on the problems that both have max k
        graded draws of.
        """
        difference_PK, dropped = self._difference(ks)
        n = len(difference_PK)
        if not n:
            return [Point(k, None, 0, dropped) for k in ks]
        band = curve_over_problems(difference_PK, address=name, bounds=(-1.0, 1.0))
        return [Point(k, whole(at, dropped, n), n, dropped) for k, at in zip(ks, band, strict=True)]

    def differences(self, ks: Sequence[int]) -> dict[int, dict[str, float]]:
        """Trained less base pass@k of each problem that both have max k graded draws of, by k."""
        difference_PK, _ = self._difference(ks)
        usable_P = self._usable(ks[-1])
        names = [
            name for name, is_usable in zip(self.base.problems, usable_P, strict=True) if is_usable
        ]
        return {
            k: dict(zip(names, map(float, value_P), strict=True))
            for k, value_P in zip(ks, difference_PK.T, strict=True)
        }

    def crossing(self, ks: Sequence[int]) -> tuple[Point, Point]:
        """The k at which the base overtakes, and the share of bootstrap draws over problems in
        which it does.
        """
        difference_PK, dropped = self._difference(ks)
        n = len(difference_PK)
        if not n:
            return Point(ks[-1], None, 0, dropped), Point(ks[-1], None, 0, dropped)
        place, share = crossing_over_problems(difference_PK, ks, address="boundary/crossing")
        at = Point(ks[-1], whole(place, dropped, n) if place else None, n if place else 0, dropped)
        return at, Point(ks[-1], Estimate(share, None, None, ""), n, dropped)

    def sampling_gap(self, ks: Sequence[int]) -> Point:
        """Base pass@max k less trained pass@1."""
        usable_P = self._usable(ks[-1])
        n, dropped = int(usable_P.sum()), self.alone + int((~usable_P).sum())
        if not n:
            return Point(ks[-1], None, 0, dropped)
        gap_P = self.base.pass_at(ks[-1:])[usable_P, 0] - self.trained.pass_at([1])[usable_P, 0]
        gap = mean_over_problems(gap_P, address="boundary/sampling_gap", bounds=(-1.0, 1.0))
        return Point(ks[-1], whole(gap, dropped, n), n, dropped)

    def split(self) -> Split | None:
        """What the base would lose and win against itself (:func:`split_null`)."""
        return split_null(self.base, self.trained)

    def classes(self) -> tuple[dict[str, Point], dict[str, Point]]:
        """How many problems were kept, lost, won or are out of reach of both, and the three shares
        made of them.

        Each problem is met with as many graded draws of the base as of the trained policy; k is the
        largest such number.
        """
        equal_P = np.minimum(self.base.graded_P, self.trained.graded_P)
        k, met_P = int(equal_P.max(initial=0)), equal_P > 0
        before_P, after_P = ((side.first_P < equal_P)[met_P] for side in (self.base, self.trained))
        within = {
            name: (before_P == base) & (after_P == trained)
            for (base, trained), name in CLASSES.items()
        }
        n, dropped = int(met_P.sum()), self.alone + int((~met_P).sum())
        counts = {
            name: Point(k, Estimate(float(is_P.sum()), None, None, "") if n else None, n, dropped)
            for name, is_P in within.items()
        }
        shares = {}
        for name, (points, among, bounds) in SUPPORT.items():
            top_P = sum((point * within[each] for each, point in points.items()), np.zeros(n))
            bottom_P = sum((within[each] for each in among), np.zeros(n))
            count = int(bottom_P.sum())
            share = (
                ratio_over_problems(top_P, bottom_P, address=f"boundary/{name}", bounds=bounds)
                if count
                else None
            )
            shares[name] = Point(k, whole(share, dropped, n) if share else None, count, dropped)
        return counts, shares

    def _usable(self, k: int) -> np.ndarray:
        return np.asarray((self.base.graded_P >= k) & (self.trained.graded_P >= k))

    def _difference(self, ks: Sequence[int]) -> tuple[np.ndarray, int]:
        usable_P = self._usable(ks[-1])
        return (self.trained.pass_at(ks) - self.base.pass_at(ks))[usable_P], self.alone + int(
            (~usable_P).sum()
        )


@dataclass(frozen=True)
class Frontier:
    """What stored completions say of a policy, and of its base where there is one, by extractor."""

    problems: int
    completions: int
    curves: dict[str, list[Point]]
    base_curves: dict[str, list[Point]]
    differences: dict[str, list[Point]]
    crossing: tuple[Point, Point] | None
    """Tolerant: k, and the share of bootstrap draws that cross."""
    sampling_gap: Point | None
    classes: dict[str, Point]
    support: dict[str, Point]
    split: Split | None
    """Base against itself, at half the draws."""

    def record(self) -> dict[str, Any]:
        """Everything for machines; the counts carry the chance that their k can see."""
        content = asdict(self)
        for name in ("classes", "support"):
            for point in content[name].values():
                point["epsilon"] = epsilon(point["k"]) if point["k"] else None
        return content


def frontier(rollouts: Path, base: Path | None = None) -> Frontier:
    """pass@k of stored rollouts up to k = 1024 or the fewest draws of a problem, and the comparison
    with a base's.

    Raises:
        RunDirectoryError: If a file cannot be read as rollouts of one policy.
        ComponentError: If base and trained policy have no problem in common.
    """
    own = read_tallies(rollouts)
    tolerant = own["tolerant"]
    counts = {"problems": len(tolerant.problems), "completions": int(tolerant.stored_P.sum())}
    if base is None:
        ks = powers_of_two(min(MOST_DRAWS, int(tolerant.stored_P.min())))
        curves = {name: pass_curve(own[name], ks, f"boundary/{name}") for name in EXTRACTORS}
        return Frontier(
            **counts,
            curves=curves,
            base_curves={},
            differences={},
            crossing=None,
            sampling_gap=None,
            classes={},
            support={},
            split=None,
        )
    theirs = read_tallies(base)
    standing = {name: Standing.of(theirs[name], own[name]) for name in EXTRACTORS}
    ks = powers_of_two(min(MOST_DRAWS, standing["tolerant"].fewest))
    classes, support = standing["tolerant"].classes()
    return Frontier(
        **counts,
        curves={name: pass_curve(own[name], ks, f"boundary/{name}") for name in EXTRACTORS},
        base_curves={
            name: pass_curve(theirs[name], ks, f"boundary/base/{name}") for name in EXTRACTORS
        },
        differences={
            name: standing[name].difference(ks, f"boundary/difference/{name}")
            for name in EXTRACTORS
        },
        crossing=standing["tolerant"].crossing(ks),
        sampling_gap=standing["tolerant"].sampling_gap(ks),
        classes=classes,
        support=support,
        split=standing["tolerant"].split(),
    )
