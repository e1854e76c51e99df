"""SDPO: a model teaches itself from what a solved sibling shows, with GRPO beside it.

Huebotter et al. 2026, "Reinforcement Learning via Self-Distillation", arXiv:2601.20802, section 3
(no feedback but the reward); the released code is lasgroup/SDPO at 0e6d510. Beside each setting
stands where it comes from: P the paper, C the released code, D derived, O ours.

Not had: the warm-up of the learning rate over 10 steps.

Had otherwise:
- SciKnowEval nests its answers. Write its chemistry rows to a file with the columns question (with
  its options) and answer (a letter), and give its name by REWARDSCOPE_DATA.
- The paper reports the highest value within 5 hours. Here the last checkpoint counts.
- A solution's thoughts are not cut out, since Qwen3 is asked without thinking there. Here the chat
  template decides whether it thinks.
- It passes a lone success its own answer in table 2, and not in its code. Here, as in the code.
"""

import os
from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Choice,
    Claim,
    Coin,
    Evaluation,
    GroupMean,
    Learner,
    Losses,
    Pretrained,
    Questions,
    Reprompt,
    Sampling,
    SelfDistillation,
    Study,
    Teacher,
    Truth,
    WeightChange,
)

MODEL = "Qwen/Qwen3-8B"  # P section 3
DATA = "sciknoweval-chemistry.jsonl"  # P section 3
PASS_AT_1 = {"k": "1"}


def published(model: str, data: str = DATA) -> Study:
    """The study for a model."""
    asked = Questions(data, prompt="{question}", answer="answer", grader=Choice())
    grpo = Arm(
        name="grpo",
        start=Pretrained(model),
        environment=asked,
        reward=Truth(),  # P section 3
        credit=GroupMean(divide_by_std=True),  # P section 3
        learner=Learner(
            learning_rate=1e-6,  # P table 12
            clip_low=0.2,  # C
            clip_high=0.28,  # P table 12
            kl_weight=0.0,  # P table 12
            weight_decay=0.01,  # P table 12
            max_gradient_norm=1.0,  # P table 12
            minibatches=4,  # P table 12: 32 problems in minibatches of 8
        ),
        sampling=Sampling(
            max_tokens=8192,  # P table 12
            temperature=1.0,  # P table 12
        ),
        steps=400,  # O: the paper gives 5 hours; a user of the code saw its figures at step 400
        problems_per_step=32,  # P table 12
        completions_per_problem=8,  # P table 12
        checkpoint_every=20,  # O
    )
    own = Reprompt("sibling")  # C: the first solved sibling, not the completion itself
    sdpo = replace(
        grpo,
        name="sdpo",
        credit=SelfDistillation(
            own,
            over="top",
            top=100,  # P section 3
            mixing=0.5,  # P section 3: Jensen-Shannon
            most_ratio=2.0,  # C is_clip
        ),
        learner=replace(
            grpo.learner,
            learning_rate=1e-5,  # P table 12
            minibatches=1,  # P table 12: minibatches of 32
            teacher=Teacher("average", 0.05),  # P table 12
        ),
    )
    other = replace(sdpo.credit, reprompt=replace(own, solution="other"))
    return Study(
        name="sdpo",
        question="Does a model teach itself from a solved sibling, and must it be the sibling's "
        "solution of this problem?",
        about=__doc__ or "",
        arms=(
            sdpo,
            grpo,
            replace(  # P table 3: on-policy GRPO
                grpo,
                name="grpo-on-policy",
                learner=replace(grpo.learner, learning_rate=1e-5, minibatches=1),
            ),
            replace(sdpo, name="sdpo-other", credit=other),  # O: another problem's solution
            replace(sdpo, name="sdpo-coin", reward=Coin()),  # O: a sibling that a coin chose
            replace(  # P table 4: frozen teacher
                sdpo,
                name="sdpo-frozen",
                learner=replace(sdpo.learner, teacher=Teacher("frozen")),
            ),
        ),
        seeds=(0, 1, 2),  # P section 4 has three
        evaluation=Evaluation(
            problems=200,  # O
            draws=16,  # P section 3: avg@16
        ),
        probes=(Boundary(max_k=16), Behaviour(), Losses(), WeightChange()),
        device="cuda",
        claims=(
            Claim(
                sentence="SDPO raises pass@1 more than SDPO shown another problem's solution.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="sdpo",
                control="sdpo-other",
                margin=0.02,
            ),
            Claim(
                sentence="SDPO raises pass@1 more than on-policy GRPO.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="sdpo",
                control="grpo-on-policy",
                margin=0.02,
            ),
            Claim(
                sentence="SDPO makes completions shorter than GRPO does.",
                metric="behaviour/length_tokens",
                treatment="sdpo",
                control="grpo",
                expects="less",
                margin=10.0,
            ),
        ),
    )


study = published(
    os.environ.get("REWARDSCOPE_MODEL", MODEL), os.environ.get("REWARDSCOPE_DATA", DATA)
)
