"""Which moves between behaviours account for a gain: draws of base and trained policy in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rewardscope.judging.boundary.comparison import whole
from rewardscope.probes.base import Evidence
from rewardscope.stats import Estimate, mean_over_problems, ratio_over_problems, unseen_share
from rewardscope.types import Measurement, Rollout


@dataclass(frozen=True, eq=False)
class Pairs:
    """Draw i of the base beside draw i of the trained policy, on each problem that both answered,
    where both could be graded.

    Draws of one index share their sampling noise, so a completion that training left alone is
    paired with itself: the base against itself makes no move, and a move is a change of the policy
    rather than chance. Pairing every draw with every other (the expectation over the product)
    would show moves between behaviours where nothing was trained. Where the two sides were sampled
    with different noise, pairs by index are such independent pairs, and unbiased for that
    expectation.
    """

    num_problems: int
    dropped: int
    """Problems without such a pair, or answered by one side alone."""
    problem_N: np.ndarray
    base_N: np.ndarray
    """Index of the pair's base completion among all of the base's, problem after problem."""
    own_N: np.ndarray
    change_N: np.ndarray
    """Right after minus right before: -1, 0 or 1."""

    @classmethod
    def of(cls, base: Sequence[Rollout], own: Sequence[Rollout]) -> "Pairs":
        """Paired by problem and index; of unequal numbers of draws, the first ones."""
        start: dict[str, tuple[int, Rollout]] = {}
        offset = 0
        for rollout in base:
            start.setdefault(rollout.problem.id, (offset, rollout))
            offset += len(rollout.grades)
        rows: list[tuple[int, int, int, int]] = []
        offset = num_problems = 0
        for rollout in own:
            first, other = start.get(rollout.problem.id, (0, None))
            both = [
                (num_problems, first + i, offset + i, int(after.correct) - int(before.correct))
                for i, (before, after) in enumerate(
                    zip(other.grades if other else (), rollout.grades, strict=False)
                )
                if before.correct is not None and after.correct is not None
            ]
            offset += len(rollout.grades)
            rows += both
            num_problems += bool(both)
        names = {rollout.problem.id for rollout in (*base, *own)}
        problem_N, base_N, own_N, change_N = np.array(rows, dtype=np.int64).reshape(-1, 4).T
        return cls(num_problems, len(names) - num_problems, problem_N, base_N, own_N, change_N)

    def means(self, value_N: np.ndarray) -> np.ndarray:
        """Mean of a value over the pairs of each problem."""
        count_P = np.bincount(self.problem_N, minlength=self.num_problems)
        return np.asarray(
            np.bincount(self.problem_N, weights=value_N, minlength=self.num_problems) / count_P
        )

    def total(self) -> Estimate | None:
        """The gain: mean over problems of right after minus right before; None without
        pairs.
        """
        if not self.num_problems:
            return None
        gain = mean_over_problems(
            list(self.means(self.change_N)), address="behaviour/gain", bounds=(-1.0, 1.0)
        )
        return whole(gain, self.dropped, self.num_problems)


def share_of_gain(part_P: np.ndarray, total_P: np.ndarray, address: str) -> Estimate:
    """Sum of a part's gains over the sum of all, with a bootstrap over problems; the parts of one
    whole sum to 1, and one may be negative.

    Where a part is the same share of each problem's gain, resampling shows no spread. What remains
    is the uncertainty of :func:`rewardscope.stats.unseen_share`: problems of a kind never seen,
    all of whose pairs change.

    Source:
        Shao et al. 2025, arXiv:2506.10947, section 4 (partial contribution C_d, there of one greedy
            answer a problem, without interval).
    """
    sign = np.sign(total_P.sum())
    share = float(part_P.sum() / total_P.sum())
    if np.allclose(part_P, share * total_P, rtol=0, atol=1e-12):
        half = unseen_share(len(total_P)) / abs(float(total_P.mean()))
        return Estimate(
            share,
            share - half,
            share + half,
            f"all {len(total_P)} problems alike; a kind never met may be part of all",
        )
    ratio = ratio_over_problems(list(sign * part_P), list(sign * total_P), address=address)
    lower, upper = (share if end is None else end for end in (ratio.lower, ratio.upper))
    return Estimate(ratio.value, min(lower, ratio.value), max(upper, ratio.value), ratio.interval)


def gain_row(evidence: Evidence, pairs: Pairs) -> Measurement:
    """The total gain, by the pairs that the moves are made of."""
    return evidence.row(
        "behaviour/gain",
        "share difference",
        pairs.total(),
        n=pairs.num_problems,
        over="problems",
        dropped=pairs.dropped,
    )


def move_rows(
    evidence: Evidence,
    pairs: Pairs,
    by: str,
    names: Sequence[str],
    before: np.ndarray,
    after: np.ndarray,
) -> list[Measurement]:
    """For every pair of behaviours its share of the draws, what it adds to the gain, and its share
    of the gain; the last is None where the gain's interval holds 0.

    Args:
        evidence: Whose rows.
        pairs: Draws side by side.
        by: What the behaviours are: strategies, or one detector's yes and no.
        names: Every behaviour there is.
        before: Behaviour of every completion of the base.
        after: Of every completion of the trained policy.
    """
    total = pairs.total()
    decided = (
        total is not None
        and total.lower is not None
        and total.upper is not None
        and (total.lower > 0 or total.upper < 0)
    )
    number: dict[str, Any] = {"n": pairs.num_problems, "over": "problems", "dropped": pairs.dropped}
    before_N, after_N = before[pairs.base_N], after[pairs.own_N]
    total_P = pairs.means(pairs.change_N)
    rows = []
    for first in names:
        for second in names:
            labels = {"by": by, "before": first, "after": second}
            inside_N = (before_N == first) & (after_N == second)
            address = f"behaviour/move/{by}/{first}/{second}"
            share = gain = change = None
            if pairs.num_problems:
                moved_P = pairs.means(inside_N * pairs.change_N)
                added = mean_over_problems(moved_P, address=address, bounds=(-1.0, 1.0))
                change = whole(added, pairs.dropped, pairs.num_problems)
                mean = mean_over_problems(
                    list(pairs.means(inside_N)), address=address, bounds=(0.0, 1.0)
                )
                share = whole(mean, pairs.dropped, pairs.num_problems)
            if decided:
                gain = share_of_gain(pairs.means(inside_N * pairs.change_N), total_P, address)
            rows.append(
                evidence.row("behaviour/move_share", "share", share, labels=labels, **number)
            )
            rows.append(
                evidence.row(
                    "behaviour/move_change", "share difference", change, labels=labels, **number
                )
            )
            counted = {**number, "n": number["n"] if gain else 0}
            rows.append(
                evidence.row("behaviour/move_gain", "ratio", gain, labels=labels, **counted)
            )
    return rows
