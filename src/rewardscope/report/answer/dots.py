"""The dot plot beside the answer: untrained, placebo and treatment on the main metric."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewardscope.report.answer.contrasts import FIRST_TRY, Contrast, metric_name, metric_of
from rewardscope.report.answer.means import mean
from rewardscope.report.marks import Mark
from rewardscope.report.rows import Arm, Run
from rewardscope.report.summaries import pass_at_k
from rewardscope.report.wording import LEVEL_TEXT, OUTCOME_GLYPH, number, signed
from rewardscope.types import Claim

WIDTH, LEFT, RIGHT, LINE = 430, 132, 14, 27
"""Pixels: of the whole, of the names, at the right, and from row to row."""
MOST_ROWS = 14
NAME_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Dot:
    """One policy's row."""

    y: float
    name: str
    x: float
    ends: tuple[float, float] | None
    mark: Mark
    says: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A labelled line from the placebo to the treatment."""

    y: float
    ends: tuple[float, float]
    text: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Dots:
    """The plot, in pixels."""

    caption: str
    height: float
    heads: tuple[tuple[float, str], ...]
    dots: tuple[Dot, ...]
    differences: tuple[Difference, ...]
    ticks: tuple[tuple[float, str], ...]
    text: str


def dot_plot(run: Run, contrasts: Sequence[Contrast], marks: Mapping[str, Mark]) -> Dots | None:
    """The plot; None where the metric is unknown, or there are more arms than fit: those have a
    ranking.
    """
    claim = (
        contrasts[0].verdict.claim
        if contrasts
        else Claim(
            sentence="",
            metric=FIRST_TRY[0],
            treatment="",
            control="",
            labels=dict(FIRST_TRY[1]),
        )
    )
    by_start = {start: _rows(run, start, claim) for start in run.starts}
    by_start = {start: rows for start, rows in by_start.items() if rows}
    rows = [row for some in by_start.values() for row in some]
    if not rows or len(rows) > MOST_ROWS:
        return None
    ends = [
        end for row in rows for end in (row["value"], row["low"], row["high"]) if end is not None
    ]
    low, high = float(min(ends)), float(max(ends))
    if low >= -0.001 and high <= 1.001:
        low, high = 0.0, 1.0
    spread = (high - low) or 1.0

    def pixel(value: float) -> float:
        return round(LEFT + (value - low) / spread * (WIDTH - LEFT - RIGHT), 1)

    y, heads, dots, differences = 4.0, [], [], []
    for start, some in by_start.items():
        if len(run.starts) > 1:
            heads.append((y + 12, _cut(start, 52)))
            y += LINE * 0.9
        place: dict[str, Dot] = {}
        for row in some:
            dot = _dot(row, y + LINE / 2, pixel, marks)
            place[row["arm"]] = dot
            dots.append(dot)
            y += LINE
        differences += _differences(contrasts, start, place)
        y += 8
    middle = (low + high) / 2
    ticks = tuple((pixel(value), _tick(value)) for value in (low, middle, high))
    name = metric_name(claim)
    caption = f"{name[0].upper()}{name[1:]} on held-out problems; bars: {_bars(claim)}"
    text = f"{caption}. " + " ".join(dot.says for dot in dots)
    return Dots(caption, y + 22, tuple(heads), tuple(dots), tuple(differences), ticks, text)


def _bars(claim: Claim) -> str:
    if metric_of(claim)[0] == FIRST_TRY[0]:
        return f"{LEVEL_TEXT} intervals over seeds and problems"
    return "lowest to highest seed"


def _rows(run: Run, start: str, claim: Claim) -> list[dict[str, Any]]:
    arms = run.arms_of(start)
    if len(arms) > MOST_ROWS:
        return [{}] * len(arms)  # too many to draw: what they are takes long
    order: list[Arm] = sorted(arms, key=lambda arm: not arm.placebo)
    names = [*dict.fromkeys(arm.base for arm in arms), *(arm.name for arm in order)]
    if metric_of(claim)[0] == FIRST_TRY[0] and "k" in claim.labels:
        rows = [
            row for row in pass_at_k(run, start, claim.metric) if str(row["k"]) == claim.labels["k"]
        ]
        known = {row["arm"]: row for row in rows}
        return [{**known[name], "start": start} for name in names if name in known]
    found = []
    for name in names:
        values = run.values(name, claim.metric, claim.labels)
        middle = mean(values)
        if middle is not None:
            ends = (min(values), max(values)) if len(values) > 1 else (None, None)
            found.append({"arm": name, "value": middle, "low": ends[0], "high": ends[1]})
    return found


def _dot(
    row: Mapping[str, Any], y: float, pixel: Callable[[float], float], marks: Mapping[str, Mark]
) -> Dot:
    mark = marks[row["arm"]]
    name = "untrained" if mark.untrained else mark.name
    known = row["low"] is not None and row["high"] is not None
    ends = (pixel(row["low"]), pixel(row["high"])) if known else None
    span = f" ({number(row['low'])} to {number(row['high'])})" if known else ""
    says = f"{mark.label} {number(row['value'])}{span}."
    return Dot(y, _cut(name, NAME_LIMIT), pixel(row["value"]), ends, mark, says)


def _differences(
    contrasts: Sequence[Contrast], start: str, place: Mapping[str, Dot]
) -> list[Difference]:
    lines = []
    for contrast in contrasts:
        verdict = contrast.verdict
        treatment, control = (
            place.get(n) for n in (verdict.claim.treatment, verdict.claim.control)
        )
        if contrast.start != start or treatment is None or control is None:
            continue
        if verdict.estimate is None:
            continue
        ends = (min(treatment.x, control.x), max(treatment.x, control.x))
        text = f"{signed(verdict.estimate)} {OUTCOME_GLYPH[verdict.outcome]}"
        lines.append(Difference(treatment.y - LINE / 2, ends, text, verdict.outcome.value))
    return lines


def _cut(text: str, limit: int) -> str:
    """Long names keep their two ends, which tell them apart."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit // 2 - 1) :]}"


def _tick(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
