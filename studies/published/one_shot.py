"""One-shot RLVR: GRPO on a single problem, 128 groups of it in every step.

Wang et al. 2025, "Reinforcement Learning for Reasoning in Large Language Models with One Training
Example", arXiv:2504.20571; the released script is
ypwang61/One-Shot-RLVR scripts/train/training_1.5b_pi1_r128.sh. Beside each setting stands where it
comes from: P the paper, C the released code, D derived, O ours.

Not had: the entropy bonus of 0.001.

Had otherwise:
- The paper says 8 updates per rollout, and its code makes 1 (it multiplies the minibatch by the
  number of completions). This is the code's.
- The paper reports the best of about 100 checkpoints on the test sets. Here the last one counts.
- Its pool, DSR-sub, is a random 1209 problems of DeepScaleR. Here they are another random 1209.
- It measures greedily, and 8 draws at 0.6 on small sets. Here every policy is measured with the
  arm's own sampling.
"""

import os
from dataclasses import replace
from pathlib import Path

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Boxed,
    Claim,
    Coin,
    Detected,
    Diversity,
    Evaluation,
    GroupMean,
    Learner,
    Pool,
    Pretrained,
    Questions,
    Sampling,
    Study,
    Truth,
    WeightChange,
)

MODEL = "Qwen/Qwen2.5-Math-1.5B"  # P section 3.1
ONE = str(Path(__file__).parent / "pi_1.jsonl")  # P table 2: the item, with its label 12.8
POOL = "agentica-org/DeepScaleR-Preview-Dataset"  # P section 3.1: DSR-sub is drawn from it
HELD_OUT = "HuggingFaceH4/MATH-500"  # P section 3.1
ASK = (
    "{problem} Let's think step by step and output the final answer within \\boxed{}."  # P table 2
)
PASS_AT_1 = {"k": "1"}


def problems(source: str) -> Questions:
    """A set of problems in the paper's words."""
    return Questions(source, prompt=ASK, answer="answer")


def published(model: str, one: str = ONE, pool: str = POOL, held_out: str = HELD_OUT) -> Study:
    """The study for a model."""
    truth = Arm(
        name="one",
        start=Pretrained(model),
        environment=problems({"train": one}),
        reward=Truth(),  # P section 3.1: the outcome alone, 0 or 1; no format reward
        credit=GroupMean(divide_by_std=True),  # P eq. 4; C: (r - mean) / (std + 1e-6)
        learner=Learner(
            learning_rate=1e-6,  # P section 3.1, constant
            clip_low=0.2,  # C
            clip_high=0.2,  # C
            kl_weight=0.001,  # P section 3.1, low_var_kl (k3)
            weight_decay=0.01,  # P appendix B
            minibatches=1,  # C fsdp_workers.py:122; the paper says 8
        ),
        sampling=Sampling(
            max_tokens=3072,  # P section 3.1
            temperature=0.6,  # P section 3.1
        ),
        regime=Pool(1),
        steps=2000,  # P section 3.1
        problems_per_step=128,  # P section 3.1: 128 copies; C: each its own group
        completions_per_problem=8,  # P section 3.1
        checkpoint_every=20,  # P section 3.1
    )
    full = replace(truth, name="full", environment=problems({"train": pool}), regime=Pool(1209))
    return Study(
        name="one-shot",
        question="Does training on one problem raise what is solved elsewhere, beyond its format "
        "and beyond rewards that know nothing of the answer?",
        about=__doc__ or "",
        arms=(
            truth,
            full,  # P tables 1 and 3: DSR-sub
            replace(full, name="format", reward=Detected(Boxed())),  # P table 3: format reward
            replace(truth, name="one-coin", reward=Coin()),  # O: the placebo
            replace(  # P table 5, row "policy gradient only"
                truth,
                name="one-plain",
                learner=replace(truth.learner, kl_weight=0.0, weight_decay=0.0),
            ),
        ),
        seeds=(0, 1, 2, 3, 4),  # O: the paper has one run per arm
        evaluation=Evaluation(
            problems=500,  # P section 3.1
            draws=8,  # P section 3.1, for its small sets
            environment=problems({"heldout": held_out}),
        ),
        probes=(Boundary(max_k=8), Behaviour(), Diversity(), WeightChange()),
        device="cuda",
        claims=(
            Claim(
                sentence="True rewards on one problem raise pass@1 elsewhere more than coin flips "
                "on it do.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="one",
                control="one-coin",
                margin=0.02,
            ),
            Claim(
                sentence="They raise it more than pay for the format on 1209 problems does.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="one",
                control="format",
                margin=0.02,
            ),
            Claim(
                sentence="One problem does as much as 1209.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="one",
                control="full",
                expects="same",
                margin=0.02,
            ),
        ),
    )


study = published(os.environ.get("REWARDSCOPE_MODEL", MODEL))
