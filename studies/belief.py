"""Do binary rewards ruin calibration, and does a Brier term mend it, where the right confidence is
known?

Sensors of known reliability report on a hidden yes or no, so the chance of either answer is known
exactly. One start was pretrained to state it, the other to state any digit; both answer as often as
each answer is right. Each is told whether it was right, the same less the Brier score of its
confidence (RLCR), or coin flips. The distance of the stated confidence to the chance needs no
outcome: it is about 0.025 for a model that states the right tenth, since a tenth stands for its
middle.

Source: Damani et al. 2025, arXiv:2507.16806 (RLCR).
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Calibrated,
    Calibration,
    Claim,
    Coin,
    Evaluation,
    Learner,
    Organism,
    Sampling,
    Sensors,
    Study,
    Truth,
)

PLAIN = Arm(
    name="knows-truth",
    start=Organism("belief-calibrated"),
    environment=Sensors(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    sampling=Sampling(max_tokens=4),
    steps=40,
    problems_per_step=32,
    completions_per_problem=16,
    checkpoint_every=40,
)
REWARDS = {"truth": Truth(), "brier": Calibrated(), "coin": Coin()}
STARTS = {"knows": Organism("belief-calibrated"), "ignores": Organism("belief-uninformed")}
DISTANCE, STATED = "calibration/distance", {"view": "stated"}

study = Study(
    name="belief",
    question="Do binary rewards ruin calibration, and does a Brier term mend it, where the right "
    "confidence is known?",
    about=__doc__ or "",
    arms=tuple(
        replace(PLAIN, name=f"{start}-{reward}", start=STARTS[start], reward=REWARDS[reward])
        for start in STARTS
        for reward in REWARDS
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=128, draws=32, readings=4),
    probes=(Calibration(), Boundary(max_k=1), Behaviour()),
    claims=(
        Claim(
            sentence="Binary rewards take a model that states the right confidence further from it "
            "than coin flips do.",
            metric=DISTANCE,
            labels=STATED,
            treatment="knows-truth",
            control="knows-coin",
            margin=0.02,
        ),
        Claim(
            sentence="With a Brier term it stays nearer than with binary rewards.",
            metric=DISTANCE,
            labels=STATED,
            treatment="knows-brier",
            control="knows-truth",
            expects="less",
            margin=0.02,
        ),
        Claim(
            sentence="A Brier term teaches a model that states any confidence a better one than "
            "binary rewards do.",
            metric=DISTANCE,
            labels=STATED,
            treatment="ignores-brier",
            control="ignores-truth",
            expects="less",
            margin=0.05,
        ),
        Claim(
            sentence="Binary rewards leave uninformed confidences as far from the chance as coin "
            "flips do.",
            metric=DISTANCE,
            labels=STATED,
            treatment="ignores-truth",
            control="ignores-coin",
            expects="same",
            margin=0.02,
        ),
        Claim(
            sentence="Binary rewards raise pass@1 more than coin flips do.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="ignores-truth",
            control="ignores-coin",
            margin=0.02,
        ),
        Claim(
            sentence="The Brier term costs no accuracy.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="ignores-brier",
            control="ignores-truth",
            expects="same",
            margin=0.03,
        ),
    ),
)
