"""The verdict table for a terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from rewardscope.report.wording import LEVEL_TEXT, OUTCOME_GLYPH, OUTCOME_TEXT, margin_text, metric_text, number, signed, span, visible
from rewardscope.types import Outcome, Verdict

STYLE = {Outcome.SUPPORTED: "bold green", Outcome.REFUTED: "bold red", Outcome.UNDECIDED: "bold yellow", Outcome.NOT_RUN: "bold magenta"}


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """The verdicts as a table, in the order of the claims; every outcome has the same space.

    Claims and reasons are shown as written: markup in them has no effect and control characters are written out.
    """
    table = Table(title="Verdicts", title_justify="left", show_lines=True, pad_edge=False)
    table.add_column("claim", ratio=5, min_width=24)
    table.add_column("outcome", no_wrap=True)
    table.add_column("treatment\ncontrol", justify="right", ratio=2)
    table.add_column(f"difference\n{LEVEL_TEXT} interval", justify="right", ratio=2)
    table.add_column("needed\nsmallest visible", justify="right", ratio=2)
    table.add_column("seeds ×\nproblems", justify="right", ratio=1)
    for verdict in verdicts:
        claim = verdict.claim
        sentence = Text(visible(claim.sentence))
        sentence.append(f"\n{visible(metric_text(claim))}: {visible(claim.treatment)} against {visible(claim.control)}", style="dim")
        if verdict.reason:
            sentence.append(f"\n{visible(verdict.reason)}", style="dim italic")
        table.add_row(
            sentence,
            Text(f"{OUTCOME_GLYPH[verdict.outcome]} {OUTCOME_TEXT[verdict.outcome]}", style=STYLE[verdict.outcome]),
            Text(f"{number(verdict.treatment_mean)}\n{number(verdict.control_mean)}"),
            Text(f"{signed(verdict.estimate)}\n{span(verdict.lower, verdict.upper)}"),
            Text(f"{margin_text(claim)}\n{number(verdict.smallest_visible)}"),
            Text(f"{verdict.num_seeds} × {verdict.num_problems}"),
        )
    return table
