"""DAPO: clip-higher, dynamic sampling, token mean, and a soft punishment of overlong answers.

Yu et al. 2025, "DAPO: An Open-Source LLM Reinforcement Learning System at Scale",
arXiv:2503.14476; the released script is verl recipe/dapo/run_dapo_qwen2.5_32b.sh. Beside each
setting stands where it comes from: P the paper, C the released code, D derived, O ours.

Not had: the warm-up of the learning rate over 20 steps.

Had otherwise:
- It samples 1536 problems at a time until 512 groups are mixed. Here a round is 512 problems, and
  the groups of the first rounds that differ are kept.
- It filters groups by accuracy. Here a group is kept if its rewards differ, so one whose answers
  are all wrong, and differ in length, is kept too.
- It measures 32 draws at temperature 1 and top_p 0.7. Here every policy is measured with the arm's
  own sampling.
"""

import os
from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Claim,
    Coin,
    Constant,
    Diversity,
    Evaluation,
    GroupMean,
    Learner,
    Losses,
    Plus,
    Pretrained,
    Questions,
    RewardFunction,
    Sampling,
    Study,
    Truth,
)

MODEL = "Qwen/Qwen2.5-32B"  # P section 4.1
TRAIN = "open-r1/DAPO-Math-17k-Processed:all"  # P section 3.5: DAPO-Math-17k, without its copies
HELD_OUT = "HuggingFaceH4/aime_2024"  # P section 4.1
ASK = (  # P appendix A
    "Solve the following math problem step by step. The last line of your response should be of "
    "the form Answer: $Answer (without quotes) where $Answer is the answer to the problem.\n\n"
    '{question}\n\nRemember to put your answer on its own line after "Answer:".'
)
PASS_AT_1 = {"k": "1"}
LIMIT, BUFFER = 20_480, 4_096
"""Tokens. P section 4.1: 16 384 expected, and 4 096 more as the soft punishment's cache."""


def asked(source: dict[str, str], question: str, answer: str) -> Questions:
    """A set of problems in the paper's words, from its columns."""
    return Questions(source, prompt=ASK.replace("{question}", f"{{{question}}}"), answer=answer)


def overlong(completions: list[object], completion_ids: list[list[int]]) -> list[float]:
    """P eq. 13: 0 up to LIMIT - BUFFER tokens, then falling to -1 at LIMIT."""
    over = ((len(ids) - (LIMIT - BUFFER)) / BUFFER for ids in completion_ids)
    return [-min(max(share, 0.0), 1.0) for share in over]


def published(model: str, train: str = TRAIN, held_out: str = HELD_OUT) -> Study:
    """The study for a model."""
    short = RewardFunction(overlong)
    # P eq. 7: 1 for a right answer and -1 for any other; eq. 13 comes on top
    weights = (2.0, -1.0, 1.0)
    dapo = Arm(
        name="dapo",
        start=Pretrained(model),
        environment=asked({"train": train}, "prompt", "solution"),
        reward=Plus((Truth(), Constant(1.0), short), weights),
        credit=GroupMean(divide_by_std=True),  # P eq. 9
        learner=Learner(
            learning_rate=1e-6,  # P section 4.1
            clip_low=0.2,  # P section 4.1
            clip_high=0.28,  # P section 4.1
            kl_weight=0.0,  # P section 2.3
            weight_decay=0.1,  # C optim.weight_decay
            max_gradient_norm=1.0,  # C grad_clip
            normalise="token",  # P eq. 8: the mean over all tokens of the step
            minibatches=16,  # P section 4.1: 16 updates for each rollout
        ),
        sampling=Sampling(
            max_tokens=LIMIT,  # P section 4.1
            temperature=1.0,  # C
        ),
        sampling_rounds=30,  # C: 10 batches of 3 x 512
        steps=600,  # O: the paper names no number
        problems_per_step=512,  # P section 4.1
        completions_per_problem=16,  # P section 4.1
        checkpoint_every=5,  # C save_freq
    )
    plain = replace(dapo.learner, clip_high=0.2)
    return Study(
        name="dapo",
        question="What do the parts of DAPO add to GRPO, and what of it remains without the truth?",
        about=__doc__ or "",
        arms=(
            dapo,
            replace(  # P table 1: naive GRPO, with the mean of each completion
                dapo,
                name="grpo",
                reward=Plus((Truth(), Constant(1.0)), (2.0, -1.0)),
                learner=replace(plain, normalise="sequence"),
                sampling_rounds=1,
            ),
            replace(dapo, name="no-clip-higher", learner=plain),  # P table 1
            replace(dapo, name="no-dynamic-sampling", sampling_rounds=1),  # P table 1
            replace(  # P table 1
                dapo, name="no-token-mean", learner=replace(dapo.learner, normalise="sequence")
            ),
            replace(  # P table 1
                dapo, name="no-overlong", reward=Plus((Truth(), Constant(1.0)), (2.0, -1.0))
            ),
            replace(  # O: the placebo, with the same length term
                dapo, name="dapo-coin", reward=Plus((Coin(), Constant(1.0), short), weights)
            ),
        ),
        seeds=(0, 1, 2, 3, 4),  # O: the paper has one run per arm
        evaluation=Evaluation(
            problems=30,  # P section 4.1: AIME 2024
            draws=32,  # P section 4.1
            environment=asked({"heldout": held_out}, "problem", "answer"),
        ),
        probes=(Boundary(max_k=32), Behaviour(), Diversity(), Losses()),
        device="cuda",
        claims=(
            Claim(
                sentence="DAPO raises pass@1 more than DAPO told coin flips.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="dapo",
                control="dapo-coin",
                margin=0.02,
            ),
            Claim(
                sentence="DAPO raises pass@1 more than GRPO.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="dapo",
                control="grpo",
                margin=0.02,
            ),
        ),
    )


study = published(os.environ.get("REWARDSCOPE_MODEL", MODEL))
