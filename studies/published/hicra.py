"""HICRA: GRPO with more credit on planning tokens, and the controls that planning has to beat.

Wang et al. 2025, "Emergent Hierarchical Reasoning in LLMs through Reinforcement Learning",
arXiv:2509.03646; its code was never released. Beside each setting stands where it comes from: P the
paper, C the released code, D derived, O ours.

Not had, since neither paper nor code says it: learning rate, batch, minibatch and number of steps.
They are DAPO's here.

Had otherwise:
- The paper prints about 280 grams in its listing 1. Here are the seven that were at hand; add the
  others, or mine them (``rewardscope phases``).
- The context grows from 16 384 to 32 768 tokens when a fifth of the completions is cut off. Here it
  stays.
- It measures at temperature 0.6. Here every policy is measured with the arm's own sampling.
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
    Phases,
    Planning,
    Pretrained,
    Questions,
    Sampling,
    Study,
    Truth,
)

MODEL = "Qwen/Qwen3-4B-Instruct-2507"  # P table 1
TRAIN = "agentica-org/DeepScaleR-Preview-Dataset"  # P section 4
HELD_OUT = "HuggingFaceH4/aime_2024"  # P table 1
SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."  # P: strict box
GRAMS = ("so", "but", "now", "wait", "since", "need to", "## step")  # P listing 1, in part
PLAIN = ("the", "of", "is", "and", "to", "a", "in")  # O: as many, and no plans
PASS_AT_1 = {"k": "1"}


def problems(source: dict[str, str]) -> Questions:
    """A set of problems behind a system prompt that asks for a box."""
    return Questions(source, prompt="{problem}", answer="answer", system=SYSTEM)


def published(model: str, train: str = TRAIN, held_out: str = HELD_OUT) -> Study:
    """The study for a model."""
    grpo = Arm(
        name="grpo",
        start=Pretrained(model),
        environment=problems({"train": train}),
        reward=Truth(strict=True),  # P section 4: the box alone
        credit=GroupMean(),  # P eq. 5: no division by the deviation
        learner=Learner(
            learning_rate=1e-6,  # O: as DAPO
            clip_low=0.2,  # P section 4: clip-higher, after DAPO
            clip_high=0.28,  # P section 4: clip-higher, after DAPO
            kl_weight=0.0,  # O: as DAPO
            weight_decay=0.1,  # O: as DAPO
            normalise="token",  # P section 4, after DAPO
            minibatches=16,  # O: as DAPO
        ),
        sampling=Sampling(
            max_tokens=16_384,  # P section 4
            temperature=1.0,  # O: as DAPO
        ),
        steps=300,  # O
        problems_per_step=512,  # O: as DAPO
        completions_per_problem=16,  # O: as DAPO
        checkpoint_every=10,  # O
    )
    planning = Planning(GRAMS, grpo.credit, gain=0.2)  # P section 3: alpha = 0.2
    hicra = replace(grpo, name="hicra", credit=planning)
    controls = {
        "random-grams": replace(planning, grams=PLAIN),  # P, ICLR version: Placebo HICRA
        "random": replace(planning, where="random"),  # O: as many tokens, anywhere
        "entropy": replace(planning, where="entropy"),  # P, ICLR version: high-entropy advantage
        "execution": replace(planning, where="execution"),  # O: the mask turned round
        "everywhere": replace(planning, where="everywhere"),  # O: optimism on all tokens
        "drift": replace(planning, drift="constant"),  # O: the same optimism, whatever the reward
    }
    return Study(
        name="hicra",
        question="Does more credit on planning tokens teach more, because they plan?",
        about=__doc__ or "",
        arms=(
            hicra,
            grpo,
            *(
                replace(hicra, name=f"hicra-{name}", credit=credit)
                for name, credit in controls.items()
            ),
            replace(hicra, name="hicra-coin", reward=Coin()),  # O: the placebo
        ),
        seeds=(0, 1, 2, 3, 4),  # O: the paper has one run per arm
        evaluation=Evaluation(
            problems=30,  # P table 1: AIME 2024
            draws=32,  # P section 4: avg@32
            environment=problems({"heldout": held_out}),
        ),
        probes=(Boundary(max_k=32), Behaviour(), Diversity(), Phases(grams=GRAMS)),
        device="cuda",
        claims=(
            Claim(
                sentence="HICRA raises pass@1 more than GRPO.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="hicra",
                control="grpo",
                margin=0.02,
            ),
            *(
                Claim(
                    sentence=f"HICRA raises pass@1 more than the control {name}.",
                    metric="boundary/pass_at_k",
                    labels=PASS_AT_1,
                    treatment="hicra",
                    control=f"hicra-{name}",
                    margin=0.02,
                )
                for name in ("random-grams", "random", "drift")
            ),
        ),
    )


study = published(os.environ.get("REWARDSCOPE_MODEL", MODEL))
