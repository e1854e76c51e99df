"""What Novelty says of a strategy that pretraining planted in a known share, or in no line at
all.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from checks import Check, evidence

from rewardscope import Arm, Chain, Coin, Imitation, Learner, Oracle, Organism, Sampling, Truth
from rewardscope.policy import Policy
from rewardscope.probes.novelty import Novelty
from rewardscope.store import CellDirectory
from rewardscope.training import roll_out, train
from rewardscope.types import Measurement

PROBLEMS, DRAWS = 64, 256
LATENT = {
    "formats-tenth": "10 %",
    "formats-hundredth": "1 %",
    "formats-thousandth": "0.1 %",
    "formats-barren": "absent",
}
"""Organism -> share of pretraining lines that are stepwise."""
SHOWN = Arm(
    name="shown",
    start=Organism("formats-barren"),
    environment=Chain(),
    reward=Truth(),
    credit=Imitation(),
    learner=Learner(learning_rate=1e-3, normalise="active"),
    demonstrations=Oracle(),
    sampling=Sampling(max_tokens=24),
    steps=300,
    checkpoint_every=300,
    problems_per_step=64,
    completions_per_problem=1,
)
"""Shown stepwise solutions until it writes them: from every start the trained policy does the same
thing, and only its base differs.
"""
TOLD = Arm(
    name="told",
    start=Organism("formats-tenth"),
    environment=Chain(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4, minibatches=2),
    sampling=Sampling(max_tokens=24),
    steps=30,
    problems_per_step=32,
    completions_per_problem=16,
)
"""The tour's training: rewards for right answers, nobody shows anything."""


def measured(arm: Arm) -> tuple[list[Measurement], list[Measurement]]:
    """Rows of the trained policy beside its base, and of the base beside more draws of its own."""
    base = arm.start.load()
    with tempfile.TemporaryDirectory() as folder:
        trained = train(arm, 0, CellDirectory(Path(folder)), lambda step: None)
    problems = [arm.environment.problem("heldout", index) for index in range(PROBLEMS)]

    def draws(policy: Policy, name: str):
        return tuple(
            roll_out(
                policy,
                arm.environment,
                problems,
                DRAWS,
                arm.sampling,
                0,
                [(name, p.id) for p in problems],
            )
        )

    before = draws(base, "validation")
    rows = [
        Novelty().measure(
            replace(
                evidence([], base_rollouts=before, base_policy=base),
                policy=policy,
                rollouts=draws(policy, name),
            )
        )
        for policy, name in ((trained, "validation"), (base, "validation, again"))
    ]
    return rows[0], rows[1]


def counts(rows: list[Measurement]) -> dict[str, int]:
    """Problems by class, of the stepwise strategy."""
    return {
        r.labels["class"]: int(r.value or 0)
        for r in rows
        if r.metric == "novelty/problems" and r.labels["strategy"] == "stepwise"
    }


def novelty() -> Iterator[Check]:
    """The confusion matrix: what was planted against what is said."""
    n = f"{PROBLEMS} problems x {DRAWS} draws"
    for name, share in LATENT.items():
        found, itself = (counts(rows) for rows in measured(replace(SHOWN, start=Organism(name))))
        solved = sum(found.values())
        text = ", ".join(f"{number} {kind}" for kind, number in found.items() if number)
        absent = name == "formats-barren"
        right = (
            found["created"] + found["undecided"] if absent else found["kept"] + found["activated"]
        )
        said = "created or undecided" if absent else "kept or activated"
        yield Check(
            "Novelty",
            "sensitivity",
            f"stepwise latent at {share}: share {said} ({text})",
            right / max(1, solved),
            0.9,
            1.0,
            n,
        )
        yield Check(
            "Novelty",
            "null",
            f"latent at {share}, the base beside itself: created",
            float(itself["created"]),
            0.0,
            0.0,
            n,
        )
    for arm in (TOLD, replace(TOLD, name="coin", reward=Coin())):
        found = counts(measured(arm)[0])
        text = ", ".join(f"{number} {kind}" for kind, number in found.items() if number)
        share = (found["kept"] + found["activated"]) / max(1, sum(found.values()))
        what = (
            f"latent at 10 %, told {'the truth' if arm is TOLD else 'coin flips'} for 30 steps: "
            f"share kept or activated ({text})"
        )
        yield Check("Novelty", "sensitivity", what, share, 0.9, 1.0, n)
