"""Does the clipped objective alone push a policy towards what it already does, as Shao et al. 2025
(arXiv:2506.10947) derive?

    .venv/bin/rewardscope clip-bias studies/clip_bias.py two-updates        (about 3 minutes each on
    2 cores) .venv/bin/rewardscope clip-bias studies/clip_bias.py eight-updates
    .venv/bin/rewardscope clip-bias studies/clip_bias.py eight-updates-faster

One organism told coin flips. ``two-updates`` learns as the tour does; Shao et al. make eight
updates of a rollout; the last is three times as fast.
"""

from rewardscope import Arm, Chain, Coin, Learner, Organism, Sampling, Study


def arm(name: str, learner: Learner) -> Arm:
    """An arm of the tour under coin flips; only the learner differs."""
    return Arm(
        name=name,
        start=Organism("formats-planted"),
        environment=Chain(min_steps=3, max_steps=3),
        reward=Coin(p=0.5),
        learner=learner,
        sampling=Sampling(max_tokens=24),
        steps=30,
        problems_per_step=32,
        completions_per_problem=16,
    )


study = Study(
    name="clip-bias",
    question="Does the clip push probability to the tokens that were likely before, when rewards "
    "are coin flips?",
    about=__doc__ or "",
    arms=(
        arm("two-updates", Learner(learning_rate=3e-4, minibatches=2)),
        arm("eight-updates", Learner(learning_rate=3e-4, minibatches=8)),
        arm("eight-updates-faster", Learner(learning_rate=1e-3, minibatches=8)),
    ),
    seeds=(0, 1, 2, 3, 4),
    claims=(),
)
