"""What Phases says of planted plans, and of curves that bend where we made them bend."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from checks import POLICY, Check, evidence

from rewardscope import Chain, Sampling
from rewardscope.policy.grams import gram_pattern
from rewardscope.probes.bends import bend
from rewardscope.probes.course import course_of
from rewardscope.probes.phases import Phases, plan_entropy
from rewardscope.probes.strategic import Miner, rarefied_entropy
from rewardscope.seeds import generator
from rewardscope.stats import paired_contrast, pseudo_values, statistic_over_problems
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

    yield from _paired()


def _paired() -> Iterator[Check]:
    """Two arms under the same problems, whose plans differ by problem: what a claim on the semantic
    entropy says of other problems like these, with a row per problem and, before, without.
    """
    random = generator("validation", "phases", "arms")
    seeds, problems, plans, studies = 8, 64, 12, 200

    def difference() -> np.ndarray:
        """Of the arms' pseudo-values (seeds, problems)."""
        taste_PA, value_SP = random.normal(size=(problems, plans)), []
        for _ in range(seeds):
            sides = []
            for strength in (1.0, 2.0):
                share_PA = np.exp(strength * taste_PA + np.linspace(0, 1, plans))
                count_PA = random.multinomial(6, share_PA / share_PA.sum(axis=1, keepdims=True))
                sides.append(pseudo_values(problems, partial(_entropy, count_PA)))
            value_SP.append(np.subtract(sides[1], sides[0]))
        return np.array(value_SP)

    found = [difference() for _ in range(studies)]
    truth = float(np.mean([difference().mean() for _ in range(2 * studies)]))
    covered = []
    for rows in (True, False):
        intervals = [
            paired_contrast(
                value_SP if rows else value_SP.mean(axis=1, keepdims=True),
                address=f"validation/arms/{study}",
            )
            for study, value_SP in enumerate(found)
        ]
        held = [(of.lower or 0) <= truth <= (of.upper or 0) for of in intervals]
        covered.append(sum(held) / studies)
    yield Check(
        "Phases",
        "coverage",
        "a claim's interval holds the difference in semantic entropy over other problems",
        covered[0],
        0.92,
        0.99,
        f"{studies} studies, {seeds} seeds x {problems} problems x 6 uses",
        covered[1],
    )


def _entropy(count_PA: np.ndarray, weight_SP: np.ndarray) -> np.ndarray:
    return rarefied_entropy(weight_SP @ count_PA, 128)


BEFORE = {
    "straight curves, independent noise": 0.04,
    "straight curves, noise AR(1) 0.6": 0.38,
    "straight curves, noise AR(1) 0.8": 0.7,
    "random walks": 0.78,
    "quadratic growth": 1.0,
    "exponential decay": 1.0,
    "the cube of a skill that saturates": 1.0,
    "a sigmoid of five steps": 0.53,
    "two curves that bend together": 0.07,
    "exponential decay beside a random walk": 0.27,
    "exponential decay beside quadratic growth": 0.98,
    "two random walks": 0.01,
    "execution bent ten steps before the plans": 1.0,
}
"""What was found when the noise was taken as independent and a straight line was the only null, in
100 curves each.
"""
T = np.arange(30.0)
STUDIES = 300
NOISE = 0.05


def _noise(random: np.random.Generator, correlation: float = 0.0) -> np.ndarray:
    """First-order autoregression of deviation NOISE; 1 = a random walk of such steps."""
    noise_T = random.normal(0, NOISE, len(T))
    if correlation == 1.0:
        return np.asarray(noise_T.cumsum())
    for t in range(1, len(T)):
        new = np.sqrt(1 - correlation**2) * noise_T[t]
        noise_T[t] = correlation * noise_T[t - 1] + new
    return noise_T


def _hinge(place: float, before: float, after: float) -> np.ndarray:
    return np.asarray(before * np.minimum(T, place) + after * np.maximum(T - place, 0))


def courses() -> Iterator[Check]:
    """Curves over 30 steps: with a bend at a known step, and with none but noise that lingers."""
    yield from _bends()
    yield from _orders()


