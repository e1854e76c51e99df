"""What a policy can solve given many tries: pass@k, and which problems were won or lost against the base."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.probes.base import Subject
from rewardscope.stats import mean_over_problems, pass_at_k
from rewardscope.types import Measurement, Rollout


def counts(rollout: Rollout, strict: bool) -> tuple[int, int]:
    """Graded draws and right ones among them; a draw that could not be graded is in neither."""
    verdicts = [grade.strict if strict else grade.correct for grade in rollout.grades]
    known = [verdict for verdict in verdicts if verdict is not None]
    return len(known), sum(known)


@dataclass(frozen=True)
class Boundary:
    """pass@k for k = 1, 2, 4 ... up to ``max_k`` with intervals clustered by problem, tolerant and strict.

    Against the base at k = max_k a problem is preserved (both solve it), shrunk (only the base), expanded (only the trained policy) or
    out of reach (neither). "Solves" means at least one of the draws: a problem with p = 1 % stays unsolved in 256 draws with
    probability 0.08, so these counts belong to their k.

    Source:
        Chen et al. 2021, arXiv:2107.03374 (estimator); Yue et al. 2025, arXiv:2504.13837 (comparison with the base).
    """

    max_k: int = 256

    metrics: ClassVar[tuple[str, ...]] = ("boundary/pass_at_k", "boundary/pass_at_k_strict", "boundary/problems")

    def __post_init__(self) -> None:
        if self.max_k < 1 or self.max_k & (self.max_k - 1):
            raise ComponentError(
                "Boundary's max_k is a power of two", value=self.max_k, allowed="1, 2, 4, 8 ...", do="Mend it in the study"
            )

    def measure(self, subject: Subject) -> list[Measurement]:
        """pass@k rows and, for a trained policy, the four counts of problems."""
        rows: list[Measurement] = []
        for metric, strict in (("boundary/pass_at_k", False), ("boundary/pass_at_k_strict", True)):
            k = 1
            while k <= self.max_k:
                rows += self._pass_rows(subject, metric, strict, k)
                k *= 2
        return rows + self._class_rows(subject)

    def _pass_rows(self, subject: Subject, metric: str, strict: bool, k: int) -> list[Measurement]:
        found = [(rollout.problem.id, *counts(rollout, strict)) for rollout in subject.rollouts]
        usable = [(problem, n, c) for problem, n, c in found if n >= k]
        dropped = len(found) - len(usable)
        labels = {"k": str(k)}
        if not usable:
            return [subject.row(metric, "share", None, n=0, over="problems", labels=labels, dropped=dropped)]
        values = [pass_at_k(n, c, k) for _, n, c in usable]
        rows = [
            subject.row(
                metric,
                "share",
                mean_over_problems(values, address=f"{metric}/{k}", bounds=(0.0, 1.0)),
                n=len(values),
                over="problems",
                labels=labels,
                dropped=dropped,
            )
        ]
        for (problem, n, _), value in zip(usable, values, strict=True):
            rows.append(subject.row(metric, "share", value, n=n, over="draws", labels={**labels, "problem": problem}))
        return rows

    def _class_rows(self, subject: Subject) -> list[Measurement]:
        if subject.base_rollouts is None:
            return []
        classes = {"preserved": 0, "shrunk": 0, "expanded": 0, "out_of_reach": 0}
        for base, trained in zip(subject.base_rollouts, subject.rollouts, strict=True):
            solved = (counts(base, False)[1] > 0, counts(trained, False)[1] > 0)
            names = {(True, True): "preserved", (True, False): "shrunk", (False, True): "expanded", (False, False): "out_of_reach"}
            classes[names[solved]] += 1
        draws = str(min(len(rollout.grades) for rollout in subject.rollouts))
        return [
            subject.row(
                "boundary/problems", "problems", float(count), n=len(subject.rollouts), over="problems", labels={"class": name, "k": draws}
            )
            for name, count in classes.items()
        ]
