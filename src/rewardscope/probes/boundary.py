"""What a policy can solve given many draws: pass@k, votes, and which problems were won or lost
against the base.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.errors import ComponentError
from rewardscope.judging.boundary import Standing, Tally, powers_of_two
from rewardscope.judging.boundary.comparison import MOST_DRAWS, whole
from rewardscope.probes.against_base import class_rows, difference_rows
from rewardscope.probes.base import Evidence, Need
from rewardscope.seeds import generator
from rewardscope.stats import mean_over_problems
from rewardscope.types import Measurement, Rollout

VOTES = 64
"""Subsets of the draws that vote, per problem and k."""


@dataclass(frozen=True)
class Boundary:
    """pass@k and vote@k for k = 1, 2, 4 ... up to ``max_k`` or what the draws allow, and how the
    trained policy compares with its base.

    Intervals are clustered by problem; those of the difference to the base hold for the whole curve
    at once. At k = the largest number of graded draws that a problem has on both sides it is
    preserved (both solve it), shrunk (only the base), expanded (only the trained policy) or out of
    reach (neither). "Solves" means at least one of the draws: chances below about epsilon = 3 / k
    may look like none (at k = 256, a problem with p = 1 % stays unsolved with probability 0.08), so
    these counts carry their k and epsilon.

    A problem with too few graded draws, or with draws on one side only, is dropped and counted; the
    mean of the rest then has no interval. Base and trained policy are paired by problem. If they
    have no problem in common, a ComponentError is raised. Their difference extends to the largest
    power of two that every problem's stored draws reach.

    Source:
        Chen et al. 2021, arXiv:2107.03374 (estimator); Yue et al. 2025, arXiv:2504.13837
            (comparison with the base, sampling gap); Wu et al. 2025, arXiv:2507.14843 (support
            retention, discovery, support change, threshold epsilon).
    """

    max_k: int = MOST_DRAWS

    needs: ClassVar[frozenset[Need]] = frozenset({Need.ROLLOUTS})
    uses: ClassVar[frozenset[Need]] = frozenset({Need.BASE_ROLLOUTS})
    metrics: ClassVar[tuple[str, ...]] = (
        *(
            "boundary/pass_at_k",
            "boundary/pass_at_k_strict",
            "boundary/vote_at_k",
            "boundary/split_problems",
            "boundary/split_retention",
            "boundary/shrunk_beyond_null",
            "boundary/expanded_beyond_null",
            "boundary/difference",
            "boundary/difference_strict",
        ),
        *(
            "boundary/crossing_k",
            "boundary/crossing_share",
            "boundary/sampling_gap",
            "boundary/problems",
        ),
        *("boundary/support_retention", "boundary/discovery", "boundary/support_change"),
    )

    def __post_init__(self) -> None:
        if self.max_k < 1 or self.max_k & (self.max_k - 1):
            raise ComponentError(
                "Boundary's max_k must be a power of two",
                value=self.max_k,
                allowed="1, 2, 4, 8 ...",
                do="Correct it in the study file",
            )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Rows per k, tolerant and strict, and, for a trained policy, those against its base."""
        own = {strict: Tally.of(evidence.rollouts, strict) for strict in (False, True)}
        ks = powers_of_two(min(self.max_k, int(own[False].stored_P.max())))
        rows = _pass_rows(evidence, "boundary/pass_at_k", own[False], ks) + _pass_rows(
            evidence, "boundary/pass_at_k_strict", own[True], ks
        )
        rows += _vote_rows(evidence, ks)
        if evidence.base_rollouts is None:
            return rows
        standing = {
            strict: Standing.of(Tally.of(evidence.base_rollouts, strict), draws)
            for strict, draws in own.items()
        }
        common = powers_of_two(min(self.max_k, standing[False].fewest))
        rows += [
            row
            for strict, comparison in standing.items()
            for row in difference_rows(evidence, comparison, common, strict)
        ]
        return rows + class_rows(evidence, standing[False])