def _bends() -> Iterator[Check]:
    random, covered = generator("validation", "courses"), 0
    for study in range(1000):
        place = float(random.uniform(8, 22))
        found = bend(T, _hinge(place, -0.06, 0.0) + _noise(random), f"validation/{study}/bend")
        covered += (found.place.lower or 0) <= place <= (found.place.upper or 0)
    n = f"1000 curves of 30 steps, noise {NOISE}, a bend of 0.06 per step"
    yield Check(
        "Phases", "coverage", "the interval of a bend holds its step", covered / 1000, 0.93, 0.97, n
    )
    skill_T = 1 - np.exp(-T / 8)
    nulls: dict[str, Callable[[], np.ndarray]] = {
        "straight curves, independent noise": lambda: -0.03 * T + _noise(random),
        "straight curves, noise AR(1) 0.6": lambda: -0.03 * T + _noise(random, 0.6),
        "straight curves, noise AR(1) 0.8": lambda: -0.03 * T + _noise(random, 0.8),
        "random walks": lambda: _noise(random, 1.0),
        "quadratic growth": lambda: 1.5 * (T / 30) ** 2 + _noise(random),
        "exponential decay": lambda: np.exp(-T / 5) + _noise(random),
        "the cube of a skill that saturates": lambda: skill_T**3 + _noise(random),
        "a sigmoid of five steps": lambda: 1 / (1 + np.exp((15 - T) / 5)) + _noise(random),
    }
    for what, make in nulls.items():
        figure = f"{what} in which a bend is seen"
        bent = _bent(what, make)
        yield Check("Phases", "null", figure, bent, 0.0, 0.05, SMALL, BEFORE[what])

    def anywhere(size: float, correlation: float) -> Callable[[], np.ndarray]:
        return lambda: (
            _hinge(float(random.uniform(8, 22)), -size, 0.0) + _noise(random, correlation)
        )

    for size, correlation, least in ((0.06, 0.0, 0.6), (0.1, 0.0, 0.9), (0.1, 0.6, 0.75)):
        what = f"bends of {size:g} per step that are found, noise AR(1) {correlation:g}"
        power = _bent(what, anywhere(size, correlation))
        yield Check("Phases", "sensitivity", what, power, least, 1.0, SMALL, 1.0)


def _bent(what: str, make: Callable[[], np.ndarray]) -> float:
    """Share of made curves in which a bend is seen."""
    found = [bend(T, make(), f"validation/{what}/{study}").step for study in range(STUDIES)]
    return sum(step is not None for step in found) / STUDIES


SMALL = f"{STUDIES} curves of 30 steps, noise {NOISE}"


def _orders() -> Iterator[Check]:
    random = generator("validation", "orders")

    def together() -> tuple[np.ndarray, np.ndarray]:
        place = float(random.uniform(8, 22))
        return _hinge(place, -0.1, 0.0), _hinge(place, 0.0, 0.1) + _noise(random)

    pairs: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
        "two curves that bend together": together,
        "exponential decay beside a random walk": lambda: (np.exp(-T / 5), _noise(random, 1.0)),
        "exponential decay beside quadratic growth": lambda: (
            np.exp(-T / 5),
            1.5 * (T / 30) ** 2 + _noise(random),
        ),
        "two random walks": lambda: (_noise(random, 1.0), _noise(random, 1.0)),
        "execution bent ten steps before the plans": lambda: (
            _hinge(8, -0.1, 0.0),
            _hinge(18, 0.0, 0.1) + _noise(random),
        ),
    }
    for what, make in pairs.items():
        called = 0
        for study in range(STUDIES):
            execution_T, plans_T = make()
            execution_T = execution_T + _noise(random)
            found = course_of(range(30), execution_T, plans_T, f"validation/{what}/{study}")
            called += found.two_phases is True
        planted = "before" in what
        yield Check(
            "Phases",
            "sensitivity" if planted else "null",
            f"{what}, called two phases in order",
            called / STUDIES,
            0.9 if planted else 0.0,
            1.0 if planted else 0.05,
            SMALL,
            BEFORE[what],
        )
