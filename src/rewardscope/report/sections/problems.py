"""Which held-out problems were won and lost."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from rewardscope.report.blocks import Block, Panel, figure
from rewardscope.report.charts import finished
from rewardscope.report.marks import OTHER_COLOUR, Mark, crowded
from rewardscope.report.rows import Run
from rewardscope.report.sections.base import Ours
from rewardscope.report.summaries import CLASSES, Row, problem_classes
from rewardscope.section import Section

COLOURS = ("#767d87", "#14806f", "#b5501a", "#c9ced6")
"""Preserved, expanded, shrunk, out of reach; each bar segment also carries its number."""
INK = ("#ffffff", "#ffffff", "#ffffff", "#22262b")
SECTION = Section(
    "problems",
    "Problems won and lost",
    short="Problems",
    caption="Each held-out problem against the untrained policy, at equal k. Preserved: solved "
    "before and after. Expanded: solved only after. Shrunk: solved only before. Out of reach: "
    "solved by neither. One bar per arm and seed.",
)


def problem_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """How many held-out problems were preserved, expanded, shrunk or stayed out of reach; a bar per
    arm and seed.
    """
    panels = []
    for start in run.starts:
        k, rows = problem_classes(run, start)
        if crowded(run.arms_of(start)):
            telling = {row["arm"] for row in rows if marks[row["arm"]].colour != OTHER_COLOUR}
            rows = [row for row in rows if row["arm"] in telling]
        heading = f"Problems at k = {k}" if k else "Problems"
        text = (
            f"Classes of held-out problems, per arm and seed, arms that began at {start}, k = {k}"
        )
        note = f"No problems have been compared for {start}."
        panels.append(Panel(start, heading, _class_bars(rows, marks, text) if rows else None, note))
    return panels


def _class_bars(rows: Sequence[Row], marks: Mapping[str, Mark], text: str) -> dict[str, Any]:
    names = [label.replace("_", " ") for label in CLASSES]
    known = dict(zip(names, zip(COLOURS, INK, strict=True), strict=True))
    present = list(
        dict.fromkeys(row["class"] for row in sorted(rows, key=lambda row: row["order"]))
    )
    colours, inks = zip(*(known.get(name, ("#5b6470", "#ffffff")) for name in present), strict=True)
    total = max(
        sum(row["value"] for row in rows if (row["arm"], row["seed"]) == key)
        for key in {(row["arm"], row["seed"]) for row in rows}
    )
    drawn, edge = [], 0.0
    for index, row in enumerate(rows):
        first = index == 0 or (rows[index - 1]["arm"], rows[index - 1]["seed"]) != (
            row["arm"],
            row["seed"],
        )
        left = 0.0 if first else edge
        edge = left + row["value"]
        bar = f"{marks[row['arm']].label} · seed {row['seed']}"
        number = f"{row['value']:g}"
        written = number if row["value"] >= 0.018 * len(number) * total else ""
        drawn.append(
            {
                "bar": bar,
                "class": row["class"],
                "problems": row["value"],
                "from": left,
                "to": edge,
                "text": written,
            }
        )
    bars = list(dict.fromkeys(row["bar"] for row in drawn))
    y = alt.Y(
        "bar:N", sort=bars, title=None, axis=alt.Axis(labelLimit=220, ticks=False, domain=False)
    )
    base = alt.Chart(alt.Data(values=drawn)).encode(y=y)
    bar_x = alt.X(
        "from:Q", title="held-out problems", scale=alt.Scale(domain=[0, total], nice=False)
    )
    tooltip = [
        alt.Tooltip("bar:N", title="arm and seed"),
        alt.Tooltip("class:N", title="class"),
        alt.Tooltip("problems:Q", title="problems"),
    ]
    colour = alt.Color("class:N", scale=alt.Scale(domain=present, range=list(colours)), legend=None)
    bar_mark = base.mark_bar(height={"band": 0.76}).encode(
        x=bar_x, x2="to:Q", color=colour, tooltip=tooltip
    )
    ink = alt.Color("class:N", scale=alt.Scale(domain=present, range=list(inks)), legend=None)
    label = (
        base.transform_calculate(middle="(datum.from + datum.to) / 2")
        .mark_text(fontSize=11)
        .encode(x=alt.X("middle:Q", title="held-out problems"), text="text:N", color=ink)
    )
    return finished(
        alt.layer(bar_mark, label).resolve_scale(color="independent"), text, 24 * len(bars)
    )


def blocks(run: Run, marks: Mapping[str, Mark]) -> list[Block]:
    """The bars."""
    swatches = [
        (name.replace("_", " "), colour) for name, colour in zip(CLASSES, COLOURS, strict=True)
    ]
    panels = problem_panels(run, marks)
    return [figure("problems", run, panels, SECTION.caption, legend=False, swatches=swatches)]


OURS = Ours(SECTION, blocks, probes=("Boundary",), draws=frozenset({"boundary/problems"}))
