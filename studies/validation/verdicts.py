"""How often equal arms are called different."""

from collections.abc import Iterator

import numpy as np
from checks import Check

from rewardscope import Claim
from rewardscope.judging.claims import decide
from rewardscope.seeds import generator
from rewardscope.stats import paired_contrast
from rewardscope.types import Outcome


def verdicts() -> Iterator[Check]:
    """How often two equal arms come out as different."""
    random = generator("validation", "verdicts")
    claim = Claim(
        sentence="A raises it more than B.",
        metric="boundary/pass_at_k",
        treatment="a",
        control="b",
        labels={"k": "1"},
    )
    studies, supported = 400, 0
    for study in range(studies):
        problem_P = random.beta(0.5, 0.5, 64)
        arm_ASP = (
            random.binomial(
                64,
                np.clip(
                    problem_P
                    + random.normal(0, 0.05, (2, 3, 1))
                    + random.normal(0, 0.05, (2, 3, 64)),
                    0,
                    1,
                ),
            )
            / 64
        )
        estimate = paired_contrast(
            arm_ASP[0] - arm_ASP[1], address=f"validation/{study}", bounds=(-1.0, 1.0)
        )
        supported += decide(claim, estimate)[0] is Outcome.SUPPORTED
    n = f"{studies} A/A comparisons, 3 seeds x 64 problems"
    yield Check(
        "Verdicts",
        "null",
        "share of A/A comparisons called supported at margin 0",
        supported / studies,
        0.0,
        0.05,
        n,
    )
