"""A study of seconds: both arms of the tour on one organism, cut down."""

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Chain,
    Claim,
    Coin,
    Evaluation,
    Learner,
    Organism,
    Sampling,
    Study,
    Truth,
    WeightChange,
)


def arm(name: str, reward: Truth | Coin) -> Arm:
    return Arm(
        name=name,
        start=Organism("formats-planted"),
        environment=Chain(),
        reward=reward,
        learner=Learner(learning_rate=3e-4, kl_weight=0.01),
        sampling=Sampling(max_tokens=24),
        steps=6,
        problems_per_step=4,
        completions_per_problem=4,
        checkpoint_every=2,
    )


study = Study(
    name="tiny",
    question="Does a killed study come out the same?",
    arms=(arm("truth", Truth()), arm("coin", Coin())),
    seeds=(0, 1),
    evaluation=Evaluation(problems=6, draws=8, readings=2),
    probes=(Boundary(max_k=8), Behaviour(), WeightChange()),
    claims=(
        Claim(
            sentence="Truth beats the coin.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="truth",
            control="coin",
        ),
        Claim(
            sentence="Weights move alike.",
            metric="weights/relative_update_norm",
            labels={"matrix": "all"},
            treatment="truth",
            control="coin",
            expects="same",
            margin=0.01,
        ),
    ),
)
