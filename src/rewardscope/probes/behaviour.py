"""What a policy does: which strategies it uses, how often each is right, how long it writes and how it stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.probes.base import Subject
from rewardscope.stats import mean_over_problems, ratio_over_problems
from rewardscope.types import Ending, Measurement, Rollout

UNRECOGNISED = "unrecognised"
"""Stands for completions in which the environment recognised no strategy."""


def strategies_of(rollouts: Sequence[Rollout]) -> set[str]:
    """Names of the strategies that occur."""
    return {grade.strategy or UNRECOGNISED for rollout in rollouts for grade in rollout.grades}


@dataclass(frozen=True)
class Behaviour:
    """Share and accuracy of each strategy, length, ending, form; intervals clustered by problem."""

    reads: ClassVar[str] = "stored completions"
    metrics: ClassVar[tuple[str, ...]] = (
        "behaviour/strategy_share",
        "behaviour/strategy_accuracy",
        "behaviour/length_tokens",
        "behaviour/ending_share",
        "behaviour/well_formed_share",
    )

    def measure(self, subject: Subject) -> list[Measurement]:
        """Rows for every strategy that the environment can recognise, used or not, and for unrecognised completions where there are any."""
        rows: list[Measurement] = []
        names = {*subject.strategies, *strategies_of(subject.rollouts), *strategies_of(subject.base_rollouts or ())}
        for name in sorted(names):
            used = [[(grade.strategy or UNRECOGNISED) == name for grade in rollout.grades] for rollout in subject.rollouts]
            rows += self._shares(subject, "behaviour/strategy_share", used, {"strategy": name})
            rows.append(self._accuracy(subject, name))
        for ending in Ending:
            ended = [[completion.ending is ending for completion in rollout.completions] for rollout in subject.rollouts]
            rows += self._shares(subject, "behaviour/ending_share", ended, {"ending": ending.value})
        formed = [[grade.well_formed for grade in rollout.grades] for rollout in subject.rollouts]
        rows += self._shares(subject, "behaviour/well_formed_share", formed, {})
        lengths = [[float(c.length) for c in rollout.completions] for rollout in subject.rollouts]
        mean = mean_over_problems([sum(group) / len(group) for group in lengths], address="behaviour/length_tokens")
        rows.append(subject.row("behaviour/length_tokens", "tokens", mean, n=len(lengths), over="problems"))
        return rows

    def _shares(self, subject: Subject, metric: str, groups: list[list[bool]], labels: dict[str, str]) -> list[Measurement]:
        """The share over all problems with its interval, and one row per problem."""
        values = [sum(group) / len(group) for group in groups]
        address = f"{metric}/{'/'.join(labels.values())}"
        estimate = mean_over_problems(values, address=address, bounds=(0.0, 1.0))
        rows = [subject.row(metric, "share", estimate, n=len(values), over="problems", labels=labels)]
        for rollout, value, group in zip(subject.rollouts, values, groups, strict=True):
            rows.append(subject.row(metric, "share", value, n=len(group), over="draws", labels={**labels, "problem": rollout.problem.id}))
        return rows

    def _accuracy(self, subject: Subject, name: str) -> Measurement:
        """Right completions over graded completions among those that use the strategy; None where none does."""
        right, graded = [], []
        for rollout in subject.rollouts:
            verdicts = [grade.correct for grade in rollout.grades if (grade.strategy or UNRECOGNISED) == name and grade.correct is not None]
            right.append(float(sum(verdicts)))
            graded.append(float(len(verdicts)))
        metric, labels = "behaviour/strategy_accuracy", {"strategy": name}
        estimate = ratio_over_problems(right, graded, address=f"{metric}/{name}", bounds=(0.0, 1.0)) if sum(graded) else None
        return subject.row(metric, "share", estimate, n=int(sum(graded)), over="completions", labels=labels)
