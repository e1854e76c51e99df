"""Does punishing failures alone keep more ways of being right than paying for successes alone?

Walks between two places of a graph, where a pair has several right ways: counted is how often two
*right* walks of a pair differ, so that being right more often is not taken for being narrower.
Successes alone (PSR), failures alone (NSR), failures and a tenth of successes (W-REINFORCE), both,
and both less the group's mean; each from as many completions in as many updates, on-policy.
On-policy and summed over completions, the expected gradients of PSR and NSR are equal (a test
enumerates it), so a difference comes from finite samples, the division by tokens, or AdamW. NSR is
told coin flips too: punishing half of everything is its placebo.

Arms are compared after equal steps, not at equal pass@1: read the first claims beside the last
ones.

Source: Zhu et al. 2025, arXiv:2506.01347 (MATH, Qwen2.5-Math-7B: pass@256 96.9 with NSR, 91.2 with
PSR).
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Claim,
    Coin,
    Diversity,
    Evaluation,
    Learner,
    Losses,
    Organism,
    Paths,
    Sampling,
    Signed,
    Study,
    Truth,
)

PLAIN = Arm(
    name="mean",
    start=Organism("paths"),
    environment=Paths(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    sampling=Sampling(max_tokens=40),
    steps=40,
    problems_per_step=16,
    completions_per_problem=16,
    checkpoint_every=40,
)
NSR = replace(PLAIN, name="nsr", credit=Signed(0.0, 1.0))
PASS_AT_1, PASS_AT_64 = {"k": "1"}, {"k": "64"}

study = Study(
    name="signs",
    question="Does punishing failures alone keep more ways of being right than paying for "
    "successes alone?",
    about=__doc__ or "",
    arms=(
        PLAIN,
        replace(PLAIN, name="psr", credit=Signed(1.0, 0.0)),
        NSR,
        replace(PLAIN, name="weighted", credit=Signed(0.1, 1.0)),
        replace(PLAIN, name="both", credit=Signed(1.0, 1.0)),
        replace(NSR, name="nsr-coin", reward=Coin()),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=64, readings=4),
    probes=(Boundary(max_k=64), Behaviour(), Diversity(), Losses()),
    claims=(
        Claim(
            sentence="Punishing failures alone raises pass@1 more than punishing coin flips does.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="nsr",
            control="nsr-coin",
            margin=0.05,
        ),
        Claim(
            sentence="It raises pass@1 as far as paying for successes alone does.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="nsr",
            control="psr",
            expects="same",
            margin=0.05,
        ),
        Claim(
            sentence="It keeps more ways of being right than paying for successes alone does.",
            metric="diversity/right_answers_differ",
            treatment="nsr",
            control="psr",
            margin=0.02,
        ),
        Claim(
            sentence="It keeps more of them than rewards less their group's mean do.",
            metric="diversity/right_answers_differ",
            treatment="nsr",
            control="mean",
            margin=0.02,
        ),
        Claim(
            sentence="A tenth of pay for successes beside it costs no way of being right.",
            metric="diversity/right_answers_differ",
            treatment="weighted",
            control="nsr",
            expects="same",
            margin=0.02,
        ),
        Claim(
            sentence="It takes no way of being right away from the untrained model.",
            metric="diversity/right_answers_differ",
            treatment="nsr",
            control="base",
            expects="same",
            margin=0.02,
        ),
        Claim(
            sentence="It solves more within 64 tries than paying for successes alone does.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_64,
            treatment="nsr",
            control="psr",
            margin=0.02,
        ),
    ),
)
