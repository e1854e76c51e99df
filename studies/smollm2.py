"""A real pretrained language model: does SmolLM2-135M learn one-digit sums from true rewards, and
what do coin flips do?

160 problems in words to train on, 40 held out; the settings are those of the first prototype (8
problems x 8 completions of at most 16 tokens a step, mean-centred advantages, AdamW at 1e-5,
temperature 1), with as many steps as 40 minutes on two cores allow.
"""

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Claim,
    Coin,
    Evaluation,
    Learner,
    Pretrained,
    Sampling,
    Study,
    Sums,
    Truth,
    WeightChange,
)


def arm(name: str, reward: Truth | Coin) -> Arm:
    """An arm of the study; only the reward differs."""
    return Arm(
        name=name,
        start=Pretrained("smollm2-135m-instruct"),
        environment=Sums(),
        reward=reward,
        learner=Learner(learning_rate=1e-5),
        sampling=Sampling(max_tokens=16),
        steps=20,
        problems_per_step=8,
        completions_per_problem=8,
        checkpoint_every=5,
    )


PASS_AT_1 = {"k": "1"}

study = Study(
    name="smollm2",
    question="What did training with true rewards change in SmolLM2-135M, and did the reward have "
    "anything to do with it?",
    about=__doc__ or "",
    arms=(arm("truth", Truth()), arm("coin", Coin(p=0.5))),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=40, draws=32, readings=8),
    probes=(Boundary(max_k=32), Behaviour(), WeightChange()),
    threads_per_cell=2,
    claims=(
        Claim(
            sentence="True rewards raise pass@1 on held-out sums more than coin flips do.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="truth",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="So they do under the strict extractor, which wants the bare number.",
            metric="boundary/pass_at_k_strict",
            labels=PASS_AT_1,
            treatment="truth",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="Coin flips leave pass@1 where it was.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="coin",
            control="base",
            expects="same",
            margin=0.05,
        ),
        Claim(
            sentence="True rewards make completions shorter than coin flips do.",
            metric="behaviour/length_tokens",
            treatment="truth",
            control="coin",
            expects="less",
            margin=1.0,
        ),
        Claim(
            sentence="The model trained with true rewards solves no more problems in 32 tries than "
            "the untrained one.",
            metric="boundary/pass_at_k",
            labels={"k": "32"},
            treatment="truth",
            control="base",
            expects="same",
            margin=0.05,
        ),
    ),
)
