"""The headline: whether the reward did it, from the verdicts on treatment against placebo."""

from collections.abc import Sequence

from rewardscope.report.answer.contrasts import (
    Contrast,
    main_contrasts,
    metric_name,
    reward_name,
)
from rewardscope.report.answer.notes import Name, Piece, Said, claim_cite, said
from rewardscope.report.rows import Arm
from rewardscope.report.wording import number
from rewardscope.types import Outcome, Verdict

MOST_NAMED = 4
"""Comparisons that the headline names one by one; above it, it counts."""


def headline(verdicts: Sequence[Verdict], arms: Sequence[Arm]) -> Said:
    """The answer in one or two sentences, from the verdicts and the arms alone.

    All supported: yes. All refuted: no. Some of each: it depends. Otherwise: it cannot be said.
    Without a claim about a placebo there is nothing to say beyond that.
    """
    contrasts = main_contrasts(verdicts, arms)
    if not contrasts:
        return _untested(verdicts, arms)
    of = {outcome: [c for c in contrasts if c.verdict.outcome is outcome] for outcome in Outcome}
    yes, no = of[Outcome.SUPPORTED], of[Outcome.REFUTED]
    if len(yes) == len(contrasts):
        opening = "Yes, the reward did it. "
    elif len(no) == len(contrasts):
        opening = "No, the reward did not do it. "
    elif yes and no:
        opening = f"It depends on {_depends(yes, no)}. "
    elif yes or no:
        opening = "Yes in part; the rest is not decided. " if yes else "No in part; the rest is "
        opening += "" if yes else "not decided. "
    else:
        opening = "This run cannot say whether the reward did it. "
    parts: list[Piece] = [opening]
    for outcome, group in of.items():
        if group:
            parts += [*_sentence(outcome, group, arms), " "]
    return said(*parts[:-1])


def _depends(yes: Sequence[Contrast], no: Sequence[Contrast]) -> str:
    starts = {c.start for c in yes} & {c.start for c in no}
    return "the arm" if starts else "the start"


def _untested(verdicts: Sequence[Verdict], arms: Sequence[Arm]) -> Said:
    if not verdicts:
        return said("No claim was fixed before this run: it describes, and tests nothing.")
    if not any(arm.placebo for arm in arms):
        return said(
            "This run cannot say whether the reward did it: no arm is a placebo, so a change may "
            "come from training itself."
        )
    return said(
        "This run cannot say whether the reward did it: no claim compares an arm with its placebo."
    )


def _sentence(outcome: Outcome, group: Sequence[Contrast], arms: Sequence[Arm]) -> list[Piece]:
    metric = metric_name(group[0].verdict.claim)
    first = metric[0].upper() + metric[1:]
    placebo = reward_name([c.verdict.claim.control for c in group], arms) or "the placebo"
    if len(group) > MOST_NAMED:
        return _counted(outcome, group, first, placebo)
    pieces: list[Piece] = []
    last = ", nor" if outcome is Outcome.REFUTED else ", and"
    for place, contrast in enumerate(group):
        join = "" if place == 0 else last if place == len(group) - 1 else ","
        size = _size(outcome, contrast, group[0] if place else None)
        opening = f"{first} {size.format(placebo=placebo)}" if place == 0 else f"{join}{size}"
        pieces += [opening, *_where(contrast, group, arms)]
        pieces.append(claim_cite(contrast.index, contrast.verdict))
    return [*pieces, "."]


def _size(outcome: Outcome, contrast: Contrast, opener: Contrast | None) -> str:
    """What a contrast shows. The first of a sentence names the placebo; the others, which follow
    an ``opener``, say only what differs.
    """
    verdict, claim = contrast.verdict, contrast.verdict.claim
    if verdict.estimate is None:
        return "was not measured" if opener is None else ""
    match outcome:
        case Outcome.SUPPORTED:
            way = "higher" if verdict.estimate > 0 else "lower"
            size = f"{_short(abs(verdict.estimate))} {way}"
            return f"is {size} than under {{placebo}}" if opener is None else f" {size}"
        case Outcome.REFUTED:
            side = "above" if claim.expects == "greater" else "below"
            more = f"more than {claim.margin:g} " if claim.margin else ""
            if opener is None:
                return f"is not {more}{side} that under {{placebo}}"
            return "" if opener.verdict.claim.margin == claim.margin else f" {more}{side} it"
        case _:
            interval = _interval(verdict)
            return (
                f"differs from that under {{placebo}} by {interval}"
                if opener is None
                else (f" by {interval}")
            )


def _short(size: float) -> str:
    """Two decimals from 0.1 on, otherwise as everywhere."""
    return f"{size:.2f}" if 0.1 <= size < 10 else number(size)


def _interval(verdict: Verdict) -> str:
    if verdict.lower is None or verdict.upper is None:
        return f"{_signed(verdict.estimate)}, without an interval"
    return f"{_signed(verdict.lower)} to {_signed(verdict.upper)}"


def _signed(value: float | None) -> str:
    text = number(None if value is None else round(value, 2))
    short = text[:-1] if text[-1:] == "0" and "." in text else text
    return f"+{short}" if value is not None and value > 0 else short


def _where(contrast: Contrast, group: Sequence[Contrast], arms: Sequence[Arm]) -> list[Piece]:
    """The start, where the study has several; the arm, where a start has several treatments."""
    pieces: list[Piece] = []
    if sum(other.start == contrast.start for other in group) > 1 or _rivals(contrast, arms):
        pieces += [" in ", Name(contrast.verdict.claim.treatment)]
    elif len({arm.start for arm in arms}) > 1:
        pieces += [" in ", Name(contrast.start)]
    return pieces


def _rivals(contrast: Contrast, arms: Sequence[Arm]) -> bool:
    treatments = [arm for arm in arms if arm.start == contrast.start and not arm.placebo]
    return len(treatments) > 1


def _counted(outcome: Outcome, group: Sequence[Contrast], first: str, placebo: str) -> list[Piece]:
    """Many comparisons of one outcome: how many, and the largest and smallest."""
    words = {
        Outcome.SUPPORTED: f"{first} exceeds that under {placebo} by the margin",
        Outcome.REFUTED: f"{first} does not exceed that under {placebo} by the margin",
        Outcome.UNDECIDED: f"Against {placebo} it is not decided",
        Outcome.NOT_RUN: "Nothing was measured",
    }[outcome]
    known = sorted(
        (c for c in group if c.verdict.estimate is not None),
        key=lambda c: -(c.verdict.estimate or 0.0),
    )
    pieces: list[Piece] = [f"{words} in {len(group)} comparisons"]
    for place, contrast in enumerate([known[0], known[-1]] if len(known) > 1 else known):
        pieces += [
            ", from " if place == 0 else " to ",
            f"{_signed(contrast.verdict.estimate)} in ",
            Name(contrast.verdict.claim.treatment),
            claim_cite(contrast.index, contrast.verdict),
        ]
    return [*pieces, "."]
