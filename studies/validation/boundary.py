"""What Boundary says of known chances."""

import itertools
from collections.abc import Iterator

import numpy as np
from checks import POLICY, Check, evidence, group

from rewardscope.judging.boundary import Standing, Tally
from rewardscope.judging.boundary.split import split_null
from rewardscope.probes.boundary import Boundary
from rewardscope.seeds import generator
from rewardscope.stats import curve_over_problems, pass_at_k, pass_at_ks

KS = [1, 2, 4, 8, 16, 32, 64, 128, 256]


def boundary() -> Iterator[Check]:
    """The band of the difference, pass@k against known chances, and a policy against itself."""
    random = generator("validation", "boundary")
    many = random.beta(0.4, 1.2, 400_000)
    truth_K = np.array(
        [np.mean((1 - (1 - np.clip(1.5 * many, 0, 1)) ** k) - (1 - (1 - many) ** k)) for k in KS]
    )
    studies, whole, points = 600, 0, 0.0
    for study in range(studies):
        base_P = random.beta(0.4, 1.2, 64)
        sides = [
            pass_at_ks(np.full(64, 256), random.binomial(256, p), KS)
            for p in (np.clip(1.5 * base_P, 0, 1), base_P)
        ]
        band = curve_over_problems(
            sides[0] - sides[1], address=f"validation/{study}", bounds=(-1.0, 1.0)
        )
        inside = [
            (at.lower or 0) <= true <= (at.upper or 0)
            for at, true in zip(band, truth_K, strict=True)
        ]
        whole, points = whole + all(inside), points + float(np.mean(inside))
    n = f"{studies} studies, 64 problems x 256 draws, 9 k"
    yield Check(
        "Boundary",
        "coverage",
        "the band of the difference holds the whole true curve",
        whole / studies,
        0.93,
        0.97,
        n,
    )
    yield Check(
        "Boundary", "coverage", "and each point of it alone", points / studies, 0.95, 1.0, n
    )
    chance = random.beta(0.5, 1.0, 200)
    draws = [
        group(i, [(None, bool(c), "7" if c else "6") for c in random.random(256) < p])
        for i, p in enumerate(chance)
    ]
    rows = {
        (r.metric, r.labels.get("k")): r
        for r in Boundary().measure(evidence(draws))
        if "problem" not in r.labels
    }
    worst = max(
        abs((rows["boundary/pass_at_k", str(k)].value or 0) - float((1 - (1 - chance) ** k).mean()))
        for k in KS
    )
    yield Check(
        "Boundary",
        "sensitivity",
        "largest error of pass@k over nine k against known chances",
        worst,
        0.0,
        0.02,
        "200 problems x 256",
    )
    yield enumeration()
    yield from two_draw_sets(random)
    yield few_problems_vary(random)
    same = {
        r.metric: r.value
        for r in Boundary().measure(evidence(draws, base_rollouts=tuple(draws), base_policy=POLICY))
    }
    apart = max(
        abs(same[f"boundary/{name}"] or 0)
        for name in ("difference", "discovery", "support_change", "crossing_share")
    )
    yield Check(
        "Boundary",
        "null",
        "a policy against itself: difference, discovery, change, crossing",
        apart,
        0.0,
        0.0,
        "200 problems",
    )


def two_draw_sets(random: np.random.Generator) -> Iterator[Check]:
    """Two sets of 256 draws of one policy: what the classes call lost, and what the null leaves."""
    studies, problems, draws = 300, 64, 256
    shrunk, called, expected, found = [], 0, [], []
    for _ in range(studies):
        chance_P = random.beta(0.3, 2.0, problems) * random.choice([0.02, 1.0], problems)
        one, other = (_drawn(random, chance_P, draws) for _ in range(2))
        counts, _ = Standing.of(one, other).classes()
        shrunk.append(counts["shrunk"].estimate.value if counts["shrunk"].estimate else 0.0)
        split = split_null(one, other)
        assert split is not None
        expected.append(split.itself["shrunk"])
        found.append(split.trained["shrunk"])
        called += (split.shrunk_more.lower or 0.0) > 0
    n = f"{studies} pairs of {problems} problems x {draws} draws"
    yield Check(
        "Boundary",
        "null",
        "shrunk problems of a policy against itself, against what the split-draw null expects (the "
        f"classes alone call {np.mean(shrunk):.1f} of {problems} lost)",
        float(np.mean(found) / np.mean(expected)),
        0.9,
        1.1,
        n,
    )
    yield Check(
        "Boundary",
        "null",
        "such pairs called shrunk beyond the null",
        called / studies,
        0.0,
        0.05,
        n,
    )


def _drawn(random: np.random.Generator, chance_P: np.ndarray, draws: int) -> Tally:
    right_PN = random.random((len(chance_P), draws)) < chance_P[:, None]
    right_P = right_PN.sum(axis=1)
    count_P = np.full(len(chance_P), draws)
    first_P = np.where(right_P > 0, right_PN.argmax(axis=1), draws)
    names = tuple(str(problem) for problem in range(len(chance_P)))
    return Tally(names, count_P, count_P, right_P, first_P)


def few_problems_vary(random: np.random.Generator) -> Check:
    """A band where two of 64 problems differ: no wider than the doubt and the spread allow."""
    value_PK = np.zeros((64, 3))
    value_PK[:2] = random.random((2, 3)) * 0.02
    band = curve_over_problems(value_PK, address="validation/few", bounds=(-1.0, 1.0))
    widest = max((at.upper or 0.0) - (at.lower or 0.0) for at in band)
    return Check(
        "Boundary",
        "sensitivity",
        "width of a band where two of 64 problems differ by 0.02",
        widest,
        0.0,
        0.15,
        "3 k",
        before=0.73,
    )


def enumeration() -> Check:
    """pass@k of both estimators against every subset of up to 10 draws."""
    worst, cases = 0.0, 0
    for correct, n in ((c, total) for total in range(1, 11) for c in range(total + 1)):
        drawn = [i < correct for i in range(n)]
        for k in range(1, n + 1):
            every = float(np.mean([any(chosen) for chosen in itertools.combinations(drawn, k)]))
            found = float(pass_at_ks(np.array([n]), np.array([correct]), [k])[0, 0])
            worst, cases = (
                max(worst, abs(found - every), abs(pass_at_k(n, correct, k) - every)),
                cases + 1,
            )
    return Check(
        "Boundary",
        "sensitivity",
        "largest error of pass@k against enumeration over subsets",
        worst,
        0.0,
        1e-9,
        f"{cases} n, c, k",
    )
