"""Positive and negative reinforcement apart: PSR, NSR and W-REINFORCE, with GRPO and PPO.

Zhu et al. 2025, "The Surprising Effectiveness of Negative Reinforcement in LLM Reasoning",
arXiv:2506.01347; the released scripts are TianHongZXY/RLVR-Decomposed
run_qwen2.5-math-7b_{psr_nsr,grpo,ppo}.sh. Beside each setting stands where it comes from: P the
paper, C the released code, D derived, O ours.

Not had: the entropy bonus, 1e-4 in the paper and 1e-3 in the released configuration.

Had otherwise:
- PPO's critic is a value head over the policy's own states. The release trains a second model.
- The released code drops completions of the other sign and makes fewer updates on what is left.
  Here the number of updates stays, and each is normalised by the tokens that count.
- It measures 256 draws at temperature 0.6 and top_p 0.95. Here every policy is measured with the
  arm's own sampling.
- The wording of the prompt lies in data files that were not read; it is Qwen2.5-Math's own here.
"""

import os
from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Claim,
    Coin,
    Critic,
    Diversity,
    Evaluation,
    GeneralisedAdvantage,
    GroupMean,
    KLInReward,
    Learner,
    Losses,
    Pretrained,
    Questions,
    Sampling,
    Signed,
    Study,
    Truth,
)

MODEL = "Qwen/Qwen2.5-Math-7B"  # P section 3.1
TRAIN = "DigitalLearningGmbH/MATH-lighteval"  # P section 3.1: the 7500 of MATH
HELD_OUT = "DigitalLearningGmbH/MATH-lighteval"  # P section 3.1: its test split
SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."
PASS_AT_1, PASS_AT_256 = {"k": "1"}, {"k": "256"}


def problems(source: str) -> Questions:
    """A set of problems; the key is the box in the worked solution."""
    return Questions(source, prompt="{problem}", answer="solution", system=SYSTEM)


def published(model: str, train: str = TRAIN, held_out: str = HELD_OUT) -> Study:
    """The study for a model."""
    weighted = Arm(
        name="w-reinforce",
        start=Pretrained(model),
        environment=problems(train),
        reward=Truth(),  # P section 2: +1 or -1; Signed makes it of 1 and 0
        credit=Signed(0.1, 1.0),  # P section 4: lambda = 0.1
        learner=Learner(
            learning_rate=1e-6,  # C
            clip_low=0.2,  # P appendix C
            clip_high=0.2,  # P appendix C
            weight_decay=0.01,  # C, the default of verl
            minibatches=4,  # C: 1024 prompts in minibatches of 256
        ),
        sampling=Sampling(
            max_tokens=3072,  # C max_response_length; P: 4096 with the prompt
            temperature=1.0,  # P appendix C
        ),
        steps=140,  # C: 20 epochs of 7 steps
        problems_per_step=1024,  # C train_batch_size
        completions_per_problem=8,  # C rollout.n
        checkpoint_every=7,  # C save_freq
    )
    active = replace(weighted.learner, normalise="active")  # D: by the tokens that are left
    grpo = replace(
        weighted,
        name="grpo",
        credit=GroupMean(divide_by_std=True),
        learner=replace(weighted.learner, kl_weight=0.001),  # P appendix C
    )
    ppo = replace(
        weighted,
        name="ppo",
        credit=KLInReward(
            base=GeneralisedAdvantage(discount=1.0, trace=1.0),  # C, the defaults of verl
            weight=0.001,  # C kl_ctrl.kl_coef
        ),
        learner=replace(weighted.learner, critic=Critic()),  # C: a model of its own at 1e-5
    )
    treatments = (
        replace(weighted, name="psr", credit=Signed(1.0, 0.0), learner=active),  # P eq. 2
        replace(weighted, name="nsr", credit=Signed(0.0, 1.0), learner=active),  # P eq. 3
        weighted,
        grpo,
        ppo,
    )
    placebos = tuple(  # O
        replace(arm, name=f"{arm.name}-coin", reward=Coin())
        for arm in treatments
        if arm.name in ("psr", "nsr", "w-reinforce")
    )
    return Study(
        name="nsr",
        question="Does punishing failures alone do what rewarding successes does, and is it the "
        "truth of the punishment that does it?",
        about=__doc__ or "",
        arms=(*treatments, *placebos),
        seeds=(0, 1, 2, 3, 4),  # O: the paper has one run per arm
        evaluation=Evaluation(
            problems=500,  # O: of its 5000
            draws=256,  # P section 3.1
            environment=problems(held_out),
        ),
        probes=(Boundary(max_k=256), Behaviour(), Diversity(), Losses()),
        device="cuda",
        claims=(
            Claim(
                sentence="NSR raises pass@1 more than the same method told coin flips.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="nsr",
                control="nsr-coin",
                margin=0.02,
            ),
            Claim(
                sentence="NSR solves more than PSR in 256 draws.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_256,
                treatment="nsr",
                control="psr",
                margin=0.01,
            ),
            Claim(
                sentence="NSR raises pass@1 as far as PPO does.",
                metric="boundary/pass_at_k",
                labels=PASS_AT_1,
                treatment="nsr",
                control="ppo",
                expects="same",
                margin=0.02,
            ),
        ),
    )


study = published(os.environ.get("REWARDSCOPE_MODEL", MODEL))
