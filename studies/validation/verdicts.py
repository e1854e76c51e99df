"""How often intervals hold the truth, and how often claims are called that are false."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from checks import Check
from scipy import stats as distributions

from rewardscope import Claim
from rewardscope.judging.claims import together
from rewardscope.judging.deciding import decide, error_of
from rewardscope.report.ranking import separated
from rewardscope.seeds import generator
from rewardscope.stats import (
    EQUIVALENCE_LEVEL,
    LEVEL,
    Contrast,
    Estimate,
    pass_at_ks,
    stands_apart,
)
from rewardscope.types import Outcome, Verdict

NAME = "Verdicts"
SHARES = (-1.0, 1.0)
CLAIM = Claim(
    sentence="A raises it more than B.",
    metric="boundary/pass_at_k",
    treatment="a",
    control="b",
    labels={"k": "1"},
)
LAYOUTS = {
    "seeds dominate": (0.059, 0.043, 0.05),
    "problems dominate": (0.07, 0.25, 0.15),
    "draws dominate": (0.02, 0.1, 0.3),
}
"""Standard deviations between seeds, between problems and of a cell; the first is the tour's, the
second a language model's.
"""


def verdicts() -> Iterator[Check]:
    """Intervals, equivalence, several claims, and single seeds."""
    yield from _coverage()
    yield _width()
    yield _equal_arms()
    yield from _lost_problems()
    yield _jump()
    yield _nothing_right()
    yield from _several_claims()
    yield _equal_places()
    yield _problems_left_out()
    yield _apart()


def _normal(random: np.random.Generator, layout: str, seeds: int, problems: int) -> np.ndarray:
    of_seeds, of_problems, of_cells = LAYOUTS[layout]
    return np.asarray(
        of_seeds * random.normal(size=(seeds, 1))
        + of_problems * random.normal(size=(1, problems))
        + of_cells * random.normal(size=(seeds, problems))
    )


def _held(estimate: Estimate, truth: float) -> bool:
    return (
        estimate.lower is not None
        and estimate.upper is not None
        and estimate.lower <= truth <= estimate.upper
    )


def _coverage() -> Iterator[Check]:
    studies = 400
    for layout in LAYOUTS:
        for seeds in (3, 5, 8):
            random = generator("validation", "coverage", layout, seeds)
            held = sum(
                _held(Contrast(_normal(random, layout, seeds, 40), f"{study}").estimate(), 0.0)
                for study in range(studies)
            )
            yield Check(
                NAME,
                "coverage",
                f"95 % intervals that hold the truth, {seeds} seeds, {layout}",
                held / studies,
                0.92,
                1.0,
                f"{studies} studies of 40 problems",
            )


def _width() -> Check:
    """Half width against that of known variances, where single draws are most of the noise."""
    studies, seeds, problems, layout = 200, 8, 64, "draws dominate"
    random = generator("validation", "width")
    parts = [part**2 for part in LAYOUTS[layout]]
    variance = parts[0] / seeds + parts[1] / problems + parts[2] / (seeds * problems)
    known = 2 * distributions.norm.ppf((1 + LEVEL) / 2) * np.sqrt(variance)
    widths = []
    for study in range(studies):
        made = Contrast(_normal(random, layout, seeds, problems), f"{study}").estimate()
        widths.append((made.upper or 0.0) - (made.lower or 0.0))
    return Check(
        NAME,
        "sensitivity",
        f"width against that of known variances, {seeds} seeds, {layout}",
        float(np.mean(widths) / known),
        1.0,
        1.2,
        f"{studies} studies of {problems} problems",
        before=1.51,
    )


def _equal_arms() -> Check:
    random = generator("validation", "verdicts")
    studies, supported = 400, 0
    for study in range(studies):
        problem_P = random.beta(0.5, 0.5, 64)
        noise = random.normal(0, 0.05, (2, 3, 1)) + random.normal(0, 0.05, (2, 3, 64))
        arm_ASP = random.binomial(64, np.clip(problem_P + noise, 0, 1)) / 64
        estimate = Contrast(arm_ASP[0] - arm_ASP[1], f"validation/{study}", SHARES).estimate()
        supported += decide(CLAIM, estimate)[0] is Outcome.SUPPORTED
    return Check(
        NAME,
        "null",
        "share of A/A comparisons called supported at margin 0",
        supported / studies,
        0.0,
        0.05,
        f"{studies} A/A comparisons, 3 seeds x 64 problems",
    )


def _lost_problems() -> Iterator[Check]:
    """A share of 1.25 margins of problems is lost outright; the rest has the noise of one draw."""
    studies, problems = 400, 64
    for margin in (0.01, 0.02, 0.05):
        random = generator("validation", "lost problems", margin)
        claim = replace(CLAIM, expects="same", margin=margin)
        false = 0
        for study in range(studies):
            lost_P = (random.random(problems) < 1.25 * margin).astype(float)
            flips_SP = random.random((3, problems)) < 0.016
            noise_SP = flips_SP * random.choice([-1, 1], (3, problems)) / 256
            difference_SP = -np.tile(lost_P, (3, 1)) + noise_SP
            contrast = Contrast(difference_SP, f"{study}", SHARES, shows_none=True)
            outcome, _ = decide(claim, contrast.estimate(), contrast.estimate(EQUIVALENCE_LEVEL))
            false += outcome is Outcome.SUPPORTED
        yield Check(
            NAME,
            "null",
            f"`same` at margin {margin} supported though {1.25 * margin:.4g} of problems are lost",
            false / studies,
            0.0,
            0.025,
            f"{studies} studies of 3 seeds x {problems} problems",
            before={0.01: 0.41, 0.02: 0.19}.get(margin),
        )


def _jump() -> Check:
    difference_SP = np.zeros((3, 64))
    equal = Contrast(difference_SP, "a", SHARES).estimate()
    difference_SP[0, 5] = -1 / 256
    nearly = Contrast(difference_SP, "a", SHARES).estimate()
    return Check(
        NAME,
        "null",
        "upper limit with one draw of 49,152 that differs, against all alike",
        (nearly.upper or 0.0) / (equal.upper or 1.0),
        0.9,
        1.1,
        "3 seeds x 64 problems x 256 draws",
        before=0.005,
    )


def _nothing_right() -> Check:
    draws = np.arange(1, 301)
    rates_PK = pass_at_ks(np.repeat(draws, 3), np.zeros(900, dtype=int), [1, 2, 4, 8, 16, 64])
    return Check(
        NAME,
        "null",
        "largest pass@k of problems without a right draw",
        float(np.nanmax(np.abs(rates_PK))),
        0.0,
        0.0,
        "1 to 300 draws, k to 64",
        before=6e-14,
    )


def _several_claims() -> Iterator[Check]:
    """Claims that lie exactly at their margins: each call is false."""
    studies = 200
    for claims in (7, 22):
        random = generator("validation", "several claims", claims)
        alone = jointly = 0
        for study in range(studies):
            found = together(
                [
                    _verdict(Contrast(_normal(random, "seeds dominate", 5, 24), f"{study}/{claim}"))
                    for claim in range(claims)
                ]
            )
            alone += any((verdict.error or 1) <= 0.05 for verdict in found)
            jointly += any((verdict.error_of_all or 1) <= 0.05 for verdict in found)
        yield Check(
            NAME,
            "null",
            f"studies of {claims} claims at their margins with a false call that Holm lets stand",
            jointly / studies,
            0.0,
            0.1,
            f"{studies} studies of 5 seeds x 24 problems",
            before=alone / studies,
        )


def _equal_places() -> Check:
    """Twenty-two equal arms in one ranking."""
    studies, arms, false, overlap = 200, 22, 0, 0
    random = generator("validation", "ranking")
    for study in range(studies):
        found = [
            _verdict(Contrast(_normal(random, "seeds dominate", 5, 24), f"{study}/{arm}"))
            for arm in range(arms)
        ]
        ordered = sorted(found, key=lambda verdict: -(verdict.estimate or 0.0))
        false += bool(separated(ordered))
        lowest = min(verdict.upper or 0.0 for verdict in found)
        overlap += max(verdict.lower or 0.0 for verdict in found) > lowest
    return Check(
        NAME,
        "null",
        f"rankings of {arms} equal arms that tell any two apart",
        false / studies,
        0.0,
        0.1,
        f"{studies} rankings of 5 seeds x 24 problems",
        before=overlap / studies,
    )


def _verdict(contrast: Contrast) -> Verdict:
    estimate = contrast.estimate()
    outcome, reason = decide(CLAIM, estimate)
    return Verdict(
        claim=CLAIM,
        outcome=outcome,
        estimate=estimate.value,
        lower=estimate.lower,
        upper=estimate.upper,
        unit="share",
        interval=estimate.interval,
        num_seeds=5,
        num_problems=24,
        treatment_mean=None,
        control_mean=None,
        smallest_visible=None,
        evidence=(),
        reason=reason,
        error=error_of(CLAIM, contrast.estimate),
    )


def _problems_left_out() -> Check:
    """A metric with a row per problem, and the same with a number per seed alone."""
    studies, seeds, layout = 400, 8, "problems dominate"
    random = generator("validation", "problem rows")
    rows = alone = 0
    for study in range(studies):
        difference_SP = _normal(random, layout, seeds, 40)
        rows += _held(Contrast(difference_SP, f"{study}").estimate(), 0.0)
        mean_S1 = difference_SP.mean(axis=1, keepdims=True)
        alone += _held(Contrast(mean_S1, f"{study}").estimate(), 0.0)
    return Check(
        NAME,
        "coverage",
        f"intervals that hold the truth, {seeds} seeds with a row per problem",
        rows / studies,
        0.92,
        1.0,
        f"{studies} studies of 40 problems, {layout}",
        before=alone / studies,
    )


def _apart() -> Check:
    """One of five seeds falls by 0.4."""
    studies = 400
    random = generator("validation", "apart")
    named = 0
    for _ in range(studies):
        seed_S = random.normal(0, 0.059, 5)
        seed_S[2] -= 0.4
        named += stands_apart(seed_S) == 2
    return Check(
        NAME,
        "sensitivity",
        f"collapsed seeds that are named (equal seeds: {_named_falsely(random, studies):.3f})",
        named / studies,
        0.4,
        1.0,
        f"{studies} studies of 5 seeds, one falls by 0.4",
    )


def _named_falsely(random: np.random.Generator, studies: int) -> float:
    named = [stands_apart(random.normal(0, 0.059, 5)) is not None for _ in range(studies)]
    return sum(named) / studies
