"""Where on a ladder of difficulty does reward teach what the start cannot do?

The start's pretraining held nestings of one and two functions, three in one of a hundred lines,
four in one of a thousand, and five never. Its card says what that made (64 problems x 128 draws,
answer and every step right): one to three functions are mastered (pass@1 0.98 and more), four are
the edge (pass@1 0.18, 0.53 of the problems within 128 draws), five are out of reach (none). The
arms differ in which rung is rewarded: two functions, four, five; and four under coin flips.
Measured are working and answer together on three to six functions.

Source: Zhang et al. 2025, arXiv:2512.07783: pass@128 grows where training is at the edge of
competence, not inside it and not beyond.
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Claim,
    Coin,
    Evaluation,
    Ladder,
    Learner,
    Nest,
    Organism,
    Sampling,
    Study,
    Truth,
    WeightChange,
)

EDGE = Arm(
    name="edge",
    start=Organism("edge"),
    environment=Nest(4, 4, "A"),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    sampling=Sampling(max_tokens=72),
    steps=20,
    problems_per_step=12,
    completions_per_problem=16,
    checkpoint_every=20,
)
VERIFIED = "ladder/verified_at_k"


def rung(level: int, k: int) -> dict[str, str]:
    """Labels of a rung."""
    return {"level": str(level), "k": str(k)}


study = Study(
    name="edge",
    question="Where on a ladder of difficulty does reward teach what the start cannot do?",
    about=__doc__ or "",
    arms=(
        EDGE,
        replace(EDGE, name="coin", reward=Coin()),
        replace(EDGE, name="inside", environment=Nest(2, 2, "A")),
        replace(EDGE, name="beyond", environment=Nest(5, 5, "A")),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=64, readings=4, environment=Nest(3, 6, "A")),
    probes=(Ladder(ks=(1, 64)), Behaviour(), WeightChange()),
    claims=(
        Claim(
            sentence="True rewards at the edge, four functions, raise verified pass@1 there more "
            "than coin flips do.",
            metric=VERIFIED,
            labels=rung(4, 1),
            treatment="edge",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="They raise what is solved within 64 tries one rung above, at five functions, "
            "of which pretraining had none.",
            metric=VERIFIED,
            labels=rung(5, 64),
            treatment="edge",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="They reach two rungs above, six functions.",
            metric=VERIFIED,
            labels=rung(6, 64),
            treatment="edge",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="Rewards inside what is mastered raise verified pass@1 at four functions "
            "less.",
            metric=VERIFIED,
            labels=rung(4, 1),
            treatment="inside",
            control="edge",
            expects="less",
            margin=0.05,
        ),
        Claim(
            sentence="Rewards inside what is mastered leave what is solved within 64 tries at four "
            "functions as it was.",
            metric=VERIFIED,
            labels=rung(4, 64),
            treatment="inside",
            control="base",
            expects="same",
            margin=0.1,
        ),
        Claim(
            sentence="Rewards beyond reach, at five functions, teach nothing there.",
            metric=VERIFIED,
            labels=rung(5, 64),
            treatment="beyond",
            control="base",
            expects="same",
            margin=0.1,
        ),
    ),
)
