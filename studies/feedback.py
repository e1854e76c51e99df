"""Self-distillation where its precondition holds: can a policy teach itself from being told which
step was wrong?

The organism ``feedback`` writes most products as sums, and gets a product right that a hint in
front of the problem names: its card has the accuracy with and without a hint, and with a hint that
names a step the problem does not have. SDPO reads its own completions once more behind a successful
sibling and the verifier's words (the name of the first wrong step, which holds no value), both in
the one form that pretraining used. Its placebos get the same completions another problem's success
and words, or neither.

SDPO reads the key by a door of its own: words are written, and given to the completions that are
wrong, with the key in hand. The placebos are told which completions are wrong, too, and nothing
else.
"""

from dataclasses import replace

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Claim,
    Coin,
    Diversity,
    Evaluation,
    Hinted,
    Learner,
    Organism,
    Reprompt,
    Sampling,
    SelfDistillation,
    Study,
    Teacher,
    Truth,
    WeightChange,
)
from rewardscope.environments.hinted import FEEDBACK_SECTION, SOLUTION_SECTION, TEMPLATE

TOLD = Reprompt(
    feedback="always",
    template=TEMPLATE,
    solution_section=SOLUTION_SECTION,
    feedback_section=FEEDBACK_SECTION,
)

GRPO = Arm(
    name="grpo",
    start=Organism("feedback"),
    environment=Hinted(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    sampling=Sampling(max_tokens=24),
    steps=30,
    problems_per_step=16,
    completions_per_problem=16,
    checkpoint_every=10,
)
SDPO = replace(
    GRPO,
    name="sdpo",
    credit=SelfDistillation(TOLD),
    learner=Learner(learning_rate=3e-4, normalise="sequence", teacher=Teacher("average", 0.05)),
)


def sdpo(name: str, reprompt: Reprompt) -> Arm:
    """SDPO with another reprompt."""
    return replace(SDPO, name=name, credit=SelfDistillation(reprompt))


PASS_AT_1 = {"k": "1"}

study = Study(
    name="feedback",
    question="Can a policy that understands a hint teach itself from being told which step was "
    "wrong, and is it the hint that teaches?",
    about=__doc__ or "",
    arms=(
        GRPO,
        SDPO,
        sdpo("words", replace(TOLD, solution="none")),
        sdpo("words-wrong", replace(TOLD, solution="none", feedback_of="other")),
        sdpo("sdpo-wrong", replace(TOLD, solution="other", feedback_of="other")),
        sdpo("sdpo-empty", replace(TOLD, solution="empty", feedback_of="empty")),
        replace(GRPO, name="coin", reward=Coin()),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=64, readings=4),
    probes=(Boundary(max_k=64), Behaviour(), Diversity(), WeightChange()),
    claims=(
        Claim(
            sentence="SDPO told what was wrong raises pass@1 more than SDPO told what was wrong "
            "with another problem.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="sdpo",
            control="sdpo-wrong",
            margin=0.05,
        ),
        Claim(
            sentence="And more than SDPO that is told nothing.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="sdpo",
            control="sdpo-empty",
            margin=0.05,
        ),
        Claim(
            sentence="The verifier's words alone, without a solved sibling, raise pass@1 more than "
            "its words about another problem do.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="words",
            control="words-wrong",
            margin=0.05,
        ),
        Claim(
            sentence="SDPO raises pass@1 more than GRPO does from the same completions.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="sdpo",
            control="grpo",
            margin=0.02,
        ),
        Claim(
            sentence="GRPO told the truth raises pass@1 more than GRPO told coin flips.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="grpo",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="Another problem's hints do not raise pass@1.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="sdpo-wrong",
            control="base",
            expects="same",
            margin=0.05,
        ),
        Claim(
            sentence="A teacher that is told nothing leaves pass@1 where it was.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="sdpo-empty",
            control="base",
            expects="same",
            margin=0.05,
        ),
    ),
)
