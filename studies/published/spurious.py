"""Spurious Rewards: what GRPO makes of rewards that know little or nothing of the answer.

Shao et al. 2025, "Spurious Rewards: Rethinking Training Signals in RLVR", arXiv:2506.10947; the
released script is ruixin31/Spurious_Rewards scripts/rlvr_deepscaler_grpo_qwen_random.sh. Beside
each setting stands where it comes from: P the paper, C the released code, D derived, O ours.

Before the arms ``majority`` and ``incorrect`` can run, the untrained model labels the problems:

    rewardscope labels studies/published/spurious.py truth --out labels-Qwen2.5-Math-7B.jsonl

Had otherwise:
- The paper's incorrect arm keeps only the problems whose majority label is wrong. Here it pays the
  commonest wrong answer of every problem that was ever answered wrongly.
- Its minibatch of 128 completions may split a group. Here 8 whole groups make one.
- It measures greedily. Here every policy is measured with the arm's own sampling.
- Base models without a chat template get another prompt there, and the name of another model here
  does not change the prompt.
"""

import os
from dataclasses import replace

from rewardscope import (
    And,
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
    MentionsPython,
    OfflineLabels,
    Pool,
    Pretrained,
    Questions,
    Repetition,
    Sampling,
    Study,
    Truth,
    WeightChange,
)

MODEL = "Qwen/Qwen2.5-Math-7B"  # P section 2
TRAIN = "agentica-org/DeepScaleR-Preview-Dataset"  # P section 2.1
HELD_OUT = "HuggingFaceH4/MATH-500"  # P section 2.1
SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."  # P section 2.1
PASS_AT_1 = {"k": "1"}


def problems(source: str) -> Questions:
    """A set of problems behind Qwen2.5-Math's own system prompt."""
    return Questions(source, prompt="{problem}", answer="answer", system=SYSTEM)


def labels_of(model: str) -> str:
    """The file of labels that this model wrote, where the run is started."""
    return f"labels-{model.rstrip('/').rsplit('/', 1)[-1]}.jsonl"


def published(
    model: str, train: str = TRAIN, held_out: str = HELD_OUT, labels: str | None = None
) -> Study:
    """The study for a model."""
    labels = labels or labels_of(model)
    truth = Arm(
        name="truth",
        start=Pretrained(model),
        environment=problems({"train": train}),
        reward=Truth(),  # P section 2.2
        credit=GroupMean(divide_by_std=True),  # C experience_maker.py: (r - mean) / (std + 1e-9)
        learner=Learner(
            learning_rate=5e-7,  # P appendix A.3, constant
            clip_low=0.2,  # P appendix A.3
            clip_high=0.2,  # P appendix A.3
            kl_weight=0.0,  # P appendix A.3
            normalise="sequence",  # C models/loss.py: the mean of each completion, then of all
            minibatches=8,  # P appendix A.3: 1024 completions in minibatches of 128
        ),
        sampling=Sampling(
            max_tokens=3072,  # C generate_max_len
            temperature=1.0,  # P appendix A.3
        ),
        regime=Pool(40_315),  # D: the rows of DeepScaleR; one pass takes 630 steps
        steps=300,  # P appendix A.3
        problems_per_step=64,  # P appendix A.3
        completions_per_problem=16,  # P appendix A.3
        checkpoint_every=10,  # O
    )
    box, python = Detected(Boxed()), Detected(MentionsPython())
    rewards = {
        "majority": OfflineLabels(labels),  # P section 2.2, of 64 draws
        "format": box,  # P section 2.2
        "random": Coin(0.5),  # P section 2.2, gamma 0.5
        "incorrect": OfflineLabels(labels, "wrong"),  # P section 2.2
        "python": python,  # P section 4.3, as the code reads it: any case, anywhere
        "no-repetition": Detected(Repetition(), absent=True),  # P appendix E
        "format-no-python": And((box, Detected(MentionsPython(), absent=True))),  # P section 4.3
        "random-rare": Coin(0.001),  # P section 2.3: gamma 0.001
    }
    once = replace(  # P appendix B.2: minibatch = rollout, where the clip cannot bite
        truth,
        name="random-once",
        reward=Coin(0.5),
        learner=replace(truth.learner, minibatches=1),
    )
    return Study(
        name="spurious",
        question="How much of what true rewards add do rewards add that know nothing of the "
        "answer?",
        about=__doc__ or "",
        arms=(
            truth,
            *(replace(truth, name=name, reward=reward) for name, reward in rewards.items()),
            once,
        ),
        seeds=(0, 1, 2, 3, 4),  # O: the paper has one run for most arms
        evaluation=Evaluation(
            problems=500,  # P section 2.1
            draws=8,  # P section 2.1, for its small sets
            environment=problems({"heldout": held_out}),
        ),
        probes=(Boundary(max_k=8), Behaviour(), Diversity(), WeightChange()),
        device="cuda",
        claims=(
            *(
                Claim(
                    sentence=f"True rewards raise pass@1 more than {what} do.",
                    metric="boundary/pass_at_k",
                    labels=PASS_AT_1,
                    treatment="truth",
                    control=control,
                    margin=0.02,
                )
                for control, what in (
                    ("random", "coin flips"),
                    ("format", "rewards for the format"),
                    ("incorrect", "rewards for a wrong answer"),
                )
            ),
            Claim(
                sentence="Coin flips make programs more frequent.",
                metric="behaviour/shown_share",
                labels={"behaviour": "mentions_python"},
                treatment="random",
                control="base",
                margin=0.05,
            ),
            Claim(
                sentence="They raise pass@1 more where the clip can bite.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="random",
                control="random-once",
                margin=0.02,
            ),
        ),
    )


study = published(os.environ.get("REWARDSCOPE_MODEL", MODEL))
