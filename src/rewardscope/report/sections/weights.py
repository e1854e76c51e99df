"""How far and where the weights moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from rewardscope.report.blocks import Block, Panel, figure, tables
from rewardscope.report.charts import finished
from rewardscope.report.marks import Mark, crowded
from rewardscope.report.rows import Run
from rewardscope.report.sections.base import Ours
from rewardscope.report.summaries import OUTSIDE_LAYERS, Row, weight_change
from rewardscope.section import Line, Section

HEAT = ("#eef3fb", "#bcd3ec", "#7fabd8", "#3f7fbd", "#1b5796", "#0b3566")
CELL_TEXT_LAYERS = 8
"""Up to this many layers, each cell of the weight map shows its number."""
ALL = {"matrix": "all"}
SECTION = Section(
    "weights",
    "Weight change",
    short="Weights",
    lines=(
        Line(
            "weights/changed_share",
            "share of weights changed, {view}",
            where=ALL,
        ),
        Line("weights/relative_update_norm", "relative norm of the update, all weights", where=ALL),
        Line(
            "weights/rank_share",
            "rank of the update over the largest possible, {view}",
            where=ALL,
        ),
        Line("weights/stable_rank", "stable rank of the update, {view}", where=ALL),
        Line("weights/spectral_change", "change of the singular values (NSS)", where=ALL),
        Line(
            "weights/principal_overlap",
            "changed weights among the principal 30 %, {update}",
            "shuffled and uniform are nulls",
            ALL,
        ),
        Line(
            "weights/low_overlap",
            "changed weights among the smallest 30 %, {update}",
            "shuffled and uniform are nulls",
            ALL,
        ),
    ),
    more=(
        Line("weights/update_norm", "norm of the update, all weights", where=ALL),
        Line("weights/principal_angle", "{of} angle of the first 16 {side} directions", where=ALL),
        Line("weights/spectral_gap", "gap after the first 16 singular values", where=ALL),
        Line(
            "weights/gap_over_update",
            "that gap over the norm of the update",
            "below 1, nothing bounds the angles",
            ALL,
        ),
    ),
    caption="Relative size of the update: norm of (trained minus untrained) over norm of "
    "untrained, for each matrix and layer, mean over seeds. One colour scale for all arms. A "
    "larger update is not better: compare it with the placebo's.",
)


def weight_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """Relative size of the update per matrix and layer, a map per arm; every map has the same
    colour scale.
    """
    maps = [shown for start in run.starts for shown in _maps(run, start, marks)]
    largest = max((row["value"] for one in maps for row in one.rows), default=0.0)
    text = "Norm of the update over norm of the weights, per matrix and layer, mean over seeds, "
    return [
        Panel(
            one.start,
            one.label,
            _weight_map(one.rows, largest, text + one.label) if one.rows else None,
            f"No weight change has been measured for {one.label}.",
            arm=one.arm,
        )
        for one in maps
    ]


@dataclass(frozen=True, slots=True)
class _Map:
    start: str
    label: str
    arm: str
    """Empty where it is the mean of several."""
    rows: Sequence[Row]


def _maps(run: Run, start: str, marks: Mapping[str, Mark]) -> list[_Map]:
    """A map for each arm; of many arms one for all treatments and one for all placebos."""
    arms = run.arms_of(start)
    if not crowded(arms):
        return [_Map(start, marks[a.name].label, a.name, weight_change(run, [a])) for a in arms]
    kinds = {False: "treatments", True: "placebos"}
    roles = [([a for a in arms if a.placebo is placebo], kinds[placebo]) for placebo in kinds]
    return [
        _Map(start, f"the mean of {len(some)} {kind}", "", weight_change(run, some))
        for some, kind in roles
        if some
    ]


def _weight_map(rows: Sequence[Row], largest: float, text: str) -> dict[str, Any]:
    layers = sorted(
        {row["layer"] for row in rows},
        key=lambda layer: (layer != OUTSIDE_LAYERS, int(layer) if layer.isdigit() else 0),
    )
    kinds = list(
        dict.fromkeys(
            row["kind"] for row in sorted(rows, key=lambda row: row["layer"] != OUTSIDE_LAYERS)
        )
    )
    tooltip = [
        alt.Tooltip("kind:N", title="matrix"),
        alt.Tooltip("layer:N", title="layer"),
        alt.Tooltip("value:Q", title="relative norm, mean", format=".4f"),
        alt.Tooltip("low:Q", title="lowest seed", format=".4f"),
        alt.Tooltip("high:Q", title="highest seed", format=".4f"),
        alt.Tooltip("seeds:Q", title="seeds"),
    ]
    axis = alt.Axis(labelAngle=0, orient="top", ticks=False, domain=False, labelOverlap=True)
    base = alt.Chart(alt.Data(values=list(rows))).encode(
        x=alt.X(
            "layer:N",
            sort=layers,
            title=f"layer ({OUTSIDE_LAYERS} = outside the layers)",
            axis=axis,
        ),
        y=alt.Y(
            "kind:N",
            sort=kinds,
            title=None,
            axis=alt.Axis(labelLimit=190, ticks=False, domain=False),
        ),
    )
    heat = alt.Color(
        "value:Q",
        scale=alt.Scale(domain=[0, largest or 1], range=list(HEAT), interpolate="lab"),
        legend=None,
    )
    chart = base.mark_rect(cornerRadius=2).encode(color=heat, tooltip=tooltip)
    if len(layers) <= CELL_TEXT_LAYERS:
        ink = alt.condition(
            alt.datum.value > 0.45 * largest, alt.value("#ffffff"), alt.value("#1c2733")
        )
        chart = alt.layer(
            chart,
            base.mark_text(fontSize=10.5).encode(text=alt.Text("value:Q", format=".4f"), color=ink),
        )
    return finished(chart, text, 21 * len(kinds))


def blocks(run: Run, marks: Mapping[str, Mark]) -> list[Block]:
    """The maps and the tables."""
    panels = weight_panels(run, marks)
    drawn = [row["value"] for p in panels if p.spec for row in p.spec["data"]["values"]]
    heat = (HEAT, max(drawn)) if drawn else None
    maps = figure("weights", run, panels, SECTION.caption, legend=False, heat=heat)
    return [maps, *tables(SECTION, run, "All weights together")]


OURS = Ours(SECTION, blocks, probes=("WeightChange",))
