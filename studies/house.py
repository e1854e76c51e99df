"""A game of several turns: do true rewards teach the recipe where pretraining played it in a third
of the episodes, and coin flips not?

The organism plays a house of five rooms turn by turn. What it says between the world's answers is
trained; the answers are read and never are. Its pretraining forgot one step of the task in two
episodes of three.
"""

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Claim,
    Coin,
    Evaluation,
    House,
    Learner,
    Organism,
    Sampling,
    Study,
    Truth,
    WeightChange,
)


def arm(name: str, reward: Truth | Coin) -> Arm:
    """The organism in its own world, told this."""
    return Arm(
        name=name,
        start=Organism("house"),
        environment=House(),
        reward=reward,
        learner=Learner(learning_rate=5e-4),
        sampling=Sampling(max_tokens=120, turn_tokens=4),
        steps=30,
        problems_per_step=12,
        completions_per_problem=8,
    )


study = Study(
    name="house",
    question="Do true rewards teach a game of several turns, and coin flips not?",
    about="The house, 16 turns at most: 12 problems x 8 episodes a step, 30 steps; the world's "
    "answers carry no credit.",
    arms=(arm("truth", Truth()), arm("coin", Coin(p=0.5))),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=40, draws=24, readings=4),
    probes=(Boundary(), Behaviour(), WeightChange()),
    claims=(
        Claim(
            sentence="True rewards raise pass@1 on held-out worlds more than coin flips do.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="truth",
            control="coin",
            margin=0.1,
        ),
        Claim(
            sentence="Coin flips leave pass@1 where it was.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="coin",
            control="base",
            expects="same",
            margin=0.1,
        ),
        Claim(
            sentence="True rewards move episodes to the whole recipe.",
            metric="behaviour/strategy_share",
            labels={"strategy": "recipe"},
            treatment="truth",
            control="coin",
            margin=0.1,
        ),
        Claim(
            sentence="What the policy says in an episode grows longer with true rewards: the "
            "recipe has a step more than the shortcut.",
            metric="behaviour/length_tokens",
            treatment="truth",
            control="coin",
            margin=0.5,
        ),
        Claim(
            sentence="What true rewards teach, the untrained model reaches within 16 tries.",
            metric="boundary/pass_at_k",
            labels={"k": "16"},
            treatment="truth",
            control="base",
            expects="same",
            margin=0.05,
        ),
    ),
)
