"""Skills in the house, a game of several turns: rules write down which sub-goals a successful
episode reached, and the bank recalls the line of the problem's own category, or of another.

The house organism wins 0.28 of its episodes alone and 0.68 behind the right skill. Writing needs
the layout of the world, so the writer sees the key and says so; it files by what was told. The
organism knows no filler: blocks are empty or one skill with its bar. Settings were fixed before the
first run.
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Block,
    Boundary,
    ByRule,
    Claim,
    Evaluation,
    Experience,
    House,
    Learner,
    Organism,
    OtherCategory,
    OwnCategory,
    Reserved,
    Sampling,
    SkillBank,
    Study,
    Truth,
)

BANK = SkillBank(
    writer=ByRule(sees_key=True),
    recall=OwnCategory(top=1),
    block=Block(budget_tokens=8, opening="", entry="{text}", closing="|", filler=""),
    kinds=("skill",),
    first_problems=24,
    evolve_every=5,
    evolve_problems=12,
    draws=8,
)
SKILLS = Arm(
    name="skills",
    start=Organism("house"),
    environment=Reserved(House()),
    reward=Truth(),
    learner=Learner(learning_rate=5e-4),
    sampling=Sampling(max_tokens=120, turn_tokens=4),
    bank=BANK,
    steps=10,
    problems_per_step=8,
    completions_per_problem=8,
    checkpoint_every=5,
)
PASS_AT_1 = {"k": "1"}

study = Study(
    name="house-skills",
    question="What is a skill of the problem's category worth in a game of several turns, beside "
    "none and beside another category's?",
    about=__doc__ or "",
    arms=(
        replace(SKILLS, name="none", bank=None),
        SKILLS,
        replace(SKILLS, name="shuffled", bank=replace(BANK, recall=OtherCategory(top=1))),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=32, draws=16, readings=2),
    probes=(Boundary(max_k=16), Experience()),
    claims=(
        Claim(
            sentence="With a skill of its own category the policy wins more often than with none.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="skills",
            control="none",
            margin=0.05,
        ),
        Claim(
            sentence="It is the skill's content: another category's is worth less.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="skills",
            control="shuffled",
            margin=0.05,
        ),
        Claim(
            sentence="Another category's skill is worth what none is.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="shuffled",
            control="none",
            expects="same",
            margin=0.05,
        ),
    ),
)
