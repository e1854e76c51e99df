"""From claims and rows to verdicts; nothing here opens a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rewardscope.codec import decode, signature
from rewardscope.errors import RunDirectoryError
from rewardscope.judging.deciding import decide, error_of
from rewardscope.judging.unpaired import Unpaired
from rewardscope.registry import readable
from rewardscope.stats import (
    EQUIVALENCE_LEVEL,
    LEVEL,
    Contrast,
    Estimate,
    chance_of_improvement,
    holm,
    interquartile_mean,
    smallest_visible,
    stands_apart,
)
from rewardscope.types import Claim, Gap, Measurement, Outcome, Verdict

BASE = "base"
FOLLOWING = ("problem", "epsilon")
"""Labels that a claim need not name: the problem of a row, and what follows from k."""
MOST_SHOWN = 12
"""Labels of existing rows that are listed when no row has a claim's own."""
BOUNDS = {"share": (-1.0, 1.0), "share difference": (-2.0, 2.0)}
"""Bounds on the difference of two numbers of a unit; other units have none."""


@dataclass(frozen=True)
class Values:
    """One metric of one arm: a number per (seed, problem), or per seed where the metric has no
    problems.
    """

    by_seed: Mapping[int | None, Mapping[str, float]]
    """Seed -> problem -> value; a metric without problems has the single problem ''. The untrained
    policy has the seed None.
    """
    unit: str
    sources: tuple[str, ...]
    problems: frozenset[str]
    """Every problem that a row names, with or without a number."""
    most_problems: int
    """The largest number of problems, used or dropped, of any aggregate row."""
    these_problems: bool
    """Whether the number is of these problems alone: it is made from completions, and has no row of
    each problem.
    """


def read_claims(record: Mapping[str, Any]) -> list[Claim]:
    """The claims of a study.json.

    Raises:
        RunDirectoryError: If they differ from those that the study was run with.
    """
    written = record.get("claims_signature")
    if written is not None and signature(record["claims"]) != written:
        raise RunDirectoryError(
            "The claims in study.json differ from those that the study was run with",
            value=f"signature {signature(record['claims'])}, where {written} is recorded",
            allowed="claims as `rewardscope run` wrote them",
            do="Change claims in the study file and run it again: finished cells are kept, and "
            "the page says that the claims were changed after the start",
        )
    return [decode(claim) for claim in record["claims"]]


def judge(
    record: Mapping[str, Any], measurements: Sequence[Measurement], gaps: Sequence[Gap] = ()
) -> list[Verdict]:
    """A verdict per claim of the study, from its measurement rows alone.

    Args:
        record: The content of study.json.
        measurements: All rows of the study.
        gaps: What could not be measured: the reason for claims that need it.
    """
    base_of = {arm["name"]: arm["base"] for arm in record["arms"]}
    num_seeds = len(record["seeds"])
    verdicts = [
        _with_gaps(
            _judge_claim(claim, base_of, measurements, num_seeds),
            base_of,
            [gap for gap in gaps if claim.metric in gap.metrics],
            num_seeds,
        )
        for claim in read_claims(record)
    ]
    return together(verdicts)


