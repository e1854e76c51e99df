"""What Boundary says of known chances."""

import itertools
from collections.abc import Iterator

import numpy as np
from checks import POLICY, Check, evidence, group

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
    studies, whole, points = 1500, 0, 0.0
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
