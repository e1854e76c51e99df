"""Odd runs for the written answer, made of few rows: each says what it is in its name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from rewardscope.judging.claims import decide
from rewardscope.report.rows import MEASUREMENT_COLUMNS, PROBLEM_COLUMNS, Arm, Run
from rewardscope.stats import Estimate, smallest_visible
from rewardscope.types import Claim, Outcome, Verdict

Rows = list[dict[str, Any]]
Interval = tuple[float, float, float]
"""Estimate, lower and upper end."""
LONG = "an-arm-whose-name-goes-on-and-on-until-nobody-can-read-it-in-one-breath-" * 2


def arm(name: str, start: str = "one", seeds: int = 3, reward: str = "Truth", **config: Any) -> Arm:
    placebo = reward in ("Coin", "Form")
    given: Mapping[str, Any] = {"is": "Arm", "name": name, "reward": {"is": reward}, **config}
    cells = {seed: f"{name}--s{seed}" for seed in range(seeds)}
    return Arm(name, start, placebo, f"base:{start}", f"base-{start}", cells, {}, given)


def rows(
    of: Arm, metric: str, values: Sequence[float], spread: float | None = None, **labels: str
) -> Rows:
    """The arm's rows of a metric, one for each value; untrained policies have ``base_rows``."""
    return [
        {
            "arm": of.name,
            "seed": seed,
            "step": 30,
            "metric": metric,
            "unit": "share",
            "value": value,
            "lower": None if spread is None else value - spread,
            "upper": None if spread is None else value + spread,
            **labels,
        }
        for seed, value in enumerate(values)
    ]


def base_rows(start: str, metric: str, value: float, **labels: str) -> Rows:
    row = {"arm": f"base:{start}", "seed": None, "step": 0, "metric": metric, "unit": "share"}
    return [{**row, "value": value, **labels}]


def first_try(of: Arm, *values: float) -> Rows:
    return rows(of, "boundary/pass_at_k", values, k="1")


def verdict(
    claim: Claim, interval: Interval | None, means: tuple[float, float], **more: Any
) -> Verdict:
    """The verdict that the judge's own rule gives for the interval."""
    given: dict[str, Any] = {"unit": "share", "num_seeds": 3, "num_problems": 64, **more}
    if interval is None:
        outcome = given.pop("outcome", Outcome.NOT_RUN)
        estimate, reason = given.pop("estimate", None), given.pop("reason", "cells failed")
        return _verdict(
            claim,
            outcome,
            Estimate(estimate or 0.0, None, None, "none: one seed"),
            means,
            reason,
            estimate,
            given,
        )
    found = Estimate(*interval, "bootstrap")
    outcome, reason = decide(claim, found)
    return _verdict(claim, outcome, found, means, reason, found.value, given)


def _verdict(
    claim: Claim,
    outcome: Outcome,
    found: Estimate,
    means: tuple[float, float],
    reason: str,
    estimate: float | None,
    given: Mapping[str, Any],
) -> Verdict:
    return Verdict(
        claim=claim,
        outcome=outcome,
        estimate=estimate,
        lower=found.lower,
        upper=found.upper,
        interval=found.interval,
        treatment_mean=means[0] if estimate is not None else None,
        control_mean=means[1] if estimate is not None else None,
        smallest_visible=smallest_visible(found, claim.margin),
        evidence=(),
        reason=reason,
        **given,
    )


def against(treatment: str, control: str, margin: float = 0.05, **more: Any) -> Claim:
    given: dict[str, Any] = {
        "sentence": f"The reward of {treatment[:30]} raises pass@1 beyond {control[:30]}.",
        "metric": "boundary/pass_at_k",
        "labels": {"k": "1"},
        **more,
    }
    return Claim(treatment=treatment, control=control, margin=margin, **given)


def run(arms: Sequence[Arm], measured: Rows, verdicts: Sequence[Verdict] = (), **study: Any) -> Run:
    seeds = sorted({seed for one in arms for seed in one.cells})
    record = {
        "name": "odd",
        "question": "Does it hold?",
        "seeds": seeds,
        "steps": 30,
        "evaluation": {"is": "Evaluation", "problems": 64},
        **study,
    }
    frame = pl.DataFrame(measured, infer_schema_length=None)
    empty = pl.DataFrame(schema=MEASUREMENT_COLUMNS)
    return Run(
        root=Path("runs/odd"),
        study=record,
        arms=tuple(arms),
        cells=(),
        verdicts=tuple(verdicts),
        steps=pl.DataFrame(schema={"arm": pl.String, "seed": pl.Int64, "step": pl.Int64}),
        measurements=pl.concat([empty, frame], how="diagonal_relaxed"),
        problem_pass=pl.DataFrame(schema=PROBLEM_COLUMNS),
        missing=(),
    )


def no_claims() -> Run:
    truth, coin = arm("truth"), arm("coin", reward="Coin")
    base = base_rows("one", "boundary/pass_at_k", 0.4, k="1")
    return run([truth, coin], [*base, *first_try(truth, 0.7, 0.72, 0.68), *first_try(coin, 0.4)])


def all_refuted() -> Run:
    arms = [arm(f"{r.lower()}-{s}", s, reward=r) for s in ("one", "two") for r in ("Truth", "Coin")]
    verdicts = [
        verdict(against("truth-one", "coin-one"), (0.01, -0.02, 0.04), (0.41, 0.4)),
        verdict(against("truth-two", "coin-two"), (-0.05, -0.08, -0.02), (0.35, 0.4)),
    ]
    return run(arms, [row for one in arms for row in first_try(one, 0.4, 0.41, 0.39)], verdicts)


