"""The short written answer: one sentence per verdict, each with the numbers and the row it was made
from.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rewardscope.report.wording import (
    LEVEL_TEXT,
    OUTCOME_TEXT,
    UNKNOWN,
    metric_text,
    number,
    signed,
    span,
)
from rewardscope.stats import LEVEL
from rewardscope.types import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the answer with its evidence."""

    outcome: Outcome
    text: str
    """What the run says about the claim."""
    evidence: str
    """The numbers that support it."""
    anchor: str
    """Id of its row in the verdict table."""


def anchor(index: int) -> str:
    """Id of the table row of the verdict at ``index``, counted from 0."""
    return f"verdict-{index + 1}"


def write_answer(verdicts: Sequence[Verdict], placebos: Mapping[str, bool]) -> list[Sentence]:
    """A sentence per verdict, in the order in which the claims were written down.

    Args:
        verdicts: The verdicts on the claims.
        placebos: Whether an arm is a placebo, by arm name; the sentence says so.
    """
    return [
        Sentence(verdict.outcome, _statement(verdict), _evidence(verdict, placebos), anchor(index))
        for index, verdict in enumerate(verdicts)
    ]


def tally(verdicts: Sequence[Verdict], changed: bool | None = False, looks: int = 1) -> str:
    """How the claims came out, in one sentence. Every outcome is named, also those that no claim
    had.

    Args:
        verdicts: The verdicts on the claims.
        changed: Whether the claims were changed after the run had begun; then the sentence does
            not say that they were fixed before it.
        looks: How often the verdicts were looked at while the evidence grew.
    """
    counts = Counter(verdict.outcome for verdict in verdicts)
    parts = ", ".join(f"{counts[outcome]} {OUTCOME_TEXT[outcome]}" for outcome in Outcome)
    claims = "claim" if len(verdicts) == 1 else "claims"
    if changed:
        return f"{len(verdicts)} {claims}, changed after the run had begun: {parts}."
    were = "was" if len(verdicts) == 1 else "were"
    when = "the run" if looks < 2 else f"the first of {looks} looks"
    return f"{len(verdicts)} {claims} {were} fixed before {when}: {parts}."


def _statement(verdict: Verdict) -> str:
    sentence = verdict.claim.sentence.strip()
    match verdict.outcome:
        case Outcome.SUPPORTED:
            return sentence if sentence.endswith((".", "!", "?")) else sentence + "."
        case Outcome.REFUTED:
            return f"{_refutation(verdict)}: “{sentence.rstrip('.')}” is refuted."
        case Outcome.UNDECIDED:
            return f"The measurements do not decide the claim “{sentence.rstrip('.')}”."
        case Outcome.NOT_RUN:
            return f"Nothing was measured for the claim “{sentence.rstrip('.')}”."


def _refutation(verdict: Verdict) -> str:
    """What the interval of a refuted claim says: the other sign, or less than the claim needs."""
    claim, margin = verdict.claim, f"{verdict.claim.margin:g}{unit_phrase(verdict.unit)}"
    if verdict.lower is None or verdict.upper is None:
        return "The measurements contradict the claim"
    if claim.expects == "same":
        return f"The two differ by more than {margin}"
    lower, upper = verdict.lower, verdict.upper
    if claim.expects == "less":
        lower, upper = -upper, -lower
    if upper < 0 or not claim.margin:
        return "The difference has the other sign"
    if lower > 0:
        return f"There is a difference, smaller than the {margin} that the claim needs"
    return f"No difference as large as the {margin} that the claim needs"


def error_phrase(verdict: Verdict) -> str:
    """The error at which the claim was called, alone and together with the study's other claims;
    empty where it was not called.
    """
    if verdict.error is None or verdict.error > 1 - LEVEL:
        return ""
    text = f"error {error_text(verdict.error)}"
    if verdict.error_of_all is None:
        return text
    text += f", {error_text(verdict.error_of_all)} by Holm's rule over all claims"
    holds = verdict.error_of_all <= 1 - LEVEL
    return text if holds else f"{text}: it does not hold together with them"


def error_text(error: float) -> str:
    """A p-value in two digits."""
    return "below 0.0001" if error < 1e-4 else f"{error:.2g}"


def seeds_phrase(verdict: Verdict) -> str:
    """The contrast under every seed, the one that stands apart, and what it does not move; empty
    for fewer than two seeds.
    """
    if len(verdict.by_seed) < 2:
        return ""
    values = ", ".join(signed(value) for value in verdict.by_seed.values())
    text = f"by seed {values}; median {signed(verdict.median)}"
    if verdict.improves is not None:
        text += f"; {verdict.improves:.0%} of pairs of seeds improve"
    if verdict.apart:
        apart = signed(verdict.by_seed[verdict.apart])
        text += (
            f"; seed {verdict.apart} stands apart with {apart}, and the interval is not made for "
            f"that"
        )
    return text


def _evidence(verdict: Verdict, placebos: Mapping[str, bool]) -> str:
    if verdict.outcome is Outcome.NOT_RUN and verdict.estimate is None:
        return f"Reason: {verdict.reason.rstrip('.') or UNKNOWN}."
    claim = verdict.claim
    parts = [
        f"{metric_text(claim)}: {number(verdict.treatment_mean)} "
        f"{arm_phrase(claim.treatment, placebos)}, "
        f"{number(verdict.control_mean)} {arm_phrase(claim.control, placebos)}",
        f"difference {signed(verdict.estimate)}{unit_phrase(verdict.unit)} "
        f"({interval_phrase(verdict)})",
        counts_phrase(verdict),
    ]
    text = "; ".join(parts) + "."
    if verdict.outcome is Outcome.UNDECIDED:
        text += f" {visible_phrase(verdict)}"
    return text


def arm_phrase(name: str, placebos: Mapping[str, bool]) -> str:
    """Where a mean was measured: in which arm, or before training."""
    if name == "base":
        return "before training"
    return f"in {name} (placebo)" if placebos.get(name, False) else f"in {name}"


def unit_phrase(unit: str) -> str:
    """The unit after a number; empty for shares and ratios."""
    return "" if unit in ("", "share", "share difference", "ratio", "probability") else f" {unit}"


def interval_phrase(verdict: Verdict) -> str:
    """The interval, or why there is none."""
    if verdict.lower is None or verdict.upper is None:
        return (
            f"no "
            f"interval{': ' + verdict.interval.removeprefix('none: ') if verdict.interval else ''}"
        )
    return f"{LEVEL_TEXT} interval {span(verdict.lower, verdict.upper)}"


def counts_phrase(verdict: Verdict) -> str:
    """How many seeds and problems the estimate is based on.

    A metric that has no problems, such as a norm of weights, is counted in seeds alone.
    """
    seeds = f"{verdict.num_seeds} seed{'' if verdict.num_seeds == 1 else 's'}"
    return (
        seeds
        if verdict.num_problems == 0
        else f"{seeds} × {verdict.num_problems} problem{'' if verdict.num_problems == 1 else 's'}"
    )


def visible_phrase(verdict: Verdict) -> str:
    """The smallest effect that this study could have detected."""
    if verdict.smallest_visible is None:
        return "Without an interval, the smallest detectable effect is unknown."
    smallest = f"{number(verdict.smallest_visible)}{unit_phrase(verdict.unit)}"
    return (
        f"The smallest true difference that this study would detect with 80 % power is {smallest}."
    )
