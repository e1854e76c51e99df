"""What Diversity says of known shares of answers."""

from collections.abc import Iterator

import numpy as np
from checks import Check, group, subject

from rewardscope.probes import Diversity
from rewardscope.seeds import generator


def diversity() -> Iterator[Check]:
    """Rarefied counts and the entropy of a die."""
    random = generator("validation", "diversity")
    weight_A = np.array([0.4, 0.3, 0.2, 0.1])
    true = float((1 - (1 - weight_A) ** 16).sum())
    studies, covered = 1000, 0
    for _ in range(studies):
        drawn = random.choice(list("abcd"), p=weight_A, size=(64, 64))
        draws = [group(i, [(None, False, str(a)) for a in row]) for i, row in enumerate(drawn)]
        row = next(r for r in Diversity(16).measure(subject(draws)) if r.metric == "diversity/distinct_answers")
        covered += (row.lower or 0) <= true <= (row.upper or 0)
    n = f"{studies} studies, 64 problems x 64 draws"
    yield Check(
        "Diversity", "coverage", "the interval of distinct answers in 16 draws holds the true number", covered / studies, 0.93, 0.97, n
    )
    die = [group(i, [(None, False, str(a)) for a in random.integers(0, 6, 64)]) for i in range(400)]
    found = {r.metric: r.value for r in Diversity(16).measure(subject(die)) if "problem" not in r.labels}
    yield Check(
        "Diversity",
        "sensitivity",
        "entropy of a fair die, less log 6",
        (found["diversity/answer_entropy"] or 0) - np.log(6),
        -0.01,
        0.01,
        "400 x 64",
    )