def mixed() -> Run:
    arms = [arm(f"{r.lower()}-{s}", s, reward=r) for s in ("one", "two") for r in ("Truth", "Coin")]
    verdicts = [
        verdict(against("truth-one", "coin-one"), (0.3, 0.2, 0.4), (0.7, 0.4)),
        verdict(against("truth-two", "coin-two"), (0.01, -0.02, 0.04), (0.41, 0.4)),
    ]
    return run(arms, [row for one in arms for row in first_try(one, 0.4, 0.41, 0.39)], verdicts)


def one_seed() -> Run:
    truth, coin = arm("truth", seeds=1), arm("coin", seeds=1, reward="Coin")
    bare = verdict(
        against("truth", "coin"),
        None,
        (0.7, 0.4),
        outcome=Outcome.UNDECIDED,
        estimate=0.3,
        num_seeds=1,
        reason="none: one seed",
    )
    shrunk = [
        *rows(truth, "diversity/distinct_answers", [2.0], k="16"),
        *base_rows("one", "diversity/distinct_answers", 4.0, k="16"),
    ]
    return run([truth, coin], [*first_try(truth, 0.7), *first_try(coin, 0.4), *shrunk], [bare])


def failed_cells() -> Run:
    truth, coin = arm("truth"), arm("coin", reward="Coin")
    lost = verdict(
        against("truth", "coin"),
        None,
        (0, 0),
        num_seeds=0,
        num_problems=0,
        reason="cell coin--s2 failed: out of memory",
    )
    return run([truth, coin], first_try(truth, 0.7, 0.72, 0.68), [lost])


def many_arms() -> Run:
    """44 arms: 40 treatments and 4 placebos on four starts."""
    arms, verdicts, measured = [], [], []
    for s in range(4):
        start = f"start-{s}"
        coin = arm(f"coin-{s}", start, reward="Coin")
        arms.append(coin)
        measured += [*first_try(coin, 0.4, 0.41, 0.39)]
        for t in range(10):
            one = arm(f"method-{t}-{s}", start, seeds=3)
            gain = 0.03 * t - 0.02
            arms.append(one)
            measured += first_try(one, 0.4 + gain, 0.41 + gain, 0.39 + gain)
            interval = (gain, gain - 0.04, gain + 0.04)
            verdicts.append(verdict(against(one.name, coin.name), interval, (0.4 + gain, 0.4)))
    return run(arms, measured, verdicts)


def multi_turn() -> Run:
    """A conversation: no formats, no pass@k beyond 1, a metric of its own."""
    guided, alone = arm("guided"), arm("alone", reward="Coin")
    claim = against(
        "guided",
        "alone",
        metric="experience/with_block",
        labels={},
        sentence="What is recalled helps.",
    )
    measured = [
        *rows(guided, "experience/with_block", [0.6, 0.62, 0.61]),
        *rows(alone, "experience/with_block", [0.5, 0.52, 0.51]),
    ]
    return run([guided, alone], measured, [verdict(claim, (0.1, 0.06, 0.14), (0.61, 0.51))])


def long_texts() -> Run:
    """Sentences of others, long and hostile."""
    truth, coin = arm("truth"), arm("coin", reward="Coin")
    sentence = "<script>alert(1)</script> \u202egnp.exe " + "It goes on and on. " * 30
    found = verdict(against("truth", "coin", sentence=sentence), (0.2, 0.01, 0.4), (0.6, 0.4))
    return run([truth, coin], first_try(truth, 0.6, 0.5, 0.7), [found])


def long_names() -> Run:
    truth, coin = arm(LONG + "a", start=LONG), arm(LONG + "b", start=LONG, reward="Coin")
    found = verdict(against(truth.name, coin.name), (0.2, 0.1, 0.3), (0.6, 0.4))
    return run([truth, coin], first_try(truth, 0.6, 0.5, 0.7), [found])


def foreign_evidence() -> Run:
    """Draws that were brought from outside: no weights, no configuration, no seeds of ours."""
    ours, theirs = arm("theirs", seeds=1), arm("control", seeds=1, reward="Coin")
    bare = [Arm(a.name, a.start, a.placebo, a.base, "", a.cells, {}, {}) for a in (ours, theirs)]
    measured = [*base_rows("one", "boundary/pass_at_k", 0.31, k="1"), *first_try(ours, 0.44)]
    return run(bare, measured, evaluation=None, seeds=None)


def one_arm() -> Run:
    truth = arm("truth")
    claim = against("truth", "base", sentence="Training raises pass@1.")
    base = base_rows("one", "boundary/pass_at_k", 0.4, k="1")
    found = verdict(claim, (0.3, 0.2, 0.4), (0.7, 0.4))
    return run([truth], [*base, *first_try(truth, 0.7, 0.72, 0.68)], [found])


RUNS: Mapping[str, Callable[[], Run]] = {
    made.__name__: made
    for made in (
        no_claims,
        all_refuted,
        mixed,
        one_seed,
        failed_cells,
        many_arms,
        multi_turn,
        long_texts,
        long_names,
        foreign_evidence,
        one_arm,
    )
}
