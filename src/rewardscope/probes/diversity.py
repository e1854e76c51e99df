"""How varied a policy's output is: distinct answers, texts and strategies at equal numbers of
draws.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import stats as distributions

from rewardscope.errors import ComponentError
from rewardscope.judging.boundary import verdicts
from rewardscope.probes.base import Evidence, Need
from rewardscope.stats import mean_over_problems, pass_at_ks
from rewardscope.types import Measurement


def expected_distinct(names: Sequence[Hashable], k: int) -> float:
    """Expected number of different names among k of them drawn without replacement; NaN where there
    are fewer.

    Each name is seen with the chance that pass@k gives a success: sum over names of 1 - C(n - n_a,
    k) / C(n, k).

    Source:
        Hurlbert 1971, Ecology 52(4) (rarefaction).

    >>> round(expected_distinct(["a", "a", "b"], 2), 3)
    1.667
    """
    if len(names) < k:
        return float("nan")
    count_A = np.array(list(Counter(names).values()))
    return float(pass_at_ks(np.full(len(count_A), len(names)), count_A, [k]).sum())


def chance_of_one(names: Sequence[Hashable], k: int) -> float:
    """Chance that k names drawn without replacement are all the same; NaN where there are fewer.

    >>> round(chance_of_one(["a", "a", "b"], 2), 3)
    0.333
    """
    if len(names) < k:
        return float("nan")
    others_A = len(names) - np.array(list(Counter(names).values()))
    return float((1 - pass_at_ks(np.full(len(others_A), len(names)), others_A, [k])).sum())


def entropy(names: Sequence[Hashable], k: int) -> float:
    """Expected entropy in nats of k names drawn without replacement; NaN where there are fewer.

    Plug-in entropy grows with the number of names, so groups of unequal sizes only compare after
    rarefaction. A name that stands c times among n has J ~ hypergeometric(n, c, k) places among the
    k, and adds E[-J / k log(J / k)].

    Source:
        Hurlbert 1971, Ecology 52(4) (rarefaction); Miller and Madow's correction of the bias leaves
        a part that still depends on the number of names.

    >>> round(entropy(["a", "a", "b"], 2), 3) == round(2 / 3 * math.log(2), 3)
    True
    """
    if len(names) < k:
        return float("nan")
    place_J = np.arange(1, k + 1)
    term_J = -place_J / k * np.log(place_J / k)
    counts, times = np.unique(list(Counter(names).values()), return_counts=True)
    return float(
        sum(
            number * (distributions.hypergeom.pmf(place_J, len(names), count, k) @ term_J)
            for count, number in zip(counts, times, strict=True)
        )
    )


@dataclass(frozen=True)
class Diversity:
    """Distinct answers, texts and strategies among ``k`` draws of a problem, entropy of its
    answers, and what more draws gain.

    ``right_answers_differ`` compares right answers only, where a problem has several. A policy that
    merely becomes surer need not lose them.

    Counts and entropy are rarefied to k, so that policies with unequal numbers of usable draws
    compare. Problems with fewer usable draws are dropped and counted.

    Source:
        Yue et al. 2025, arXiv:2504.13837 (what reinforcement loses at large k); Zhu et al. 2025,
            arXiv:2506.01347 (NSR and diversity).
    """

    k: int = 16

    needs: ClassVar[frozenset[Need]] = frozenset({Need.ROLLOUTS})
    metrics: ClassVar[tuple[str, ...]] = (
        *(
            "diversity/distinct_answers",
            "diversity/distinct_completions",
            "diversity/answer_entropy",
            "diversity/answers_differ",
        ),
        *("diversity/right_answers_differ", "diversity/single_strategy", "diversity/pass_slope"),
    )

    def __post_init__(self) -> None:
        if self.k < 2 or self.k & (self.k - 1):
            raise ComponentError(
                "Diversity's k must be a power of two",
                value=self.k,
                allowed="2, 4, 8 ...",
                do="Correct it in the study file",
            )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """One row per metric over the problems, and one per problem."""
        answers = [
            [grade.answer for grade in rollout.grades if grade.answer is not None]
            for rollout in evidence.rollouts
        ]
        right = [
            [grade.answer for grade in rollout.grades if grade.correct and grade.answer is not None]
            for rollout in evidence.rollouts
        ]
        texts = [
            [completion.said for completion in rollout.completions] for rollout in evidence.rollouts
        ]
        strategies = [
            [grade.strategy for grade in rollout.grades if grade.strategy is not None]
            for rollout in evidence.rollouts
        ]
        draws = [verdicts(rollout, False) for rollout in evidence.rollouts]
        pass_PK = pass_at_ks(
            np.array(list(map(len, draws))), np.array(list(map(sum, draws))), [1, self.k]
        )
        at_k, doublings = {"k": str(self.k)}, np.log2(self.k)
        columns: list[tuple[str, str, dict[str, str], list[float]]] = [
            (
                "distinct_answers",
                "answers",
                at_k,
                [expected_distinct(names, self.k) for names in answers],
            ),
            (
                "distinct_completions",
                "completions",
                at_k,
                [expected_distinct(names, self.k) for names in texts],
            ),
            ("answer_entropy", "nats", at_k, [entropy(names, self.k) for names in answers]),
            ("answers_differ", "share", {}, [1 - chance_of_one(names, 2) for names in answers]),
            ("right_answers_differ", "share", {}, [1 - chance_of_one(names, 2) for names in right]),
            (
                "single_strategy",
                "share",
                at_k,
                [chance_of_one(names, self.k) for names in strategies],
            ),
            (
                "pass_slope",
                "share difference",
                at_k,
                list((pass_PK[:, 1] - pass_PK[:, 0]) / doublings),
            ),
        ]
        return [
            row
            for name, unit, labels, values in columns
            for row in _rows(evidence, f"diversity/{name}", unit, labels, values)
        ]


def _rows(
    evidence: Evidence, metric: str, unit: str, labels: dict[str, str], values: list[float]
) -> list[Measurement]:
    """The mean over the problems that have a number, then their rows."""
    known = [
        (rollout, value)
        for rollout, value in zip(evidence.rollouts, values, strict=True)
        if not np.isnan(value)
    ]
    dropped = len(values) - len(known)
    bounds = {"share": (0.0, 1.0), "share difference": (-1.0, 1.0)}.get(unit)
    estimate = (
        mean_over_problems([value for _, value in known], address=metric, bounds=bounds)
        if known
        else None
    )
    rows = [
        evidence.row(
            metric, unit, estimate, n=len(known), over="problems", labels=labels, dropped=dropped
        )
    ]
    for rollout, value in known:
        labels_of_one = {**labels, "problem": rollout.problem.id}
        rows.append(
            evidence.row(
                metric,
                unit,
                float(value),
                n=len(rollout.grades),
                over="draws",
                labels=labels_of_one,
            )
        )
    return rows
