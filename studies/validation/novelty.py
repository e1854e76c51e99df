"""What Novelty says of a strategy that pretraining planted in a known share, or in no line at
all.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from checks import POLICY, PROBLEM, Check, evidence
from scipy.special import logsumexp

from rewardscope import Arm, Chain, Coin, Imitation, Learner, Oracle, Organism, Sampling, Truth
from rewardscope.policy import Policy
from rewardscope.probes.novelty import Novelty
from rewardscope.seeds import generator
from rewardscope.store import CellDirectory
from rewardscope.training import roll_out, train
from rewardscope.types import Completion, Ending, Grade, Measurement, Rollout

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
    learner=Learner(learning_rate=2e-3, normalise="active"),
    demonstrations=Oracle(),
    sampling=Sampling(max_tokens=24),
    steps=120,
    checkpoint_every=120,
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
    """The confusion matrix: what was planted against what is said; and long texts of very many
    paraphrases.
    """
    yield from _paraphrases()
    yield from _confusion()


WORDS = 7
"""Tokens of a paraphrase that are free: 21 nats with the organisms' alphabet."""
BEFORE = {3: (1.0, -18.9), 4: (1.0, -18.9)}
"""Share called created, and nats off the truth, when the chance was the sum of 16 traces; by tokens
that the strategy begins with.
"""


def uniform() -> Policy:
    """Every token alike: a strategy of m given tokens has the chance V^-m, in V^7 paraphrases."""
    policy = POLICY.clone()
    with torch.no_grad():
        policy.model.get_output_embeddings().weight.zero_()
    return policy


def told(name: str, opening: int, trained: float, tilt: float) -> Rollout:
    """Draws of a policy that begins with the strategy's tokens in a given share of its draws and
    then writes any paraphrase, token by token. With ``tilt`` it prefers some tokens to others.
    """
    random, size = (
        generator("validation", "paraphrases", name, opening, tilt),
        POLICY.vocabulary_size,
    )
    log_V = tilt * generator("validation", "tilt").normal(size=size)
    log_V = log_V - logsumexp(log_V)
    completions, grades = [], []
    for _ in range(DRAWS):
        right = bool(random.random() < trained)
        begun = (1,) * opening if right else (2,) * opening
        sure = (float(np.log(trained if right else 1 - trained)), *(0.0,) * (opening - 1))
        free = random.choice(size, size=WORDS, p=np.exp(log_V))
        ids = (*begun, *(int(token) for token in free))
        logprobs = (*sure, *(float(log_V[token]) for token in free))
        completions.append(Completion("", ids, logprobs, Ending.LENGTH))
        strategy = "stepwise" if right else None
        grades.append(Grade(right, right, True, str(right), strategy=strategy, steps=(right,)))
    return Rollout(replace(PROBLEM, id=name), 0, tuple(completions), tuple(grades))


def _paraphrases() -> Iterator[Check]:
    """A base that solves problems with a known chance, each time in other words, and a trained
    policy that does in 0.9 of its draws.
    """
    base, size = uniform(), POLICY.vocabulary_size
    for opening, tilt in ((3, 0.0), (4, 0.0), (3, 1.0), (3, 2.0)):
        names = [f"{index:016x}" for index in range(PROBLEMS)]
        nothing = tuple(told(name, opening, 1e-9, 0.0) for name in names)
        rows = Novelty().measure(
            replace(
                evidence([], base_rollouts=nothing, base_policy=base),
                policy=base,
                rollouts=tuple(told(name, opening, 0.9, tilt) for name in names),
            )
        )
        found = counts(rows)
        text = ", ".join(f"{number} {kind}" for kind, number in found.items() if number)
        chance = f"1 in {size**opening:,}"
        n = f"{PROBLEMS} problems x {DRAWS} draws, {WORDS} free tokens of {size}"
        created = found["created"] / PROBLEMS
        what = f"base chance {chance}, another paraphrase each time"
        if tilt:
            what += f", by a policy that prefers some by e^{tilt:g}"
            yield Check("Novelty", "null", f"{what}: created ({text})", created, 0.0, 0.05, n, 1.0)
            continue
        kind, low, high = ("sensitivity", 0.9, 1.0) if opening == 4 else ("null", 0.0, 0.05)
        yield Check(
            "Novelty", kind, f"{what}: created ({text})", created, low, high, n, BEFORE[opening][0]
        )
        (row,) = [
            r
            for r in rows
            if r.metric == "novelty/log_probability"
            and r.labels == {"strategy": "stepwise", "of": "base"}
        ]
        apart = (row.value or 0.0) + opening * np.log(size)
        yield Check(
            "Novelty", "null", f"{what}: nats estimated less the truth", apart, -0.1, 0.1, n
        )


def _confusion() -> Iterator[Check]:
    """What was planted against what is said."""
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