def _pass_rows(evidence: Evidence, metric: str, draws: Tally, ks: list[int]) -> list[Measurement]:
    """The mean over problems at each k with its interval, and one row per problem."""
    value_PK = draws.pass_at(ks)
    rows = []
    for k, value_P in zip(ks, value_PK.T, strict=True):
        usable_P = draws.graded_P >= k
        rows.append(
            _mean_row(evidence, metric, value_P[usable_P], {"k": str(k)}, int((~usable_P).sum()))
        )
        for index in np.flatnonzero(usable_P):
            labels = {"k": str(k), "problem": draws.problems[index]}
            rows.append(
                evidence.row(
                    metric,
                    "share",
                    float(value_P[index]),
                    n=int(draws.graded_P[index]),
                    over="draws",
                    labels=labels,
                )
            )
    return rows


def _mean_row(
    evidence: Evidence, metric: str, value_P: np.ndarray, labels: dict[str, str], dropped: int
) -> Measurement:
    estimate = None
    if len(value_P):
        mean = mean_over_problems(
            list(value_P), address=f"{metric}/{labels['k']}", bounds=(0.0, 1.0)
        )
        estimate = whole(mean, dropped, len(value_P))
    return evidence.row(
        metric, "share", estimate, n=len(value_P), over="problems", labels=labels, dropped=dropped
    )


def _vote_rows(evidence: Evidence, ks: list[int]) -> list[Measurement]:
    """Chance that the commonest answer of k draws is right, over all problems and of each."""
    metric = "boundary/vote_at_k"
    value_PK = np.array([vote_at_ks(rollout, ks) for rollout in evidence.rollouts])
    rows = []
    for k, value_P in zip(ks, value_PK.T, strict=True):
        labels, known_P = {"k": str(k)}, ~np.isnan(value_P)
        rows.append(_mean_row(evidence, metric, value_P[known_P], labels, int((~known_P).sum())))
        values = {
            rollout.problem.id: float(value)
            for rollout, value in zip(evidence.rollouts, value_P, strict=True)
            if not np.isnan(value)
        }
        rows += evidence.problem_rows(metric, "share", values, labels)
    return rows


def vote_at_ks(rollout: Rollout, ks: list[int]) -> list[float]:
    """Share of subsets of k graded draws whose commonest answer is right. Tied answers share the
    vote; no answer at all is wrong.

    NaN where there are fewer than k graded draws. k = 1 and k = all draws are exact; between them,
    :data:`VOTES` drawn subsets vote.
    """
    graded = [grade for grade in rollout.grades if grade.correct is not None]
    names = sorted({grade.answer for grade in graded if grade.answer is not None})
    number = {name: index for index, name in enumerate(names)}
    answer_N = np.array(
        [len(names) if grade.answer is None else number[grade.answer] for grade in graded],
        dtype=np.int64,
    )
    right_N = np.array([bool(grade.correct) for grade in graded])
    right_A = np.array([right_N[answer_N == index].mean() for index in range(len(names))])
    order_VN = generator("votes", rollout.problem.id).random((VOTES, len(graded))).argsort(axis=1)
    shares = []
    for k in ks:
        if k > len(graded):
            shares.append(float("nan"))
        elif k == 1:
            shares.append(float((right_N & (answer_N < len(names))).mean()))
        elif not names:
            shares.append(0.0)
        else:
            chosen_VK = answer_N[order_VN[: 1 if k == len(graded) else VOTES, :k]]
            slot_VK = chosen_VK + (len(names) + 1) * np.arange(len(chosen_VK))[:, None]
            votes_VA = np.bincount(
                slot_VK.ravel(), minlength=len(chosen_VK) * (len(names) + 1)
            ).reshape(len(chosen_VK), -1)[:, :-1]
            first_VA = (votes_VA == votes_VA.max(axis=1, keepdims=True)) & (votes_VA > 0)
            share_V = (first_VA * right_A).sum(axis=1) / first_VA.sum(axis=1).clip(min=1)
            shares.append(float(share_V.mean()))
    return shares
