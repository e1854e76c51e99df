"""What a policy does: its strategies and behaviours, how often each is right, which moves account
for a gain, and how completions are written and end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.probes.base import PSEUDO, Evidence, Need
from rewardscope.probes.detectors import ALL
from rewardscope.probes.echo import echo_rows
from rewardscope.probes.strata import Pairs, gain_row, move_rows
from rewardscope.protocols import Detector
from rewardscope.stats import mean_over_problems, ratio_over_problems, ratio_values
from rewardscope.types import Ending, Grade, Measurement, Rollout

UNRECOGNISED = "unrecognised"
"""Name for completions in which the environment recognised no strategy."""


def strategies_of(rollouts: Sequence[Rollout]) -> set[str]:
    """Names of the strategies that occur."""
    return {strategy_of(grade) for rollout in rollouts for grade in rollout.grades}


def strategy_of(grade: Grade) -> str:
    """The strategy that the environment recognised."""
    return grade.strategy or UNRECOGNISED


@dataclass(frozen=True)
class Behaviour:
    """Share and accuracy of each strategy and behaviour, length, ending, form; and against the base
    which moves account for the gain.

    Strategies are what the environment recognises with certainty. Behaviours are what ``detectors``
    find in the text, with the precision that `rewardscope instruments` shows. Against the base,
    rows give the share of draws that moved from one strategy (or behaviour) to another, and the
    share of the gain that this move accounts for. Nulls are the shares that amplification alone
    would produce.
    Intervals are clustered by problem.

    Source:
        Shao et al. 2025, arXiv:2506.10947, section 4 (partial contribution of a move); Zhao et al.
            2025, arXiv:2504.07912 (echo chamber).
    """

    detectors: tuple[Detector, ...] = ALL

    needs: ClassVar[frozenset[Need]] = frozenset({Need.ROLLOUTS})
    uses: ClassVar[frozenset[Need]] = frozenset({Need.BASE_ROLLOUTS, Need.TOKENS})
    metrics: ClassVar[tuple[str, ...]] = (
        *(
            "behaviour/strategy_share",
            "behaviour/strategy_accuracy",
            "behaviour/shown_share",
            "behaviour/shown_accuracy",
        ),
        *("behaviour/length_tokens", "behaviour/ending_share", "behaviour/well_formed_share"),
        *("behaviour/gain", "behaviour/move_share", "behaviour/move_change"),
        "behaviour/move_gain",
        *("behaviour/strategy_reward", "behaviour/reweighting", "behaviour/share_null"),
    )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Rows for every strategy that the environment can recognise, used or not, and for
        unrecognised completions where there are any.
        """
        rows: list[Measurement] = []
        names = sorted(
            {
                *evidence.strategies,
                *strategies_of(evidence.rollouts),
                *strategies_of(evidence.base_rollouts or ()),
            }
        )
        for name in names:
            used = [
                [strategy_of(grade) == name for grade in rollout.grades]
                for rollout in evidence.rollouts
            ]
            rows += self._shares(evidence, "behaviour/strategy_share", used, {"strategy": name})
            rows += self._accuracy(
                evidence, "behaviour/strategy_accuracy", used, {"strategy": name}
            )
        shown = {detector.name: _shown(detector, evidence.rollouts) for detector in self.detectors}
        for name, groups in shown.items():
            rows += self._shares(evidence, "behaviour/shown_share", groups, {"behaviour": name})
            for answer in (True, False):
                chosen = [[shows is answer for shows in group] for group in groups]
                labels = {"behaviour": name, "shown": _said(answer)}
                rows += self._accuracy(evidence, "behaviour/shown_accuracy", chosen, labels)
        for ending in Ending:
            ended = [
                [completion.ending is ending for completion in rollout.completions]
                for rollout in evidence.rollouts
            ]
            rows += self._shares(
                evidence, "behaviour/ending_share", ended, {"ending": ending.value}
            )
        formed = [[grade.well_formed for grade in rollout.grades] for rollout in evidence.rollouts]
        rows += self._shares(evidence, "behaviour/well_formed_share", formed, {})
        rows += _length_rows(evidence)
        if evidence.base_rollouts is not None:
            rows += self._against_base(evidence, evidence.base_rollouts, names, shown)
        return rows

    def _against_base(
        self,
        evidence: Evidence,
        base: Sequence[Rollout],
        names: list[str],
        shown: dict[str, list[list[bool]]],
    ) -> list[Measurement]:
        pairs = Pairs.of(base, evidence.rollouts)
        before, after = (
            [strategy_of(grade) for rollout in side for grade in rollout.grades]
            for side in (base, evidence.rollouts)
        )
        rows = [
            gain_row(evidence, pairs),
            *move_rows(evidence, pairs, "strategy", names, np.array(before), np.array(after)),
        ]
        for detector in self.detectors:
            sides = (_shown(detector, base), shown[detector.name])
            before, after = (
                [_said(shows) for group in groups for shows in group] for groups in sides
            )
            rows += move_rows(
                evidence,
                pairs,
                detector.name,
                (_said(True), _said(False)),
                np.array(before),
                np.array(after),
            )
        return rows + echo_rows(
            evidence, names, lambda rollout, index: strategy_of(rollout.grades[index])
        )

    def _shares(
        self, evidence: Evidence, metric: str, groups: list[list[bool]], labels: dict[str, str]
    ) -> list[Measurement]:
        """The share over all problems with its interval, and one row per problem."""
        values = [sum(group) / len(group) for group in groups]
        address = f"{metric}/{'/'.join(labels.values())}"
        estimate = mean_over_problems(values, address=address, bounds=(0.0, 1.0))
        rows = [
            evidence.row(metric, "share", estimate, n=len(values), over="problems", labels=labels)
        ]
        for rollout, value, group in zip(evidence.rollouts, values, groups, strict=True):
            rows.append(
                evidence.row(
                    metric,
                    "share",
                    value,
                    n=len(group),
                    over="draws",
                    labels={**labels, "problem": rollout.problem.id},
                )
            )
        return rows

    def _accuracy(
        self, evidence: Evidence, metric: str, groups: list[list[bool]], labels: dict[str, str]
    ) -> list[Measurement]:
        """Right completions over graded completions among the chosen, None where there is none; and
        its linearised value of each problem.
        """
        right, graded = [], []
        for rollout, group in zip(evidence.rollouts, groups, strict=True):
            verdicts = [
                g.correct
                for g, chosen in zip(rollout.grades, group, strict=True)
                if chosen and g.correct is not None
            ]
            right.append(float(sum(verdicts)))
            graded.append(float(len(verdicts)))
        address = f"{metric}/{'/'.join(labels.values())}"
        estimate = (
            ratio_over_problems(right, graded, address=address, bounds=(0.0, 1.0))
            if sum(graded)
            else None
        )
        row = evidence.row(
            metric, "share", estimate, n=int(sum(graded)), over="completions", labels=labels
        )
        if estimate is None:
            return [row]
        value_P = ratio_values(np.array(right), np.array(graded))
        values = {
            rollout.problem.id: float(value)
            for rollout, value in zip(evidence.rollouts, value_P, strict=True)
        }
        return [row, *evidence.problem_rows(metric, "share", values, labels, over=PSEUDO)]


def _length_rows(evidence: Evidence) -> list[Measurement]:
    """Mean length over problems all of whose completions have their tokens, and that of each; the
    other problems are dropped.
    """
    metric = "behaviour/length_tokens"
    known = [r for r in evidence.rollouts if all(c.token_ids for c in r.completions)]
    means = [sum(c.length for c in r.completions) / len(r.completions) for r in known]
    mean = mean_over_problems(means, address=metric) if means else None
    dropped = len(evidence.rollouts) - len(means)
    row = evidence.row(metric, "tokens", mean, n=len(means), over="problems", dropped=dropped)
    names = [rollout.problem.id for rollout in known]
    draws = {rollout.problem.id: len(rollout.completions) for rollout in known}
    values = dict(zip(names, means, strict=True))
    return [row, *evidence.problem_rows(metric, "tokens", values, n=draws)]


def _shown(detector: Detector, rollouts: Sequence[Rollout]) -> list[list[bool]]:
    return [
        [detector(rollout.problem.prompt, completion.said) for completion in rollout.completions]
        for rollout in rollouts
    ]


def _said(answer: bool) -> str:
    return "yes" if answer else "no"
