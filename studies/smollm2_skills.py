"""A bank on a pretrained language model, end to end: SmolLM2-135M writes its own advice about
one-digit sums and is given it back.

The policy is the writer (no stronger model is let in), of the split `evolve` that is set aside from
training. The placebo has the same advice, of the other operation, at the same number of prompt
tokens. Six steps and one seed show that it runs, and no more.
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Block,
    Boundary,
    ByPolicy,
    Claim,
    Evaluation,
    Experience,
    Learner,
    OtherCategory,
    Pretrained,
    Reserved,
    Sampling,
    SkillBank,
    Study,
    Sums,
    Truth,
)

BANK = SkillBank(
    writer=ByPolicy(most_attempts=4, most_tokens=32),
    block=Block(budget_tokens=96),
    first_problems=4,
    evolve_every=3,
    evolve_problems=4,
    draws=8,
    general_from=2,
)
OWN = Arm(
    name="own",
    start=Pretrained("smollm2-135m-instruct"),
    environment=Reserved(Sums()),
    reward=Truth(),
    learner=Learner(learning_rate=1e-5),
    sampling=Sampling(max_tokens=16),
    bank=BANK,
    steps=6,
    problems_per_step=4,
    completions_per_problem=8,
    checkpoint_every=3,
)

study = Study(
    name="smollm2-skills",
    question="Is advice that SmolLM2-135M wrote itself worth more than the same advice about the "
    "other operation?",
    about=__doc__ or "",
    arms=(OWN, replace(OWN, name="shuffled", bank=replace(BANK, recall=OtherCategory()))),
    seeds=(0,),
    evaluation=Evaluation(problems=16, draws=8, readings=2),
    probes=(Boundary(max_k=8), Experience()),
    claims=(
        Claim(
            sentence="Advice about the same operation is worth more than advice about the other.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="own",
            control="shuffled",
            margin=0.05,
        ),
        Claim(
            sentence="Six steps of training with advice raise pass@1 over the untrained model "
            "without any.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="own",
            control="base",
            margin=0.05,
        ),
    ),
)
