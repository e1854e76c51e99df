"""From claims and rows to verdicts; nothing here opens a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rewardscope.codec import decode
from rewardscope.stats import Estimate, paired_contrast, smallest_visible
from rewardscope.types import Claim, Measurement, Outcome, Verdict

BASE = "base"
FOLLOWING = ("problem", "epsilon")
"""Labels that a claim need not name: whose row it is, and what follows from k."""


@dataclass(frozen=True)
class Values:
    """One metric of one arm: a number per (seed, problem), or per seed where the metric has no problems."""

    by_seed: Mapping[int | None, Mapping[str, float]]
    """Seed -> problem -> value; a metric without problems has the single problem ''. The untrained policy has the seed None."""
    unit: str
    sources: tuple[str, ...]


def read_claims(record: Mapping[str, Any]) -> list[Claim]:
    """The claims of a study.json."""
    return [decode(claim, {"Claim": Claim}) for claim in record["claims"]]


def judge(record: Mapping[str, Any], measurements: Sequence[Measurement]) -> list[Verdict]:
    """A verdict per claim of the study, from its measurement rows alone.

    Args:
        record: The content of study.json.
        measurements: All rows of the study.
    """
    base_of = {arm["name"]: arm["base"] for arm in record["arms"]}
    num_seeds = len(record["seeds"])
    return [_judge_claim(claim, base_of, measurements, num_seeds) for claim in read_claims(record)]


def values_of(arm: str, claim: Claim, measurements: Sequence[Measurement]) -> Values:
    """The rows that a claim reads for an arm: per-problem rows where the metric has them, at the last step there is."""
    rows = [m for m in measurements if m.arm == arm and m.metric == claim.metric and m.value is not None and _about(m, claim)]
    last = max((m.step for m in rows), default=0)
    rows = [m for m in rows if m.step == last]
    per_problem = [m for m in rows if "problem" in m.labels]
    by_seed: dict[int | None, dict[str, float]] = {}
    for m in per_problem or rows:
        by_seed.setdefault(m.seed, {})[m.labels.get("problem", "")] = float(m.value or 0.0)
    return Values(by_seed, rows[0].unit if rows else "", tuple(sorted({source for m in rows for source in m.sources})))


def _about(row: Measurement, claim: Claim) -> bool:
    labels = {name: value for name, value in row.labels.items() if name not in FOLLOWING}
    return labels == dict(claim.labels)


def _judge_claim(claim: Claim, base_of: Mapping[str, str], measurements: Sequence[Measurement], num_seeds: int) -> Verdict:
    treatment = values_of(claim.treatment, claim, measurements)
    untrained = claim.control == BASE
    control = values_of(base_of[claim.treatment] if untrained else claim.control, claim, measurements)
    seeds = sorted(seed for seed in treatment.by_seed if seed is not None and (untrained or seed in control.by_seed))
    pairs = [(treatment.by_seed[seed], control.by_seed.get(None if untrained else seed, {})) for seed in seeds]
    problems = sorted(set.intersection(*(set(mine) & set(theirs) for mine, theirs in pairs))) if pairs else []
    if not problems:
        reason = f"no row of {claim.metric} {dict(claim.labels) or ''} pairs {claim.treatment} with {claim.control}".replace("  ", " ")
        return _verdict(claim, Outcome.NOT_RUN, None, reason, unit=treatment.unit)
    treatment_SP = np.array([[mine[problem] for problem in problems] for mine, _ in pairs])
    control_SP = np.array([[theirs[problem] for problem in problems] for _, theirs in pairs])
    bounds = {"share": (-1.0, 1.0), "share difference": (-2.0, 2.0)}.get(treatment.unit)
    estimate = paired_contrast(treatment_SP - control_SP, address=f"{claim.sentence}/{claim.metric}", bounds=bounds)
    outcome, reason = decide(claim, estimate)
    if len(seeds) < num_seeds:
        reason += f"; {len(seeds)} of {num_seeds} seeds are there"
    return _verdict(
        claim,
        outcome,
        estimate,
        reason,
        unit=treatment.unit,
        num_seeds=len(seeds),
        num_problems=len(problems) if problems != [""] else 0,
        means=(float(treatment_SP.mean()), float(control_SP.mean())),
        evidence=tuple(sorted({*treatment.sources, *control.sources})),
    )


def _verdict(
    claim: Claim,
    outcome: Outcome,
    estimate: Estimate | None,
    reason: str,
    *,
    unit: str,
    num_seeds: int = 0,
    num_problems: int = 0,
    means: tuple[float | None, float | None] = (None, None),
    evidence: tuple[str, ...] = (),
) -> Verdict:
    return Verdict(
        claim=claim,
        outcome=outcome,
        estimate=estimate.value if estimate else None,
        lower=estimate.lower if estimate else None,
        upper=estimate.upper if estimate else None,
        unit=unit,
        interval=estimate.interval if estimate else "",
        num_seeds=num_seeds,
        num_problems=num_problems,
        treatment_mean=means[0],
        control_mean=means[1],
        smallest_visible=smallest_visible(estimate, claim.margin) if estimate else None,
        evidence=evidence,
        reason=reason,
    )


def decide(claim: Claim, estimate: Estimate) -> tuple[Outcome, str]:
    """The outcome that the interval gives the claim, and why in words."""
    if estimate.lower is None or estimate.upper is None:
        return Outcome.UNDECIDED, estimate.interval
    lower, upper, margin = estimate.lower, estimate.upper, claim.margin
    if claim.expects == "less":
        lower, upper = -upper, -lower
    if claim.expects == "same":
        if -margin < lower and upper < margin:
            return Outcome.SUPPORTED, f"the whole interval lies within {margin:g} of 0"
        if lower >= margin or upper <= -margin:
            return Outcome.REFUTED, f"the whole interval lies {margin:g} or more from 0"
        return Outcome.UNDECIDED, f"the interval reaches past {margin:g} from 0"
    bound = f"-{margin:g}" if claim.expects == "less" and margin else f"{margin:g}"
    sides = ("below", "above") if claim.expects == "less" else ("above", "below")
    if lower > margin:
        return Outcome.SUPPORTED, f"the whole interval lies {sides[0]} {bound}"
    if upper < margin:
        return Outcome.REFUTED, f"the whole interval lies {sides[1]} {bound}"
    return Outcome.UNDECIDED, f"the interval holds {bound}"
