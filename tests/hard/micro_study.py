"""A study of a second or two, whose every file is written once or twice."""

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Chain,
    Claim,
    Evaluation,
    Learner,
    Organism,
    Sampling,
    Study,
    Truth,
)


def arm(name: str, reward: Truth) -> Arm:
    return Arm(
        name=name,
        start=Organism("formats-planted"),
        environment=Chain(),
        reward=reward,
        learner=Learner(learning_rate=3e-4),
        sampling=Sampling(max_tokens=12),
        steps=2,
        problems_per_step=2,
        completions_per_problem=2,
        checkpoint_every=1,
    )


study = Study(
    name="micro",
    question="Does it come out the same?",
    arms=(arm("truth", Truth()),),
    seeds=(0,),
    evaluation=Evaluation(problems=3, draws=2, readings=1),
    probes=(Boundary(max_k=2), Behaviour()),
    claims=(
        Claim(
            sentence="Truth raises pass@1.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="truth",
            control="base",
        ),
    ),
)
