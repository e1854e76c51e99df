"""Does paying for short completions cost correctness?

``my_environment.py`` says what is asked and how it is checked, ``my_reward.py`` what the learner
is told. Run it with ``rewardscope run study.py``.
"""

from my_environment import MyChains
from my_reward import Brief
from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Claim,
    Coin,
    Evaluation,
    Learner,
    Organism,
    Sampling,
    Study,
    Truth,
)


def arm(name: str, reward: Truth | Brief | Coin) -> Arm:
    """An arm of this study: the arms differ in their reward and in nothing else."""
    return Arm(
        name=name,
        start=Organism("formats-planted"),
        environment=MyChains(),
        reward=reward,
        learner=Learner(learning_rate=1e-3),
        sampling=Sampling(max_tokens=24),
        steps=10,
        problems_per_step=16,
        completions_per_problem=8,
    )


study = Study(
    name="brief",
    question="Does paying for short completions cost correctness?",
    arms=(arm("truth", Truth()), arm("brief", Brief()), arm("coin", Coin(p=0.5))),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=40, draws=16),
    probes=(Boundary(max_k=16), Behaviour()),
    claims=(
        Claim(
            sentence="Paying for short completions makes them shorter than true rewards do.",
            metric="behaviour/length_tokens",
            treatment="brief",
            control="truth",
            expects="less",
            margin=1.0,
        ),
        Claim(
            sentence="It costs no correctness.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="brief",
            control="truth",
            expects="same",
            margin=0.05,
        ),
        Claim(
            sentence="True rewards raise pass@1 more than coin flips do.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="truth",
            control="coin",
            margin=0.05,
        ),
    ),
)
