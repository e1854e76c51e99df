"""The invisible leash: does long training reach what the untrained model could not?

Wu et al. 2025, "The Invisible Leash: Why RLVR May or May Not Escape Its Origin", arXiv:2507.14843.
The paper trains little itself: it compares released models with their bases, ProRL first of all. So
the training here is ProRL's (Liu et al. 2025, arXiv:2505.24864), and the measuring is the paper's.
Beside each setting stands where it comes from: P the paper, R ProRL, C the released code, D
derived, O ours.

The released pair needs no training: sample both, then ``rewardscope boundary TRAINED --base BASE``.

Not had: the weight of ProRL's KL term, which it names nowhere.

Had otherwise:
- ProRL mixes 136 000 problems of five kinds. Here are those of mathematics.
- It resets the reference when its validation stalls, in 8 runs. Here, every 250 steps.
- It samples 16 or 32 completions, and widens the context to 16 384 at the end. Here 16 and 8192.
- The paper draws at temperature 0.6 and top_p 0.95 with 32 768 tokens. Here every policy is
  measured with the arm's own sampling.
- 8192 draws are its number for mathematics. Here 1024, whose epsilon is 3 / 1024.
"""

import os
from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Claim,
    Coin,
    Diversity,
    Evaluation,
    GroupMean,
    Learner,
    Losses,
    Novelty,
    Pretrained,
    Questions,
    Sampling,
    Study,
    Truth,
)

MODEL = "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"  # P section 3; R section 4
TRAIN = "agentica-org/DeepScaleR-Preview-Dataset"  # R table 1: its 40 000 of mathematics
HELD_OUT = "HuggingFaceH4/aime_2024"  # P section 3
ASK = "{problem} Let's think step by step and output the final answer within \\boxed{}."  # R
TOP_K = "1024"


def problems(source: dict[str, str]) -> Questions:
    """A set of problems."""
    return Questions(source, prompt=ASK, answer="answer")


def published(model: str, train: str = TRAIN, held_out: str = HELD_OUT) -> Study:
    """The study for a model."""
    prorl = Arm(
        name="prorl",
        start=Pretrained(model),
        environment=problems({"train": train}),
        reward=Truth(),  # R section 4: mathematics 0 or 1
        credit=GroupMean(divide_by_std=True),  # R section 3
        learner=Learner(
            learning_rate=2e-6,  # R section 4, constant
            clip_low=0.2,  # R section 4
            clip_high=0.4,  # R section 4
            kl_weight=1e-4,  # O: named nowhere
            normalise="token",  # R section 3, after DAPO
            minibatches=4,  # R section 4: 256 problems in minibatches of 64
            reset_every=250,  # D: 8 runs within 2000 steps
        ),
        sampling=Sampling(
            max_tokens=8192,  # R section 4
            temperature=1.2,  # R section 4
        ),
        sampling_rounds=3,  # R section 3: dynamic sampling; O: its limit
        steps=2000,  # R section 4: more than 2000
        problems_per_step=256,  # R section 4
        completions_per_problem=16,  # R section 4
        checkpoint_every=50,  # O
    )
    return Study(
        name="leash",
        question="Does training reach problems that the untrained model does not, or only reach "
        "them more often?",
        about=__doc__ or "",
        arms=(
            prorl,
            replace(  # R section 3: what DAPO has and ProRL adds to
                prorl,
                name="dapo",
                learner=replace(prorl.learner, kl_weight=0.0, reset_every=0, clip_high=0.28),
            ),
            replace(prorl, name="prorl-coin", reward=Coin()),  # O: the placebo
        ),
        seeds=(0, 1, 2, 3, 4),  # O: one run was released
        evaluation=Evaluation(
            problems=30,  # P section 3: AIME 2024
            draws=1024,  # P section 3 has 1024 to 16 384
            environment=problems({"heldout": held_out}),
        ),
        probes=(Boundary(max_k=1024), Novelty(), Diversity(), Behaviour(), Losses()),
        device="cuda",
        claims=(
            Claim(
                sentence="Training with true rewards raises pass@1 over the untrained model.",
                metric="boundary/pass_at_k",
                labels={"k": "1"},
                treatment="prorl",
                control="base",
                margin=0.02,
            ),
            Claim(
                sentence="It solves fewer problems in 1024 draws than the untrained model.",
                metric="boundary/pass_at_k",
                labels={"k": TOP_K},
                treatment="prorl",
                control="base",
                expects="less",
                margin=0.01,
            ),
            Claim(
                sentence="It loses more of them than coin flips lose.",
                metric="boundary/pass_at_k",
                labels={"k": TOP_K},
                treatment="prorl",
                control="prorl-coin",
                expects="less",
                margin=0.01,
            ),
        ),
    )


study = published(os.environ.get("REWARDSCOPE_MODEL", MODEL))
