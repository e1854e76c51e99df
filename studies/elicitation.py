"""How much of what true rewards teach does the untrained model reach when it is only asked
otherwise?

    .venv/bin/rewardscope run studies/elicitation.py        (about 5 minutes on 2 cores)

The organism of the tour, told the truth or coin flips. Nothing is trained for the other side:
letters that the completion is made to begin with, solved examples, greedy and cooler decoding, and
sharpening. No prompt in words can be written in the organism's alphabet.
"""

from rewardscope import (
    Arm,
    Chain,
    Claim,
    Coin,
    Elicitation,
    Evaluation,
    Learner,
    Organism,
    Sampling,
    Study,
    Truth,
)


def arm(name: str, reward: Truth | Coin) -> Arm:
    """An arm of the tour."""
    return Arm(
        name=name,
        start=Organism("formats-planted"),
        environment=Chain(min_steps=3, max_steps=3),
        reward=reward,
        learner=Learner(learning_rate=3e-4, minibatches=2),
        sampling=Sampling(max_tokens=24),
        steps=30,
        problems_per_step=32,
        completions_per_problem=16,
    )


study = Study(
    name="elicitation",
    question="How much of the gain of true rewards does the untrained model reach when it is only "
    "asked otherwise?",
    about=__doc__ or "",
    arms=(arm("truth", Truth()), arm("coin", Coin(p=0.5))),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=64, readings=0),
    probes=(Elicitation(draws=32),),
    claims=(
        Claim(
            sentence="True rewards raise pass@1 more than coin flips do.",
            metric="elicitation/gain",
            treatment="truth",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="Each asked in its best way, what was told the truth is no better than what "
            "was told coin flips.",
            metric="elicitation/gain_best_to_best",
            labels={"among": "ways without the key"},
            treatment="truth",
            control="coin",
            expects="same",
            margin=0.05,
        ),
    ),
)
