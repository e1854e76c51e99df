"""How a study, its verdicts and its page are shown in a notebook.

Any text in them may come from others. It is escaped, and control and invisible characters are
written out. A page is shown in a frame that cannot reach the notebook around it.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rewardscope.codec import encode
from rewardscope.errors import RunDirectoryError
from rewardscope.hostile import visible
from rewardscope.report.answer import counts_phrase, interval_phrase, unit_phrase
from rewardscope.report.page import write_page
from rewardscope.report.wording import (
    OUTCOME_GLYPH,
    OUTCOME_TEXT,
    component_text,
    margin_text,
    metric_text,
    number,
    signed,
)
from rewardscope.store import PAGE
from rewardscope.types import Outcome, Verdict

COLOUR = {
    Outcome.SUPPORTED: "#0f7a5f",
    Outcome.REFUTED: "#8d3a8b",
    Outcome.UNDECIDED: "#8a6a00",
    Outcome.NOT_RUN: "#5b6470",
}
CELL = 'style="text-align:left;vertical-align:top"'
ARM_COLUMNS = ("name", "start", "environment", "reward", "credit", "steps")


def text(value: object) -> str:
    r"""The value as text that is safe between tags and in attributes.

    >>> text("<b>\u202e")
    '&lt;b&gt;⟨U+202E⟩'
    """
    return escape(visible(str(value)), quote=True)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table of cells that are HTML already."""
    head = "".join(f"<th {CELL}>{text(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td {CELL}>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def study_html(study: object) -> str:
    """A study as HTML: its question, its arms and its claims."""
    record = encode(study)
    arms = [_arm(arm) for arm in record["arms"]]
    claims = [
        (text(claim["sentence"]), f"{text(claim['treatment'])} against {text(claim['control'])}")
        for claim in record["claims"]
    ]
    seeds = ", ".join(str(seed) for seed in record["seeds"])
    return (
        f"<p><b>{text(record['name'])}</b>: {text(record['question'])}<br>Seeds: {text(seeds)}</p>"
        + _table(ARM_COLUMNS, arms)
        + _table(("claim, fixed before the run", "compares"), claims)
    )


def _arm(arm: Mapping[str, Any]) -> list[str]:
    return [
        text(arm[name]) if isinstance(arm[name], (str, int)) else text(component_text(arm[name]))
        for name in ARM_COLUMNS
    ]


def verdicts_html(verdicts: Iterable[Verdict]) -> str:
    """Verdicts as an HTML table, in claim order; every outcome gets the same space."""
    return _table(
        ("claim", "outcome", "evidence"),
        ((_claim(verdict), _outcome(verdict), _evidence(verdict)) for verdict in verdicts),
    )


def _claim(verdict: Verdict) -> str:
    claim = verdict.claim
    control = "before training" if claim.control == "base" else claim.control
    compared = text(f"{metric_text(claim)}: {claim.treatment} against {control}")
    return f"{text(claim.sentence)}<br><small>{compared}</small>"


def _outcome(verdict: Verdict) -> str:
    named = f"{OUTCOME_GLYPH[verdict.outcome]} {OUTCOME_TEXT[verdict.outcome]}"
    return f'<b style="color:{COLOUR[verdict.outcome]};white-space:nowrap">{text(named)}</b>'


def _evidence(verdict: Verdict) -> str:
    needed = f"<small>needed: {text(margin_text(verdict.claim))}</small>"
    if verdict.estimate is None:
        return f"{text(verdict.reason or 'no reason was recorded')}<br>{needed}"
    smallest = text(number(verdict.smallest_visible))
    return (
        f"<b>{text(estimate_text(verdict))}</b>, {text(interval_phrase(verdict))}<br>"
        f"{text(means_text(verdict))}<br>{needed}<small>; smallest visible: {smallest}</small>"
    )


def estimate_text(verdict: Verdict) -> str:
    """The estimate with its sign and unit."""
    return f"{signed(verdict.estimate)}{unit_phrase(verdict.unit)}"


def means_text(verdict: Verdict) -> str:
    """The two means, and how many seeds and problems they are based on."""
    means = f"{number(verdict.treatment_mean)} against {number(verdict.control_mean)}"
    return f"{means}; {counts_phrase(verdict)}"


def verdict_line(verdict: Verdict) -> str:
    """A verdict in one line of plain text."""
    named = f"{OUTCOME_GLYPH[verdict.outcome]} {OUTCOME_TEXT[verdict.outcome]}"
    because = (
        verdict.reason
        if verdict.estimate is None
        else f"{estimate_text(verdict)}, {interval_phrase(verdict)}"
    )
    return visible(f"{named}: {verdict.claim.sentence} ({because})")


class Verdicts(tuple[Verdict, ...]):
    """Verdicts that a notebook shows as one table: ``Verdicts(RunDirectory(path).verdicts())``."""

    def __repr__(self) -> str:
        return "\n".join(verdict_line(verdict) for verdict in self) or "no verdicts"

    def _repr_html_(self) -> str:
        return verdicts_html(self)


class Page:
    """The page of a run, shown in a notebook: ``Page("runs/tour")``.

    The page is in a frame without the notebook's origin, so nothing in it reaches the notebook.
    It loads nothing from elsewhere.

    Args:
        run: The run directory; its page is built again.
        height: Height of the frame in pixels.

    Raises:
        RunDirectoryError: If there is no run.
    """

    def __init__(self, run: Path | str, height: int = 700) -> None:
        self.path = write_page(Path(run))
        self.height = int(height)

    def __repr__(self) -> str:
        return f"Page({str(self.path.parent)!r}): open {self.path}"

    def _repr_html_(self) -> str:
        try:
            page = self.path.read_text()
        except OSError as error:
            raise RunDirectoryError(
                "The page of the run is gone",
                value=self.path,
                allowed=f"a run directory with {PAGE}",
                do="Make it again: Page(run)",
            ) from error
        return (
            f'<iframe sandbox="allow-scripts" srcdoc="{escape(page, quote=True)}" width="100%" '
            f'height="{self.height}" style="border:1px solid #ddd"></iframe>'
        )
