"""Does one problem suffice, and what has it to do with being right about it?

The tour's organism and steps, with the same number of completions in every arm; what differs is
which problems they attempt: fresh ones at every step, or one over and over, in 32 groups of 16 a
step. That one is the first of the split, or the second; nobody chose them. Beside them, on the same
one problem: coin flips, and pay for form alone. A short arm stops after a sixth of the steps, to
show whether the gain goes on once the one problem is solved by nearly every completion. Measured is
on 64 problems that no arm trains on.

Source: Wang et al. 2025, arXiv:2504.20571. They report the best checkpoint on the test sets; here
the last one counts.
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Chain,
    Claim,
    Coin,
    Diversity,
    Evaluation,
    Form,
    Learner,
    Organism,
    Pool,
    Study,
    Truth,
)

FRESH = Arm(
    name="fresh",
    start=Organism("formats-planted"),
    environment=Chain(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    steps=30,
    problems_per_step=32,
    completions_per_problem=16,
    checkpoint_every=30,
)
ONE = replace(FRESH, name="one", regime=Pool(1))
PASS_AT_1 = {"k": "1"}

study = Study(
    name="one-example",
    question="Does training on one problem raise what is solved elsewhere, and has the reward "
    "anything to do with it?",
    about=__doc__ or "",
    arms=(
        FRESH,
        ONE,
        replace(ONE, name="another", regime=Pool(1, first=1)),
        replace(ONE, name="short", steps=5, checkpoint_every=5),
        replace(ONE, name="coin", reward=Coin()),
        replace(ONE, name="form", reward=Form()),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=64, readings=4),
    probes=(Boundary(max_k=64), Behaviour(), Diversity()),
    claims=(
        Claim(
            sentence="True rewards on one problem raise pass@1 on others more than coin flips on "
            "it do.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="one",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="They raise it more than pay for form alone does.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="one",
            control="form",
            margin=0.05,
        ),
        Claim(
            sentence="They raise it as far as fresh problems at every step do.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="one",
            control="fresh",
            expects="same",
            margin=0.05,
        ),
        Claim(
            sentence="Which problem it is does not matter.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="another",
            control="one",
            expects="same",
            margin=0.05,
        ),
        Claim(
            sentence="The gain elsewhere goes on after the first five steps.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="one",
            control="short",
            margin=0.02,
        ),
        Claim(
            sentence="It is the planted strategy that carries over: its share grows more than "
            "under coin flips.",
            metric="behaviour/strategy_share",
            labels={"strategy": "stepwise"},
            treatment="one",
            control="coin",
            margin=0.1,
        ),
        Claim(
            sentence="One problem narrows the answers to other problems no more than fresh ones "
            "do.",
            metric="diversity/answers_differ",
            treatment="one",
            control="fresh",
            expects="same",
            margin=0.05,
        ),
    ),
)
