"""Whether a policy uses the block before a problem: its accuracy after the block, after filler, and
after another category's block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.judging.boundary import verdicts
from rewardscope.probes.against_base import DIFFERENCE
from rewardscope.probes.base import Evidence, Need
from rewardscope.stats import mean_over_problems
from rewardscope.types import Measurement, Rollout

BLOCKS = {
    "experience/with_block": "",
    "experience/without_block": "without",
    "experience/swapped_block": "swapped",
}
"""Metric -> which rollouts it is read from."""


@dataclass(frozen=True)
class Experience:
    """Accuracy of a policy with a bank after three blocks of the same number of tokens, with the
    same draws, and the differences.

    without: filler in place of every entry; swapped: what the bank recalls for the next
    category. A policy that does not read its block loses nothing in either. Intervals are over
    problems; differences are paired by problem.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({Need.ROLLOUTS})
    uses: ClassVar[frozenset[Need]] = frozenset({Need.COUNTERFACTUAL})
    metrics: ClassVar[tuple[str, ...]] = (
        *BLOCKS,
        "experience/lost_without",
        "experience/lost_swapped",
    )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Rows per block and per difference, over all problems and for each; None throughout for a
        policy without a bank.
        """
        by_block = (
            {"": evidence.rollouts, **evidence.counterfactual} if evidence.counterfactual else {}
        )
        rows: list[Measurement] = []
        for metric, name in BLOCKS.items():
            rows += _accuracy(evidence, metric, by_block.get(name, ()))
        for name in ("without", "swapped"):
            rows.append(
                _lost(
                    evidence,
                    f"experience/lost_{name}",
                    by_block.get("", ()),
                    by_block.get(name, ()),
                )
            )
        return rows


def _share(rollout: Rollout) -> tuple[float, int] | None:
    """Share of right draws among the graded ones, with their number; None where nothing could be
    graded.
    """
    graded = verdicts(rollout, strict=False)
    return (sum(graded) / len(graded), len(graded)) if graded else None


def _accuracy(evidence: Evidence, metric: str, rollouts: Sequence[Rollout]) -> list[Measurement]:
    """The mean over problems with its interval, and one row per problem."""
    known = [
        (rollout.problem.id, share)
        for rollout in rollouts
        if (share := _share(rollout)) is not None
    ]
    values, dropped = [share for _, (share, _) in known], len(rollouts) - len(known)
    estimate = mean_over_problems(values, address=metric, bounds=(0.0, 1.0)) if values else None
    rows = [
        evidence.row(metric, "share", estimate, n=len(values), over="problems", dropped=dropped)
    ]
    return rows + [
        evidence.row(metric, "share", share, n=n, over="draws", labels={"problem": id})
        for id, (share, n) in known
    ]


def _lost(
    evidence: Evidence, metric: str, original: Sequence[Rollout], changed: Sequence[Rollout]
) -> Measurement:
    """How far the accuracy falls when the block is changed, paired by problem."""
    pairs = [(_share(mine), _share(other)) for mine, other in zip(original, changed, strict=True)]
    apart = [mine[0] - other[0] for mine, other in pairs if mine is not None and other is not None]
    estimate = mean_over_problems(apart, address=metric, bounds=(-1.0, 1.0)) if apart else None
    return evidence.row(
        metric, DIFFERENCE, estimate, n=len(apart), over="problems", dropped=len(pairs) - len(apart)
    )
