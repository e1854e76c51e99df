"""Plans in tokens of their own: what do true rewards change in a planner, and does credit on its
plans (HICRA) add to it?

The organism ``paths`` walks pairs of a graph that pretraining never walked. It names a hub (1 to
4), goes for the goal (>) or steps back out of a dead end (<): those tokens plan, the places
execute. Each goal has two right hubs and two wrong ones, so a plan can be wrong while every move of
it is right, and the other way round.

HICRA's gain is also put on random grams (a third of the places, about as many tokens as the plans
are), and told coin flips. A claim that no table holds: that training has two phases, execution
growing sure first and plans growing varied afterwards. It was written down beforehand as "yes, for
the plans in each seed of ``truth``, and not for random grams", and is read with

    rewardscope phases runs/paths truth --gram 1 --gram 2 --gram 3 --gram 4 --gram '>' --gram '<'
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
    Learner,
    Organism,
    Paths,
    Phases,
    Planning,
    Sampling,
    Study,
    Truth,
)
from rewardscope.environments.paths import PLANS
from rewardscope.seeds import generator

LETTERS = "abcdefghijklmnopqrstuvwx"
RANDOM = tuple(
    str(letter)
    for letter in sorted(
        generator("studies", "paths", "random grams").choice(list(LETTERS), 8, replace=False)
    )
)
"""Case does not count in a gram, so eight letters are sixteen of the 48 places that are no dead
end.
"""

PLAIN = Arm(
    name="truth",
    start=Organism("paths"),
    environment=Paths(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    sampling=Sampling(max_tokens=40),
    steps=40,
    problems_per_step=16,
    completions_per_problem=16,
    checkpoint_every=10,
)
PASS_AT_1 = {"k": "1"}
PLANNED = {"grams": "strategic", "k": "128"}
EXECUTION = {"grams": "strategic", "tokens": "execution"}

study = Study(
    name="paths",
    question="What do true rewards change in a planner whose plans we know, and does credit on "
    "those plans add to it?",
    about=__doc__ or "",
    arms=(
        PLAIN,
        replace(PLAIN, name="hicra", credit=Planning(PLANS)),
        replace(PLAIN, name="hicra-random", credit=Planning(RANDOM)),
        replace(PLAIN, name="coin", reward=Coin()),
        replace(PLAIN, name="hicra-coin", reward=Coin(), credit=Planning(PLANS)),
    ),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=64, draws=64, readings=4),
    probes=(Boundary(max_k=64), Behaviour(), Diversity(), Phases(grams=PLANS)),
    claims=(
        Claim(
            sentence="True rewards raise pass@1 on pairs that were never walked more than coin "
            "flips do.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="truth",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="Gain on the plan tokens raises pass@1 more than none does.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="hicra",
            control="truth",
            margin=0.02,
        ),
        Claim(
            sentence="Gain on the plan tokens raises pass@1 more than gain on random grams does.",
            metric="boundary/pass_at_k",
            labels=PASS_AT_1,
            treatment="hicra",
            control="hicra-random",
            margin=0.02,
        ),
        Claim(
            sentence="Gain on the plan tokens leaves plans more varied than none does.",
            metric="phases/semantic_entropy",
            labels=PLANNED,
            treatment="hicra",
            control="truth",
            margin=0.05,
        ),
        Claim(
            sentence="True rewards make plans more varied than coin flips do.",
            metric="phases/semantic_entropy",
            labels=PLANNED,
            treatment="truth",
            control="coin",
            margin=0.05,
        ),
        Claim(
            sentence="True rewards make the policy surer of where to step than coin flips do.",
            metric="phases/entropy",
            labels=EXECUTION,
            treatment="truth",
            control="coin",
            expects="less",
            margin=0.05,
        ),
        Claim(
            sentence="True rewards narrow the ways walked between a pair: two draws differ less "
            "often than after coin flips.",
            metric="diversity/answers_differ",
            treatment="truth",
            control="coin",
            expects="less",
            margin=0.1,
        ),
        Claim(
            sentence="What true rewards teach, the untrained model reaches within 64 tries.",
            metric="boundary/pass_at_k",
            labels={"k": "64"},
            treatment="truth",
            control="base",
            expects="same",
            margin=0.05,
        ),
    ),
)
