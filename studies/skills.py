"""What experience in the prompt is worth, and which part of it: skills, their placebos at equal
prompt tokens, and lessons alone.

The organism `rules` goes by what stands before a problem in 0.8 of its lines and knows no rule by
itself: that kind b goes by minus can only be learned from what was paid, into the weights or into
the bank. All arms attempt the same problems with the same noise, make the same updates, and have
exactly 14 more prompt tokens than the problem: their bank's entries, or filler. Settings were fixed
before the first run.
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
    OtherCategory,
    RandomText,
    Rules,
    Sampling,
    SkillBank,
    Study,
    Truth,
)

BANK = SkillBank(
    writer=ByRule(),
    block=Block(budget_tokens=14, opening="", entry="{text}", closing="", filler="."),
    kinds=("skill",),
    first_problems=24,
    evolve_every=5,
    evolve_problems=12,
    draws=8,
)
SKILLS = Arm(
    name="skills",
    start=Organism("rules"),
    environment=Rules(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    sampling=Sampling(max_tokens=4),
    bank=BANK,
    steps=20,
    problems_per_step=8,
    completions_per_problem=8,
    checkpoint_every=10,
)
PASS_AT_1 = {"k": "1"}


def arm(name: str, bank: SkillBank) -> Arm:
    """The arm with another bank; nothing else differs."""
    return replace(SKILLS, name=name, bank=bank)


study = Study(
    name="skills",
    question="What are skills in the prompt worth beside no skills, another category's skills, "
    "random text, and lessons alone?",
    about=__doc__ or "",
    arms=(
        arm("none", replace(BANK, recall=Blank())),
        SKILLS,
        arm("shuffled", replace(BANK, recall=OtherCategory())),
        arm("random", replace(BANK, recall=RandomText(pieces=tuple("0123456789")))),
        arm("lessons", replace(BANK, kinds=("lesson",))),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=64, readings=4),
    probes=(Boundary(max_k=64), Behaviour(), Experience()),
    claims=(
        Claim(
            sentence="With skills of its own categories the policy is right more often than with "
            "none.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="skills",
            control="none",
            margin=0.05,
        ),
        Claim(
            sentence="It is their content: skills of another category are worth less.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="skills",
            control="shuffled",
            margin=0.05,
        ),
        Claim(
            sentence="Skills of another category are worth what none are.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="shuffled",
            control="none",
            expects="same",
            margin=0.05,
        ),
        Claim(
            sentence="Random text is worth what none is.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="random",
            control="none",
            expects="same",
            margin=0.05,
        ),
        Claim(
            sentence="Lessons alone, which say what not to do, help too.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="lessons",
            control="none",
            margin=0.05,
        ),
        Claim(
            sentence="What the prompt tells is not learned: without its block, the policy trained "
            "with skills is right less often than "
            "the one that never had any.",
            metric="experience/without_block",
            treatment="skills",
            control="none",
            expects="less",
            margin=0.05,
        ),
    ),
)
