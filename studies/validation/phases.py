"""What Phases says of planted plans, and of curves that bend where we made them bend."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from checks import POLICY, Check, evidence

from rewardscope import Chain, Sampling
from rewardscope.policy.grams import gram_pattern
from rewardscope.probes.course import bend, course_of
from rewardscope.probes.phases import Phases, plan_entropy
from rewardscope.probes.strategic import Miner, rarefied_entropy
from rewardscope.seeds import generator
from rewardscope.stats import statistic_over_problems
from rewardscope.training import roll_out

SYMBOLS = (
    "{} + {} = {}",
    "{} * {} = {}",
    "({} - {}) / {} left",
    "x = {}, y = {}, z = {}",
    "pay {}, keep {}, give {}",
)
ENDS = (
    "and we get",
    "so there are",
    "which leaves us",
    "for a sum of",
    "making it all",
    "that comes to",
    "or in short",
    "being as much as",
)
PHRASES = tuple(
    f"{{}} {noun} and {{}} {other}, {end} {{}}"
    for end in ENDS
    for noun, other in (("apples", "pears"), ("coins", "cards"))
)
"""Working whose own turns of phrase stand in about 0.7 of the solutions, one to two times each."""
PLANS = (
    *("let us first check the sign", "wait, that can not be right", "try another way instead"),
    *("it follows from this that", "we now turn to the rest", "going back to the start"),
)


def working(steps: tuple[str, ...], name: str) -> list[str]:
    """300 solutions of 6 to 13 steps, each plan in 0.4 of them."""
    random, found = generator("validation", "working", name), []
    for _ in range(300):
        parts = [
            steps[int(random.integers(len(steps)))].format(*random.integers(0, 100, 3))
            for _ in range(int(random.integers(6, 14)))
        ]
        for plan in PLANS:
            if random.random() < 0.4:
                parts.insert(int(random.integers(len(parts) + 1)), plan)
        found.append(". ".join(parts) + ".")
    return found


def inside(grams: tuple[str, ...], texts: list[str]) -> np.ndarray:
    """Of all characters: whether they lie in a use of a gram."""
    whole, found = "\n".join(texts), np.zeros(sum(map(len, texts)) + len(texts) - 1, dtype=bool)
    for use in gram_pattern(grams).finditer(whole) if grams else ():
        found[slice(*use.span())] = True
    return found


def phases() -> Iterator[Check]:
    """Planted plans, a uniform policy, and uses of plans drawn from known shares."""
    for steps, among in (
        (SYMBOLS, "formulas"),
        (PHRASES, "phrases more widespread than the plans"),
    ):
        texts = working(steps, among)
        found, true = inside(Miner().mine(texts), texts), inside(PLANS, texts)
        precision = float((found & true).sum() / max(1, found.sum()))
        n = "300 solutions, 6 plans"
        yield Check(
            "Phases",
            "sensitivity",
            f"precision of mined grams among {among}, by character",
            precision,
            0.8,
            1.0,
            n,
        )
        recall = float((found & true).sum() / true.sum())
        yield Check(
            "Phases", "sensitivity", f"recall of mined grams among {among}", recall, 0.25, 1.0, n
        )
    policy = POLICY.clone()
    with torch.no_grad():
        policy.model.get_output_embeddings().weight.zero_()
    problems = [Chain().problem("heldout", index) for index in range(16)]
    rollouts = roll_out(
        policy,
        Chain(),
        problems,
        8,
        Sampling(max_tokens=24),
        0,
        [("validation", p.id) for p in problems],
    )
    rows = Phases(grams=("s", "t", "g")).measure(replace(evidence(rollouts), policy=policy))
    apart = max(
        abs((row.value or 0.0) - np.log(policy.vocabulary_size))
        for row in rows
        if row.metric == "phases/entropy"
    )
    yield Check(
        "Phases",
        "null",
        "entropy of uniform logits, less log V, either class",
        apart,
        0.0,
        1e-5,
        "16 problems x 8",
    )
    random, share = generator("validation", "phases"), np.arange(1, 13) / 78
    true_entropy = float(rarefied_entropy(random.multinomial(128, share, 20_000), 128).mean())
    studies, covered = 400, 0
    for study in range(studies):
        used = [[(str(name), "") for name in random.choice(12, p=share, size=6)] for _ in range(64)]
        row = statistic_over_problems(
            64, plan_entropy(used, 128), address=f"validation/{study}", centred=True
        )
        covered += row is not None and (row.lower or 0) <= true_entropy <= (row.upper or 0)
    n = f"{studies} studies, 64 problems x 6 uses, k = 128"
    yield Check(
        "Phases",
        "coverage",
        "the interval of the semantic entropy holds its expectation",
        covered / studies,
        0.93,
        0.97,
        n,
    )


def courses() -> Iterator[Check]:
    """Curves over 30 steps that bend at a known step, that are straight, or that bend together."""
    random, t = generator("validation", "courses"), np.arange(30.0)

    def curve(place: float, before: float, after: float) -> np.ndarray:
        noise = random.normal(0, 0.05, len(t))
        return np.asarray(before * np.minimum(t, place) + after * np.maximum(t - place, 0) + noise)

    studies, covered, bent, called, ordered = 400, 0, 0, 0, 0
    for study in range(1000):
        place = float(random.uniform(8, 22))
        row = bend(range(30), curve(place, -0.06, 0.0), f"validation/{study}/bend").step
        covered += row is not None and (row.lower or 0) <= place <= (row.upper or 0)
    for study in range(studies):
        place, address = float(random.uniform(8, 22)), f"validation/{study}"
        bent += bend(range(30), curve(30, -0.03, 0.0), f"{address}/line").step is not None
        called += (
            course_of(
                range(30), curve(place, -0.1, 0.0), curve(place, 0.0, 0.1), f"{address}/same"
            ).two_phases
            is True
        )
        ordered += (
            course_of(
                range(30), curve(8, -0.1, 0.0), curve(18, 0.0, 0.1), f"{address}/order"
            ).two_phases
            is True
        )
    n = f"{studies} curves of 30 steps, noise 0.05, a bend of 0.06 to 0.1 per step"
    of_bends = n.replace("400", "1000")
    yield Check(
        "Phases",
        "coverage",
        "the interval of a bend holds its step",
        covered / 1000,
        0.93,
        0.97,
        of_bends,
    )
    yield Check(
        "Phases", "null", "straight curves in which a bend is seen", bent / studies, 0.0, 0.07, n
    )
    yield Check(
        "Phases",
        "null",
        "two curves that bend together called two phases in order",
        called / studies,
        0.0,
        0.05,
        n,
    )
    yield Check(
        "Phases",
        "sensitivity",
        "execution bent ten steps before the plans called so",
        ordered / studies,
        0.9,
        1.0,
        n,
    )
