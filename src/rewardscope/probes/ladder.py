"""What a policy solves rung by rung of a ladder of difficulty, by its answers and by its verified
working.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.errors import ComponentError
from rewardscope.probes.base import Evidence, Need
from rewardscope.stats import mean_over_problems, pass_at_ks
from rewardscope.types import Measurement, Problem, Rollout


@dataclass(frozen=True)
class Ladder:
    """pass@k separately for each level of the problems, or for each combination of level and facts
    that ``by`` names.

    ``verified_at_k`` counts a draw only if its answer is right *and* it wrote working of which
    every step is right: a right answer with wrong working, or without any, does not count. A
    problem without k graded draws is dropped. A chance below about 3 / k may look like none.

    Source:
        Zhang et al. 2025, arXiv:2512.07783: in distribution, edge and out of reach by pass@128 per
            level, with process-verified traces.
    """

    ks: tuple[int, ...] = (1, 128)
    by: tuple[str, ...] = ("level",)
    """``level``, and names of facts that every problem has."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.ROLLOUTS})
    metrics: ClassVar[tuple[str, ...]] = ("ladder/pass_at_k", "ladder/verified_at_k")

    def __post_init__(self) -> None:
        if not self.ks or min(self.ks) < 1 or not self.by or {"k", "problem"} & set(self.by):
            raise ComponentError(
                "Ladder needs numbers of draws and facts that define the rungs",
                value=f"ks={self.ks}, by={self.by}",
                allowed="ks of 1 or more; by: level, names of facts",
                do="Correct it in the study file",
            )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Per rung, metric and k the mean over problems with its interval, and a row per
        problem.
        """
        rungs: defaultdict[tuple[str, ...], list[Rollout]] = defaultdict(list)
        for rollout in evidence.rollouts:
            rungs[self._rung(rollout.problem)].append(rollout)
        return [
            row
            for rung, rollouts in sorted(rungs.items())
            for name in self.metrics
            for row in self._rows(evidence, name, rung, rollouts)
        ]

    def _rung(self, problem: Problem) -> tuple[str, ...]:
        """The problem's values of the facts in ``by``.

        Raises:
            ComponentError: If the problem has no such fact.
        """
        known = {**problem.facts, "level": str(problem.level)}
        missing = [name for name in self.by if name not in known]
        if missing:
            raise ComponentError(
                "The problems have no such fact",
                value=", ".join(missing),
                allowed=", ".join(known),
                do="Correct Ladder(by=...)",
            )
        return tuple(known[name] for name in self.by)

    def _rows(
        self, evidence: Evidence, metric: str, rung: tuple[str, ...], rollouts: list[Rollout]
    ) -> list[Measurement]:
        counted = [
            counts(rollout, verified=metric == "ladder/verified_at_k") for rollout in rollouts
        ]
        graded_P, right_P = (np.array(column) for column in zip(*counted, strict=True))
        value_PK = pass_at_ks(graded_P, right_P, list(self.ks))
        rows = []
        for k, value_P in zip(self.ks, value_PK.T, strict=True):
            labels, usable_P = {**dict(zip(self.by, rung, strict=True)), "k": str(k)}, graded_P >= k
            values, estimate = [float(value) for value in value_P[usable_P]], None
            if values:
                estimate = mean_over_problems(
                    values, address=f"{metric}/{k}/{'/'.join(rung)}", bounds=(0.0, 1.0)
                )
            dropped = len(rollouts) - len(values)
            rows.append(
                evidence.row(
                    metric,
                    "share",
                    estimate,
                    n=len(values),
                    over="problems",
                    labels=labels,
                    dropped=dropped,
                )
            )
            for index in np.flatnonzero(usable_P):
                single = {**labels, "problem": rollouts[index].problem.id}
                rows.append(
                    evidence.row(
                        metric,
                        "share",
                        float(value_P[index]),
                        n=int(graded_P[index]),
                        over="draws",
                        labels=single,
                    )
                )
        return rows


def counts(rollout: Rollout, verified: bool) -> tuple[int, int]:
    """Graded draws of a problem, and how many of them are right; verified: right with working of
    right steps only.
    """
    graded = [grade for grade in rollout.grades if grade.correct is not None]
    right = [
        grade
        for grade in graded
        if grade.correct and (not verified or (grade.steps and all(grade.steps)))
    ]
    return len(graded), len(right)
