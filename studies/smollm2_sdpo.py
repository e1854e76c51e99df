"""Self-distillation on a real language model, a short run: SmolLM2-135M reads its own sums again
behind a solved sibling or the answer.

6 steps of 4 problems x 8 completions, one seed: enough to see that the method runs from end to end
on a language model, and to give an estimate without a verdict. What `Sums` says of a wrong
completion contains the answer ("seven minus nine is -2"), so here the key itself enters by SDPO's
own door, as the arm declares. The placebo gives the same completions another problem's solution or
answer.
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Claim,
    Evaluation,
    Learner,
    Pretrained,
    Reprompt,
    Sampling,
    SelfDistillation,
    Study,
    Sums,
    Teacher,
    Truth,
)

TOLD = Reprompt(feedback="without_solution")
WRONG = Reprompt("other", "without_solution", "other")
SDPO = Arm(
    name="sdpo",
    start=Pretrained("smollm2-135m-instruct"),
    environment=Sums(),
    reward=Truth(),
    credit=SelfDistillation(TOLD, over="top", top=100),
    learner=Learner(learning_rate=1e-5, normalise="sequence", teacher=Teacher("average", 0.05)),
    sampling=Sampling(max_tokens=16),
    steps=6,
    problems_per_step=4,
    completions_per_problem=8,
    checkpoint_every=6,
)

study = Study(
    name="smollm2-sdpo",
    question="Does SmolLM2-135M teach itself sums from what a verifier says, and is it what was "
    "said of this problem that teaches?",
    about=__doc__ or "",
    arms=(
        SDPO,
        replace(SDPO, name="sdpo-wrong", credit=SelfDistillation(WRONG, over="top", top=100)),
    ),
    seeds=(0,),
    evaluation=Evaluation(problems=40, draws=8, readings=4),
    probes=(Boundary(max_k=8), Behaviour()),
    claims=(
        Claim(
            sentence="SDPO raises pass@1 on held-out sums more than SDPO told of another problem.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="sdpo",
            control="sdpo-wrong",
            margin=0.05,
        ),
    ),
)