def together(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts with their errors as one family, by Holm's rule (:func:`holm`)."""
    called = [verdict for verdict in verdicts if verdict.error is not None]
    errors = iter(holm([verdict.error for verdict in called if verdict.error is not None]))
    return [
        verdict if verdict.error is None else replace(verdict, error_of_all=next(errors))
        for verdict in verdicts
    ]


def _with_gaps(
    verdict: Verdict, base_of: Mapping[str, str], gaps: Sequence[Gap], num_seeds: int
) -> Verdict:
    """The verdict. If its metric could not be measured under every seed, the reason is added."""
    if verdict.outcome is not Outcome.NOT_RUN and verdict.num_seeds >= num_seeds:
        return verdict
    claim = verdict.claim
    sides = (claim.treatment, base_of[claim.treatment] if claim.control == BASE else claim.control)
    cells_of: dict[str, list[str]] = {}
    for gap in gaps:
        if gap.arm in sides:
            cells = gap.arm if gap.seed is None else f"{gap.arm}, seed {gap.seed}"
            reason = replace(gap, of=readable(gap.of)).reason
            cells_of.setdefault(reason, []).append(cells)
    reasons = [f"{reason} ({'; '.join(cells)})" for reason, cells in cells_of.items()]
    return replace(verdict, reason="; ".join([verdict.reason, *reasons])) if reasons else verdict


def values_of(arm: str, claim: Claim, measurements: Sequence[Measurement]) -> Values:
    """The rows that a claim reads for an arm: per-problem rows where the metric has them, at the
    last measured step.

    Raises:
        RunDirectoryError: If two rows give different numbers for the same thing.
    """
    about = [
        m for m in measurements if m.arm == arm and m.metric == claim.metric and _about(m, claim)
    ]
    last = max((m.step for m in about if m.value is not None), default=0)
    about = [m for m in about if m.step == last]
    rows = [m for m in about if m.value is not None]
    per_problem = [m for m in rows if "problem" in m.labels]
    by_seed: dict[int | None, dict[str, float]] = {}
    for m in per_problem or rows:
        values, problem = by_seed.setdefault(m.seed, {}), m.labels.get("problem", "")
        if values.setdefault(problem, float(m.value or 0.0)) != float(m.value or 0.0):
            raise _contradiction(m, values[problem])
    return Values(
        by_seed,
        unit=rows[0].unit if rows else "",
        sources=tuple(sorted({source for m in rows for source in m.sources})),
        problems=frozenset(m.labels["problem"] for m in about if "problem" in m.labels),
        most_problems=max(
            (m.n + m.dropped for m in about if "problem" not in m.labels and m.over == "problems"),
            default=0,
        ),
        these_problems=bool(rows) and not per_problem and rows[0].over != "weights",
    )


def _contradiction(row: Measurement, other: float) -> RunDirectoryError:
    seed = "" if row.seed is None else f", seed {row.seed}"
    return RunDirectoryError(
        f"Two rows of {row.metric} give different numbers for the same thing",
        value=f"{other!r} and {row.value!r} for arm {row.arm}{seed}, step {row.step}, labels "
        f"{dict(row.labels)}",
        allowed="one number per arm, seed, step, metric and labels; copies of a row may stand",
        do="Remove the rows that are wrong, or tell them apart by a label",
    )


def _about(row: Measurement, claim: Claim) -> bool:
    return _named(row) == dict(claim.labels)


def _named(row: Measurement) -> dict[str, str]:
    """The labels that a claim has to name."""
    return {name: value for name, value in row.labels.items() if name not in FOLLOWING}


def _labels_of_metric(claim: Claim, measurements: Sequence[Measurement]) -> str:
    """The labels of the treatment's rows of the metric, if none has the claim's; else empty."""
    labels_of_rows = [
        _named(row)
        for row in measurements
        if row.arm == claim.treatment and row.metric == claim.metric
    ]
    if not labels_of_rows or dict(claim.labels) in labels_of_rows:
        return ""
    texts = list(
        dict.fromkeys(
            ", ".join(f"{name} {value}" for name, value in sorted(labels.items())) or "no labels"
            for labels in labels_of_rows
        )
    )
    return (
        f"; its rows have "
        f"{'; '.join(texts[:MOST_SHOWN])}{' ...' if len(texts) > MOST_SHOWN else ''}"
    )


def _judge_claim(
    claim: Claim, base_of: Mapping[str, str], measurements: Sequence[Measurement], num_seeds: int
) -> Verdict:
    treatment = values_of(claim.treatment, claim, measurements)
    untrained = claim.control == BASE
    control = values_of(
        base_of[claim.treatment] if untrained else claim.control, claim, measurements
    )
    seeds = sorted(
        seed
        for seed in treatment.by_seed
        if seed is not None and (untrained or seed in control.by_seed)
    )
    pairs = [
        (treatment.by_seed[seed], control.by_seed.get(None if untrained else seed, {}))
        for seed in seeds
    ]
    problems = (
        sorted(set.intersection(*(set(mine) & set(theirs) for mine, theirs in pairs)))
        if pairs
        else []
    )
    if not problems:
        reason = (
            f"no row of {claim.metric} {dict(claim.labels) or ''} pairs {claim.treatment} with "
            f"{claim.control}"
        ).replace("  ", " ")
        reason += _labels_of_metric(claim, measurements)
        return _verdict(claim, Outcome.NOT_RUN, None, reason, unit=treatment.unit)
    treatment_SP = np.array([[mine[problem] for problem in problems] for mine, _ in pairs])
    control_SP = np.array([[theirs[problem] for problem in problems] for _, theirs in pairs])
    bounds = BOUNDS.get(treatment.unit)
    contrast = Contrast(
        treatment_SP - control_SP,
        f"{claim.sentence}/{claim.metric}",
        bounds,
        shows_none=claim.expects == "same",
    )
    estimate = contrast.estimate()
    known = max(
        len(treatment.problems | control.problems), treatment.most_problems, control.most_problems
    )
    unpaired = (
        Unpaired(len(problems), known, bounds)
        if problems != [""] and known > len(problems)
        else None
    )
    visible = (
        unpaired.smallest_visible(estimate, claim.margin)
        if unpaired
        else smallest_visible(estimate, claim.margin)
    )

    def at(level: float) -> Estimate:
        made = contrast.estimate(level)
        return (unpaired.widened(made) if unpaired else made).within(bounds)

    estimate = at(LEVEL)
    outcome, reason = decide(claim, estimate, at(EQUIVALENCE_LEVEL))
    if unpaired and unpaired.text not in reason:
        reason += f"; {unpaired.text}"
    if treatment.these_problems:
        reason += "; over seeds alone, for these problems and no others"
    if len(seeds) < num_seeds:
        reason += f"; {len(seeds)} of {num_seeds} seeds have rows"
    return _verdict(
        claim,
        outcome,
        estimate,
        reason,
        unit=treatment.unit,
        num_seeds=len(seeds),
        num_problems=len(problems) if problems != [""] else 0,
        means=(float(treatment_SP.mean()), float(control_SP.mean())),
        smallest=visible,
        evidence=tuple(sorted({*treatment.sources, *control.sources})),
        error=error_of(claim, at),
        **_over_seeds(seeds, treatment_SP.mean(axis=1), control_SP.mean(axis=1)),
    )


def _over_seeds(
    seeds: Sequence[int], treatment_S: np.ndarray, control_S: np.ndarray
) -> dict[str, Any]:
    """What a verdict says of single seeds, and what one of them cannot move."""
    contrast_S = treatment_S - control_S
    apart = stands_apart(contrast_S)
    return {
        "by_seed": {str(seed): float(value) for seed, value in zip(seeds, contrast_S, strict=True)},
        "apart": "" if apart is None else str(seeds[apart]),
        "median": float(np.median(contrast_S)),
        "middle_half": interquartile_mean(contrast_S),
        "improves": chance_of_improvement(treatment_S, control_S),
    }


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
    smallest: float | None = None,
    evidence: tuple[str, ...] = (),
    **more: Any,
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
        smallest_visible=smallest,
        evidence=evidence,
        reason=reason,
        **more,
    )
