"""What a bank gains from growing, from distilling and from telling success and failure apart, at
equal prompt tokens.

As in ``skills.py``, the organism ``rules`` cannot know which rule a kind of problem goes by, and
every prompt has the same 14 tokens before the problem. All banks begin with the attempts at three
problems, which leaves most of the six kinds unheard of. One stays as it began; the others read
twelve more problems of the split ``evolve`` every five steps: distilled to skills and lessons, as
raw trajectories, or distilled with everything told as a success. Settings were fixed before the
first run.

Source: SkillRL, arXiv:2602.08234, section 4: its ablations "raw trajectories" and "without
evolution", and the treatment apart of success and failure.
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Blank,
    Block,
    Boundary,
    ByRule,
    Claim,
    Evaluation,
    Experience,
    Learner,
    Organism,
    Rules,
    Sampling,
    SkillBank,
    Study,
    Trajectories,
    Truth,
    Uniform,
)

GROWING = SkillBank(
    writer=ByRule(),
    block=Block(budget_tokens=14, opening="", entry="{text}", closing="", filler="."),
    kinds=("skill", "lesson"),
    first_problems=3,
    evolve_every=5,
    evolve_problems=12,
    draws=8,
)
ARM = Arm(
    name="growing",
    start=Organism("rules"),
    environment=Rules(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    sampling=Sampling(max_tokens=4),
    bank=GROWING,
    steps=20,
    problems_per_step=8,
    completions_per_problem=8,
    checkpoint_every=10,
)
RAW = replace(
    GROWING, writer=Trajectories(template="{prompt}{completion};"), kinds=("demonstration",)
)
PASS_AT_1 = {"k": "1"}

study = Study(
    name="bank",
    question="What does a bank gain from growing, from distilling, and from telling success and "
    "failure apart?",
    about=__doc__ or "",
    arms=(
        ARM,
        replace(ARM, name="still", bank=replace(GROWING, evolve_every=0)),
        replace(ARM, name="raw", bank=RAW),
        replace(ARM, name="alike", bank=replace(GROWING, writer=Uniform())),
        replace(ARM, name="none", bank=replace(GROWING, recall=Blank())),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=64, readings=4),
    probes=(Boundary(max_k=64), Behaviour(), Experience()),
    claims=(
        Claim(
            sentence="A bank that grows is worth more than one that stays as it began.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="growing",
            control="still",
            margin=0.05,
        ),
        Claim(
            sentence="Skills and lessons are worth more than raw trajectories of as many tokens.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="growing",
            control="raw",
            margin=0.05,
        ),
        Claim(
            sentence="Raw trajectories are worth more than none.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="raw",
            control="none",
            margin=0.05,
        ),
        Claim(
            sentence="Success and failure told apart are worth more than everything told as a "
            "success.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="growing",
            control="alike",
            margin=0.05,
        ),
        Claim(
            sentence="What was told as a success whatever it was is worth what nothing is.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="alike",
            control="none",
            expects="same",
            margin=0.05,
        ),
    ),
)
