"""Every credit and preference method on one organism from one start: which of them learns from true
rewards, and how much?

Each method has a placebo of its own shape: the same method, told coin flips. All arms meet the same
problems with the same noise and make the same number of updates from the same number of
completions, at the same rate; settings are each method's published ones where they are known. That
is no equal size of update (``weights/relative_update_norm`` says how far each went), and no method
was tuned, so the order is of these settings on this organism.
"""

from dataclasses import replace

from rewardscope import (
    DPO,
    KTO,
    ORPO,
    Arm,
    Behaviour,
    Boundary,
    Chain,
    Claim,
    Coin,
    Critic,
    Evaluation,
    GeneralisedAdvantage,
    GroupMean,
    Imitation,
    ImplicitProcess,
    ImplicitReward,
    KLInReward,
    Learner,
    LeaveOneOut,
    Organism,
    Planning,
    Reinforce,
    ReinforcePlusPlus,
    Reprompt,
    Sampling,
    SelfDistillation,
    Signed,
    SimPO,
    Study,
    Teacher,
    Truth,
    WeightChange,
)

BASIC = Learner(learning_rate=3e-4)
SEQUENCE = replace(BASIC, normalise="sequence")
ACTIVE = replace(BASIC, normalise="active")
TAUGHT = replace(SEQUENCE, teacher=Teacher("average", 0.05))
HINT = Reprompt(template="{solution}{prompt}", solution_section="{solution}")
"""In the organism's own alphabet: a solution, then the problem."""

PLAIN = Arm(
    name="plain",
    start=Organism("formats-planted"),
    environment=Chain(),
    reward=Truth(),
    learner=BASIC,
    sampling=Sampling(max_tokens=24),
    steps=20,
    problems_per_step=16,
    completions_per_problem=16,
    checkpoint_every=5,
)

METHODS = {
    "group-mean": PLAIN,
    "grpo": replace(PLAIN, credit=GroupMean(divide_by_std=True), learner=SEQUENCE),
    "dr-grpo": replace(PLAIN, learner=replace(BASIC, normalise="constant")),
    "dapo": replace(
        PLAIN,
        credit=GroupMean(divide_by_std=True),
        learner=replace(BASIC, clip_high=0.28),
        sampling_rounds=2,
    ),
    "gspo": replace(
        PLAIN, learner=replace(SEQUENCE, ratio="sequence", clip_low=3e-4, clip_high=4e-4)
    ),
    "rloo": replace(PLAIN, credit=LeaveOneOut()),
    "reinforce": replace(PLAIN, credit=Reinforce()),
    "reinforce-pp": replace(PLAIN, credit=ReinforcePlusPlus()),
    "ppo": replace(PLAIN, credit=GeneralisedAdvantage(), learner=replace(BASIC, critic=Critic())),
    "psr": replace(PLAIN, credit=Signed(1.0, 0.0), learner=ACTIVE),
    "nsr": replace(PLAIN, credit=Signed(0.0, 1.0), learner=ACTIVE),
    "w-reinforce": replace(PLAIN, credit=Signed(0.1, 1.0)),
    "hicra": replace(PLAIN, credit=Planning(("s", "t", "g"))),
    "prime": replace(
        PLAIN,
        credit=ImplicitProcess(),
        learner=replace(BASIC, implicit=ImplicitReward(learning_rate=6e-4)),
    ),
    "kl-in-reward": replace(PLAIN, credit=KLInReward(base=LeaveOneOut())),
    "imitation": replace(PLAIN, credit=Imitation(distinct=True), learner=ACTIVE),
    "sdpo": replace(PLAIN, credit=SelfDistillation(HINT), learner=TAUGHT),
    "sdpo-hybrid": replace(PLAIN, credit=SelfDistillation(HINT, base=GroupMean()), learner=TAUGHT),
    "dpo": replace(PLAIN, credit=DPO()),
    "kto": replace(PLAIN, credit=KTO()),
    "orpo": replace(PLAIN, credit=ORPO()),
    "simpo": replace(PLAIN, credit=SimPO()),
}

study = Study(
    name="methods",
    question="Which methods learn from true rewards what they do not learn from coin flips, in 20 "
    "steps on one organism?",
    about=__doc__ or "",
    arms=tuple(
        replace(arm, name=name + suffix, reward=reward)
        for name, arm in METHODS.items()
        for suffix, reward in (("", Truth()), ("-coin", Coin()))
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=64, readings=4),
    probes=(Boundary(max_k=64), Behaviour(), WeightChange()),
    claims=tuple(
        Claim(
            sentence=f"{name} raises pass@1 more when it is told the truth than when it is told "
            "coin flips.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment=name,
            control=f"{name}-coin",
            margin=0.02,
        )
        for name in METHODS
    ),
)
