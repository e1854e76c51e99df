"""What Ladder says of rungs whose chances are known."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from checks import Check, evidence, group

from rewardscope.probes.ladder import Ladder
from rewardscope.seeds import generator
from rewardscope.types import Rollout

LEVELS, PER_LEVEL, DRAWS = 5, 100, 256


def rungs(chance_L: list[float], lucky: bool = False) -> list[Rollout]:
    """Problems of five levels; a draw is right with its level's chance, and lucky ones are right by
    working of which a step is wrong.
    """
    random = generator("validation", "ladder", *chance_L)
    found = []
    for level, chance in enumerate(chance_L):
        for place in range(PER_LEVEL):
            drawn = group(
                level * PER_LEVEL + place,
                [(None, bool(right), "7") for right in random.random(DRAWS) < chance],
            )
            grades = tuple(replace(grade, steps=(True, not lucky)) for grade in drawn.grades)
            found.append(replace(drawn, problem=replace(drawn.problem, level=level), grades=grades))
    return found


def values(rollouts: list[Rollout], metric: str, k: int) -> np.ndarray:
    """The metric by level."""
    rows = [
        r
        for r in Ladder((1, 16)).measure(evidence(rollouts))
        if r.metric == metric and "problem" not in r.labels
    ]
    return np.array(
        [
            row.value
            for row in sorted(rows, key=lambda row: row.labels["level"])
            if row.labels["k"] == str(k)
        ]
    )


def ladder() -> Iterator[Check]:
    """A ladder that falls, a level one, and one of lucky answers."""
    n, chance_L = f"{LEVELS} levels x {PER_LEVEL} problems x {DRAWS}", [0.9, 0.4, 0.1, 0.01, 0.0]
    truth = {k: np.array([1 - (1 - chance) ** k for chance in chance_L]) for k in (1, 16)}
    falling, even = rungs(chance_L), rungs([0.3] * LEVELS)
    for metric in Ladder.metrics:
        apart = max(float(np.abs(values(falling, metric, k) - truth[k]).max()) for k in truth)
        yield Check(
            "Ladder",
            "sensitivity",
            f"largest error of {metric} against chances that fall from 0.9 to 0",
            apart,
            0.0,
            0.02,
            n,
        )
    spread = float(np.ptp(values(even, "ladder/pass_at_k", 1)))
    yield Check(
        "Ladder",
        "null",
        "largest difference between rungs of one chance, 0.3",
        spread,
        0.0,
        0.02,
        n,
    )
    lucky = float(values(rungs([0.9] * LEVELS, lucky=True), "ladder/verified_at_k", 16).max())
    yield Check(
        "Ladder",
        "null",
        "verified share of answers that are right by wrong working",
        lucky,
        0.0,
        0.0,
        n,
    )
