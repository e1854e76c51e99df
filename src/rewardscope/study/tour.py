"""The tour: does a true reward teach what a coin-flip reward does not, and does it depend on what
pretraining planted?

Two tiny models that differ in one thing: in ``formats-planted`` a reliable way of working was part
of pretraining, in ``formats-barren`` it never occurred. Both are trained with true and with
coin-flip rewards, under the same seeds, problems and noise.
"""

from rewardscope import (
    Arm,
    Chain,
    Claim,
    Coin,
    Evaluation,
    Learner,
    Organism,
    Sampling,
    Study,
    Truth,
)


def arm(name: str, organism: str, reward: Truth | Coin) -> Arm:
    """An arm of the tour; only start and reward differ."""
    return Arm(
        name=name,
        start=Organism(organism),
        environment=Chain(min_steps=3, max_steps=3),
        reward=reward,
        learner=Learner(learning_rate=3e-4, minibatches=2),
        sampling=Sampling(max_tokens=24),
        steps=30,
        problems_per_step=32,
        completions_per_problem=16,
        checkpoint_every=10,
    )


STEPWISE = {"strategy": "stepwise"}

study = Study(
    name="tour",
    question="What did training with true rewards change in a model, and did the reward have "
    "anything to do with it?",
    about=__doc__ or "",
    arms=(
        arm("planted-truth", "formats-planted", Truth()),
        arm("planted-coin", "formats-planted", Coin(p=0.5)),
        arm("barren-truth", "formats-barren", Truth()),
        arm("barren-coin", "formats-barren", Coin(p=0.5)),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=256),
    claims=(
        Claim(
            sentence="Where a reliable strategy was planted, true rewards raise pass@1 more than "
            "coin flips do.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="planted-truth",
            control="planted-coin",
            margin=0.05,
        ),
        Claim(
            sentence="They do it by moving completions to the planted strategy.",
            metric="behaviour/strategy_share",
            labels=STEPWISE,
            treatment="planted-truth",
            control="planted-coin",
            margin=0.1,
        ),
        Claim(
            sentence="Coin flips leave pass@1 where it was.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="planted-coin",
            control="base",
            expects="same",
            margin=0.05,
        ),
        Claim(
            sentence="Where nothing reliable was planted, true rewards still raise pass@1 more "
            "than coin flips do.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="barren-truth",
            control="barren-coin",
            margin=0.05,
        ),
        Claim(
            sentence="True rewards make no stepwise working where pretraining had none.",
            metric="behaviour/strategy_share",
            labels=STEPWISE,
            treatment="barren-truth",
            control="base",
            expects="same",
            margin=0.01,
        ),
        Claim(
            sentence="What true rewards teach, the untrained model reaches within 256 tries.",
            metric="boundary/pass_at_k",
            labels={"k": "256"},
            treatment="planted-truth",
            control="base",
            expects="same",
            margin=0.02,
        ),
        Claim(
            sentence="Coin flips move the weights about as far as true rewards: the size of the "
            "update says nothing about the reward.",
            metric="weights/relative_update_norm",
            labels={"matrix": "all"},
            treatment="planted-coin",
            control="planted-truth",
            expects="same",
            margin=0.002,
        ),
    ),
)
