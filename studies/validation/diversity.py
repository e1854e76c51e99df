"""What Diversity says of known shares of answers."""

from collections.abc import Iterator

import numpy as np
from checks import Check, evidence, group

from rewardscope.probes.diversity import Diversity
from rewardscope.seeds import generator
from rewardscope.types import Rollout


def diversity() -> Iterator[Check]:
    """Rarefied counts and the entropy of a die."""
    random = generator("validation", "diversity")
    weight_A = np.array([0.4, 0.3, 0.2, 0.1])
    true = float((1 - (1 - weight_A) ** 16).sum())
    studies, covered = 1000, 0
    for _ in range(studies):
        drawn = random.choice(list("abcd"), p=weight_A, size=(64, 64))
        draws = [group(i, [(None, False, str(a)) for a in row]) for i, row in enumerate(drawn)]
        row = next(
            r
            for r in Diversity(16).measure(evidence(draws))
            if r.metric == "diversity/distinct_answers"
        )
        covered += (row.lower or 0) <= true <= (row.upper or 0)
    n = f"{studies} studies, 64 problems x 64 draws"
    yield Check(
        "Diversity",
        "coverage",
        "the interval of distinct answers in 16 draws holds the true number",
        covered / studies,
        0.93,
        0.97,
        n,
    )
    yield from _right_answers(random)
    found = [
        next(
            r.value or 0.0
            for r in Diversity(16).measure(evidence(_die(random, draws)))
            if r.metric == "diversity/answer_entropy" and "problem" not in r.labels
        )
        for draws in (20, 200)
    ]
    yield Check(
        "Diversity",
        "null",
        "entropy of a die's answers from 200 draws a problem, less that from 20 (plug-in: +0.11)",
        found[1] - found[0],
        -0.02,
        0.02,
        "400 problems each",
    )


def _die(random: np.random.Generator, draws: int) -> list[Rollout]:
    faces_PN = random.integers(0, 6, (400, draws))
    return [
        group(problem, [(None, False, str(face)) for face in face_N])
        for problem, face_N in enumerate(faces_PN)
    ]


def _right_answers(random: np.random.Generator) -> Iterator[Check]:
    """Two right answers, 3 to 1 in frequency, among wrong ones: what is found must not depend on
    how often the policy is right.
    """
    share_A, true = np.array([0.75, 0.25]), 2 * 0.75 * 0.25
    found = {}
    for right in (0.2, 0.9):
        wrong_A = np.full(8, (1 - right) / 8)
        drawn = random.choice(list("abcdefghij"), p=[*(right * share_A), *wrong_A], size=(400, 64))
        draws = [
            group(i, [(None, str(a) in "ab", str(a)) for a in row]) for i, row in enumerate(drawn)
        ]
        rows = Diversity(16).measure(evidence(draws))
        found[right] = next(
            r.value or 0
            for r in rows
            if r.metric == "diversity/right_answers_differ" and "problem" not in r.labels
        )
    what = "two right draws differ, known 0.375, with right answers in a fifth of the draws"
    yield Check("Diversity", "sensitivity", what, found[0.2], true - 0.02, true + 0.02, "400 x 64")
    what = "the same with right answers in nine tenths, less that: being surer alone is no loss"
    yield Check("Diversity", "null", what, found[0.9] - found[0.2], -0.02, 0.02, "400 x 64")
