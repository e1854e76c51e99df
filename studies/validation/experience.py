"""What Experience says of blocks whose worth is known: drawn by hand, and of an organism whose
pretraining read them.
"""

from collections.abc import Iterator

import numpy as np
from checks import Check, evidence, group

from rewardscope import Organism, Rules, Sampling
from rewardscope.environments.rules import KINDS
from rewardscope.probes.experience import Experience
from rewardscope.seeds import generator
from rewardscope.training import roll_out
from rewardscope.types import Measurement, Rollout

STUDIES, PROBLEMS, DRAWS = 400, 64, 64


def experience() -> Iterator[Check]:
    """Coverage of what is lost where blocks are worth 0.2 and nothing, and the `rules` organism
    behind right skills and others'.
    """
    random = generator("validation", "experience")
    held = {"without": 0, "swapped": 0}
    for _ in range(STUDIES):
        chance = random.beta(1.0, 1.5, PROBLEMS) * 0.8
        worth = {"": 0.2, "without": 0.0, "swapped": 0.2}
        drawn = {name: _drawn(random, chance + more) for name, more in worth.items()}
        rows = _totals(
            Experience().measure(
                evidence(
                    drawn[""],
                    counterfactual={"without": drawn["without"], "swapped": drawn["swapped"]},
                )
            )
        )
        for name, true in (("without", 0.2), ("swapped", 0.0)):
            row = rows[f"experience/lost_{name}"]
            held[name] += (row.lower or 0.0) <= true <= (row.upper or 0.0)
    n = f"{STUDIES} studies, {PROBLEMS} problems x {DRAWS} draws x 3 blocks"
    yield Check(
        "Experience",
        "coverage",
        "what is lost without a block worth 0.2 lies in its interval",
        held["without"] / STUDIES,
        0.92,
        0.98,
        n,
    )
    yield Check(
        "Experience",
        "null",
        "0 lies in the interval where nothing is lost",
        held["swapped"] / STUDIES,
        0.92,
        0.98,
        n,
    )
    world, policy = Rules(), Organism("rules").load()
    problems = list(
        {
            world.problem("heldout", index).id: world.problem("heldout", index)
            for index in range(400)
        }.values()
    )[:64]
    kinds = [KINDS.index(problem.prompt[-1]) for problem in problems]
    right = [f"{KINDS[kind]}{world.rules[kind]};" for kind in kinds]
    others = [f"{KINDS[kind - 1]}{world.rules[kind]};" for kind in kinds]
    found = {
        name: tuple(
            roll_out(
                policy,
                world,
                problems,
                64,
                Sampling(max_tokens=4),
                0,
                [("validation", p.id) for p in problems],
                [("." * (14 - len(text)), text) for text in texts],
            )
        )
        for name, texts in (
            ("right", right),
            ("without", [""] * len(problems)),
            ("swapped", others),
        )
    }
    told = _totals(Experience().measure(evidence(list(found["right"]), counterfactual=found)))
    other = _totals(Experience().measure(evidence(list(found["swapped"]), counterfactual=found)))
    n = "64 problems x 64"
    lost = told["experience/lost_without"].value
    yield Check(
        "Experience",
        "sensitivity",
        "what an organism that follows skills in 0.8 of its lines loses without them",
        lost or 0.0,
        0.3,
        0.6,
        n,
    )
    nothing = other["experience/lost_without"].value
    yield Check(
        "Experience",
        "null",
        "what it loses without another kind's skill that names its own rule",
        nothing or 0.0,
        -0.05,
        0.05,
        n,
    )


def _drawn(random: np.random.Generator, chance_P: np.ndarray) -> list[Rollout]:
    return [
        group(index, [(None, bool(c), "7" if c else "6") for c in random.random(DRAWS) < p])
        for index, p in enumerate(chance_P)
    ]


def _totals(rows: list[Measurement]) -> dict[str, Measurement]:
    return {row.metric: row for row in rows if "problem" not in row.labels}
