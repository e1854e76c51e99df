"""RLCR: correctness and a Brier score of the stated confidence, on Big-Math-Digits.

Damani et al. 2025, "Beyond Binary Rewards: Training LMs to Reason About Their Uncertainty",
arXiv:2507.16806; the released configurations are damanimehul/RLCR configs/. Beside each setting
stands where it comes from: P the paper, C the released code, D derived, O ours.

Not had: the warm-up over a fifth of the steps and the linear decay; the masking of truncated
completions.

Had otherwise:
- The released system prompt (TABC) asks for the same four tags in other words.
- It measures greedily. Here every policy is measured with the arm's own sampling.
- The classifier and the probe of its tables are other instruments, not arms.
"""

import os
import re
from dataclasses import dataclass, replace
from typing import ClassVar

from rewardscope import (
    And,
    Arm,
    Behaviour,
    Boundary,
    Calibrated,
    Calibration,
    Claim,
    Coin,
    Confident,
    Constant,
    Detected,
    Evaluation,
    Form,
    GroupMean,
    Learner,
    Numeric,
    Plus,
    Pretrained,
    Questions,
    Sampling,
    Study,
    Times,
    Truth,
)

MODEL = "Qwen/Qwen2.5-7B"  # P section 4, the base model
TRAIN = "mehuldamani/big-math-digits"  # C; 30 000 to train on, 1000 held out
SYSTEM = (
    "Think first, between <think> and </think>. Then write the final answer alone, between "
    "<answer> and </answer>. Then say how sure you can be and why, between <analysis> and "
    "</analysis>. End with the probability that the answer is right, a number from 0 to 1, between "
    "<confidence> and </confidence>. Nothing stands before, between or behind these four parts."
)
PLAIN = (
    "Think first, between <think> and </think>. Then write the final answer alone, between "
    "<answer> and </answer>. Nothing stands before, between or behind these two parts."
)
TWO, FOUR = ("think", "answer"), ("think", "answer", "analysis", "confidence")


@dataclass(frozen=True)
class InOrder:
    """The parts between these tags, in order, with nothing beside them."""

    tags: tuple[str, ...]

    name: ClassVar[str] = "in_order"
    behaviour: ClassVar[str] = "in_order"
    published: ClassVar[bool] = True

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether the text is made of them."""
        parts = (rf"\s*<{tag}>.*?</{tag}>\s*" for tag in self.tags)
        return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def problems(source: str, system: str) -> Questions:
    """The problems behind a system prompt; all keys are numbers."""
    return Questions(
        source,
        prompt="{problem}",
        answer="answer",
        system=system,
        grader=Numeric(answer_in="tags"),
    )


def published(model: str, train: str = TRAIN) -> Study:
    """The study for a model."""
    asked = Confident(problems(train, SYSTEM), ask="")
    formed = And((Detected(InOrder(FOUR)), Form()))  # C reward_fns.py; Form: q is a number
    # C: 0.5 format + 0.5 accuracy + 0.5 (1 - Brier), and 0 for a malformed completion
    halves = (1.0, 0.5)
    rlcr = Arm(
        name="rlcr",
        start=Pretrained(model),
        environment=asked,
        reward=Times((formed, Plus((Constant(1.0), Calibrated("brier")), halves))),
        credit=GroupMean(),  # C scale_rewards false: no division by the deviation
        learner=Learner(
            learning_rate=5e-6,  # C, for mathematics
            clip_low=0.2,  # C, the default of TRL
            clip_high=0.2,  # C, the default of TRL
            kl_weight=0.0,  # C beta
        ),
        sampling=Sampling(
            max_tokens=4096,  # C, for mathematics
            temperature=0.7,  # C
        ),
        steps=208,  # D: half an epoch of 30 000 problems, 72 a step
        problems_per_step=72,  # C: 2304 completions
        completions_per_problem=32,  # C num_generations
        checkpoint_every=26,  # O
    )
    return Study(
        name="rlcr",
        question="Does a proper score in the reward calibrate what a model says of its own "
        "answers, without costing it right ones?",
        about=__doc__ or "",
        arms=(
            rlcr,
            replace(  # C: the confidence is asked for, and not paid for
                rlcr,
                name="rlvr-asked",
                reward=Times((formed, Plus((Constant(0.5), Truth()), halves))),
            ),
            replace(  # C configs of RLVR: pattern "ta", weights 0.5 and 0.5
                rlcr,
                name="rlvr",
                environment=problems(train, PLAIN),
                reward=Times((Detected(InOrder(TWO)), Plus((Constant(0.5), Truth()), halves))),
            ),
            replace(  # O: format paid, the truth replaced by flips
                rlcr,
                name="rlcr-coin",
                reward=Times((formed, Plus((Constant(1.0), Coin()), halves))),
            ),
        ),
        seeds=(0, 1, 2, 3, 4),  # O: the paper has one run per arm
        evaluation=Evaluation(
            problems=1000,  # C: the held-out split
            draws=8,  # O
            environment=asked,
        ),
        probes=(Boundary(max_k=8), Calibration(), Behaviour()),
        device="cuda",
        claims=(
            Claim(
                sentence="RLCR lowers the Brier score of stated confidences, against RLVR that is "
                "asked for them too.",
                metric="calibration/brier",
                treatment="rlcr",
                control="rlvr-asked",
                expects="less",
                margin=0.02,
            ),
            Claim(
                sentence="It costs no right answers.",
                metric="boundary/pass_at_k",
                labels={"k": "1"},
                treatment="rlcr",
                control="rlvr-asked",
                expects="same",
                margin=0.02,
            ),
            Claim(
                sentence="It lowers the Brier score more than flips in its place do.",
                metric="calibration/brier",
                treatment="rlcr",
                control="rlcr-coin",
                expects="less",
                margin=0.02,
            ),
        ),
    )


study = published(os.environ.get("REWARDSCOPE_MODEL", MODEL))
