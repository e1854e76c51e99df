"""Which known formats a policy writes in, and which moves between them account for a gain."""

from collections.abc import Mapping

from rewardscope.report.blocks import (
    Block,
    Entry,
    Grid,
    Panel,
    Table,
    TableRow,
    figure,
    tables,
    turned,
)
from rewardscope.report.charts import step_curves
from rewardscope.report.marks import Mark
from rewardscope.report.rows import STRATEGY_PREFIX, Run
from rewardscope.report.sections.base import Ours
from rewardscope.report.summaries import (
    amplification,
    moves,
    steps_per_point,
    strategies,
    training_curve,
)
from rewardscope.report.wording import LEVEL_TEXT, number, signed
from rewardscope.section import Line, Section

SECTION = Section(
    "formats",
    "Formats",
    lines=(
        Line("behaviour/strategy_share", "share in format {strategy}"),
        Line("behaviour/strategy_accuracy", "accuracy in format {strategy}"),
        Line("behaviour/shown_share", "share whose text shows {behaviour}", skip_zero=True),
        Line("behaviour/length_tokens", "completion length"),
        Line("behaviour/ending_share", "share ending by {ending}"),
    ),
    more=(
        Line("behaviour/well_formed_share", "share in a form that the prompt asked for"),
        Line(
            "behaviour/shown_accuracy",
            "accuracy where {behaviour} is shown: {shown}",
        ),
        Line("behaviour/gain", "gain that the moves add up to", "right after minus right before"),
        Line(
            "behaviour/strategy_reward",
            "reward of {strategy}",
            "mean over the untrained policy's completions",
        ),
        Line(
            "behaviour/reweighting",
            "strength of the reweighting, 1 / β",
            "negative where the best-paid format became rarer",
        ),
        Line(
            "behaviour/share_null",
            "share of {strategy} by amplification alone, {null}",
            "what a reward that only amplifies would produce",
        ),
    ),
    caption="Share of training completions in each known format, over steps; one panel per format. "
    "Lines are means over seeds; bands reach from the lowest to the highest seed.",
)
DOTTED = (
    " Dotted lines in the arm's colour show what amplification alone would do to the untrained "
    "shares. For the format that the arm's reward pays most, its odds double at every step. For "
    "the others, it is untrained share × exp(reward / β), with β fitted at each step so that the "
    "format paid most has the share it reached. Where no format is paid measurably more than the "
    "rest, it is the untrained share."
)
MOVES = (
    "Each draw of the untrained policy is paired with the trained policy's draw with the same "
    "sampling noise. A move is from one format (or behaviour) to another. Its share of all draws "
    "comes first; in bold is its share of the gain in right answers. Shares of one kind sum to 1 "
    f"and may be negative. They are unknown where the {LEVEL_TEXT} interval of the gain includes "
    "0. Behaviours that no draw took up or gave up are left out."
)


def strategy_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """Share of completions in each format over training steps beside what amplification alone
    predicts; a panel per format.
    """
    panels = []
    for start in run.starts:
        nulls = amplification(run, start)
        for name in strategies(run):
            rows = training_curve(run, start, STRATEGY_PREFIX + name)
            if nulls:
                predictions = [
                    nulls.get((row["arm"], name, row["step"]), (None, None)) for row in rows
                ]
                rows = [
                    {**row, "null": kind, "predicted": value}
                    for row, (kind, value) in zip(rows, predictions, strict=True)
                ]
            text = (
                f"Share of completions in the {name} format over training steps, arms that began "
                f"at {start}"
            )
            if rows:
                panels.append(
                    Panel(
                        start,
                        name,
                        step_curves(rows, marks, "share of completions", text, height=160),
                    )
                )
        if not any(panel.start == start for panel in panels):
            panels.append(
                Panel(start, "", None, f"No format shares have been written for {start}.")
            )
    return panels


def move_table(run: Run) -> Table | None:
    """The table of moves that account for the gain; None where nothing moved."""
    grids = []
    for start in run.starts:
        rows = tuple(
            TableRow(
                (line["by"], f"{line['before']} → {line['after']}"),
                {
                    arm: Entry(number(cell["share"]), strong=signed(cell["gain"]))
                    for arm, cell in line["cells"].items()
                },
                about=1,
            )
            for line in moves(run, start)
        )
        columns = tuple(arm.name for arm in run.arms_of(start))
        caption = f"{start}: share of the draws, then share of the gain of all seeds in bold"
        if rows:
            grids.append(Grid(start, caption, ("By", "Move"), columns, rows))
    return Table(turned(run, grids), "Which moves account for the gain", MOVES) if grids else None


def blocks(run: Run, marks: Mapping[str, Mark]) -> list[Block]:
    """Curves beside their nulls, the tables, and the moves."""
    together = steps_per_point(run)
    point = "" if together == 1 else f" Each point is the mean of {together} steps."
    panels = strategy_panels(run, marks)
    caption = SECTION.caption + point + DOTTED
    parts: list[Block] = []
    if any(panel.spec for panel in panels):
        parts.append(figure("formats", run, panels, caption, narrow=True))
    measured = tables(SECTION, run, "Before and after, on held-out problems")
    moved = move_table(run)
    parts += [table for table in measured if not table.folded]
    parts += [moved] if moved else []
    return [*parts, *(table for table in measured if table.folded)]


OURS = Ours(
    SECTION,
    blocks,
    probes=("Behaviour",),
    draws=frozenset({"behaviour/move_share", "behaviour/move_change", "behaviour/move_gain"}),
)
