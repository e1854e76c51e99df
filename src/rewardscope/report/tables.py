"""The verdict table for a terminal."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from rewardscope.report.answer import counts_phrase, interval_phrase, unit_phrase
from rewardscope.report.wording import OUTCOME_GLYPH, OUTCOME_TEXT, UNKNOWN, margin_text, metric_text, number, signed, visible
from rewardscope.types import Outcome, Verdict

STYLE = {Outcome.SUPPORTED: "bold green", Outcome.REFUTED: "bold magenta", Outcome.UNDECIDED: "bold yellow", Outcome.NOT_RUN: "bold"}


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """The verdicts as a table, in the order of the claims; every outcome has the same space.

    Claims and reasons are shown as written: markup in them has no effect and control characters are written out.
    """
    table = Table(box=box.HORIZONTALS, show_lines=True, expand=False)
    table.add_column("claim", ratio=1, min_width=26)
    table.add_column("outcome", no_wrap=True)
    table.add_column("evidence", min_width=30)
    for verdict in verdicts:
        outcome = Text(f"{OUTCOME_GLYPH[verdict.outcome]} {OUTCOME_TEXT[verdict.outcome]}", style=STYLE[verdict.outcome])
        table.add_row(_claim(verdict), outcome, _evidence(verdict))
    return table


def _claim(verdict: Verdict) -> Text:
    claim = verdict.claim
    text = Text(visible(claim.sentence))
    control = "before training" if claim.control == "base" else claim.control
    text.append(visible(f"\n{metric_text(claim)}: {claim.treatment} against {control}"), style="dim")
    return text


def _evidence(verdict: Verdict) -> Text:
    if verdict.estimate is None:
        return Text(visible(f"{verdict.reason or 'no reason was recorded'}\nneeded: {margin_text(verdict.claim)}"))
    smallest = UNKNOWN if verdict.smallest_visible is None else number(verdict.smallest_visible)
    text = Text(f"{signed(verdict.estimate)}{visible(unit_phrase(verdict.unit))}", style="bold")
    text.append(f", {visible(interval_phrase(verdict))}", style="not bold")
    text.append(f"\n{number(verdict.treatment_mean)} against {number(verdict.control_mean)}; {counts_phrase(verdict)}", style="not bold")
    text.append(f"\nneeded: {margin_text(verdict.claim)}; smallest visible: {smallest}", style="not bold dim")
    return text
