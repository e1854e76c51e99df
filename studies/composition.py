"""Does reward on two nested functions create composition that carries over to other functions and
deeper nesting?

The start knows twelve functions of four-digit strings, six of set A and six of set B, and saw two
of set A nested in one of a hundred lines; set B was never nested. All arms meet the same 320
nestings of two functions of set A and sample 16 completions of each: 20 steps of group-relative
rewards, told the truth or coin flips; rejection fine-tuning in one round, which samples everything
from the start and then imitates what was right, twice over; and the same in 20 rounds. Measured are
working and answer together, a draw counting only if every step is right, on two and three functions
of either set.

Source: Yuan et al. 2025, arXiv:2509.25123, whose rejection fine-tuning had an eighth of the
completions; here both have the same.
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Claim,
    Coin,
    Evaluation,
    Imitation,
    Ladder,
    Learner,
    Nest,
    Organism,
    Pool,
    Sampling,
    Study,
    Truth,
    WeightChange,
)

BASIC = Learner(learning_rate=3e-4)
TRUTH = Arm(
    name="truth",
    start=Organism("composition-hundredth"),
    environment=Nest(2, 2, "A"),
    reward=Truth(),
    learner=BASIC,
    sampling=Sampling(max_tokens=48),
    regime=Pool(320),
    steps=20,
    problems_per_step=16,
    completions_per_problem=16,
    checkpoint_every=20,
)
IMITATED = Imitation(distinct=True)
VERIFIED = "ladder/verified_at_k"


def rung(name: str, k: int = 1) -> dict[str, str]:
    """Labels of a rung such as A2."""
    return {"set": name[0], "level": name[1], "k": str(k)}


study = Study(
    name="composition",
    question="Does reward on two nested functions create composition that carries over to other "
    "functions and deeper nesting?",
    about=__doc__ or "",
    arms=(
        TRUTH,
        replace(TRUTH, name="coin", reward=Coin()),
        replace(
            TRUTH,
            name="rft",
            credit=IMITATED,
            steps=1,
            problems_per_step=320,
            learner=replace(BASIC, normalise="active", epochs=2, minibatches=20),
        ),
        replace(
            TRUTH, name="rft-rounds", credit=IMITATED, learner=replace(BASIC, normalise="active")
        ),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=96, draws=64, readings=4, environment=Nest(2, 3, "AB")),
    probes=(Ladder(ks=(1, 64), by=("level", "set")), Behaviour(), WeightChange()),
    claims=(
        Claim(
            sentence="True rewards on two functions of set A raise verified pass@1 there more than "
            "coin flips do.",
            metric=VERIFIED,
            labels=rung("A2"),
            treatment="truth",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="What they teach carries over to two functions of set B, which were never "
            "nested.",
            metric=VERIFIED,
            labels=rung("B2"),
            treatment="truth",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="It carries over to three functions of set A.",
            metric=VERIFIED,
            labels=rung("A3"),
            treatment="truth",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="Rejection fine-tuning on as many completions teaches set A less.",
            metric=VERIFIED,
            labels=rung("A2"),
            treatment="truth",
            control="rft",
            margin=0.05,
        ),
        Claim(
            sentence="Rejection fine-tuning on as many completions carries over to set B less.",
            metric=VERIFIED,
            labels=rung("B2"),
            treatment="truth",
            control="rft",
            margin=0.05,
        ),
        Claim(
            sentence="So it does when it samples anew in every step.",
            metric=VERIFIED,
            labels=rung("B2"),
            treatment="truth",
            control="rft-rounds",
            margin=0.05,
        ),
        Claim(
            sentence="True rewards bring no nesting of set B within 64 tries that was not there "
            "before.",
            metric=VERIFIED,
            labels=rung("B2", 64),
            treatment="truth",
            control="base",
            expects="same",
            margin=0.05,
        ),
    ),
)
