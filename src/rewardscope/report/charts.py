"""One function per figure: its panels as Vega-Lite specifications, with aggregated rows inside and
nothing to fetch.

Every panel takes its width from the page, names its unit on the axis, and draws an arm as
:mod:`rewardscope.report.marks` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from rewardscope.report.marks import Mark
from rewardscope.report.rows import STRATEGY_PREFIX, Run
from rewardscope.report.summaries import (
    CLASSES,
    OUTSIDE_LAYERS,
    Row,
    amplification,
    pass_at_k,
    problem_classes,
    reliability,
    strategies,
    training_curve,
    weight_change,
)

HEIGHT = 200
TAUGHT, HELD_OUT = "credit/taught_share", "heldout/pass_at_1"
"""Columns of a step that only self-distillation and only an interim evaluation write."""
CLASS_COLOURS = ("#767d87", "#14806f", "#b5501a", "#c9ced6")
"""Preserved, expanded, shrunk, out of reach; each bar segment also carries its number."""
CLASS_INK = ("#ffffff", "#ffffff", "#ffffff", "#22262b")
HEAT = ("#eef3fb", "#bcd3ec", "#7fabd8", "#3f7fbd", "#1b5796", "#0b3566")
CELL_TEXT_LAYERS = 8
"""Up to so many layers, each cell of the weight map carries its number."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing of a figure."""

    start: str
    heading: str
    spec: dict[str, Any] | None
    """None = there is nothing to draw, and ``note`` says why."""
    note: str = ""
    arm: str = ""
    """Set when the panel is about one arm only."""


def training_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """Reward told and true correctness over training steps, side by side for each start; where a
    teacher taught, its evidence too, and where the study looked on the way, held-out problems.
    """
    measures = (
        ("reward_mean", "Reward told", "mean reward per completion"),
        ("correct_share", "True correctness", "share of completions correct"),
        (HELD_OUT, "Held-out problems on the way", "pass@1 of a few draws, mean over problems"),
        (TAUGHT, "Evidence for the teacher", "share of completions with evidence"),
    )
    panels = []
    for start in run.starts:
        for column, heading, unit in measures:
            rows = training_curve(run, start, column)
            if column in (TAUGHT, HELD_OUT) and not rows:
                continue
            spec = (
                _step_curves(
                    rows, marks, unit, f"{heading} over training steps, arms that began at {start}"
                )
                if rows
                else None
            )
            panels.append(
                Panel(start, heading, spec, f"No {heading.lower()} has been written for {start}.")
            )
    return panels


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
                found = [nulls.get((row["arm"], name, row["step"]), (None, None)) for row in rows]
                rows = [
                    {**row, "null": kind, "predicted": value}
                    for row, (kind, value) in zip(rows, found, strict=True)
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
                        _step_curves(rows, marks, "share of completions", text, height=160),
                    )
                )
        if not any(panel.start == start for panel in panels):
            panels.append(
                Panel(start, "", None, f"No format shares have been written for {start}.")
            )
    return panels


def _step_curves(
    rows: Sequence[Row], marks: Mapping[str, Mark], unit: str, text: str, height: int = HEIGHT
) -> dict[str, Any]:
    drawn = _named(rows, marks)
    x = alt.X(
        "step:Q", title="training step", axis=alt.Axis(tickMinStep=1, tickCount=6, format="d")
    )
    y = alt.Y("value:Q", title=unit, scale=_share_scale(rows))
    tooltip = [
        alt.Tooltip("arm:N", title="arm"),
        alt.Tooltip("step:Q", title="step"),
        alt.Tooltip("value:Q", title=f"{unit}, mean", format=".3f"),
        alt.Tooltip("low:Q", title="lowest seed", format=".3f"),
        alt.Tooltip("high:Q", title="highest seed", format=".3f"),
        alt.Tooltip("seeds:Q", title="seeds"),
    ]
    base = alt.Chart(alt.Data(values=drawn)).encode(x=x)
    band = base.mark_area(opacity=0.16).encode(
        y=alt.Y("low:Q", title=unit, scale=_share_scale(rows)),
        y2="high:Q",
        color=_colour(rows, marks),
    )
    line = base.mark_line(strokeWidth=2).encode(
        y=y, color=_colour(rows, marks), strokeDash=_dash(rows, marks)
    )
    layers = [band, line]
    if any(row.get("predicted") is not None for row in rows):
        tooltip += [
            alt.Tooltip("predicted:Q", title="amplification alone", format=".3f"),
            alt.Tooltip("null:N", title="how"),
        ]
        echo = base.transform_filter("isValid(datum.predicted)").mark_line(
            strokeWidth=1.6, strokeDash=[1, 4], strokeCap="round"
        )
        layers.append(
            echo.encode(
                y=alt.Y("predicted:Q", title=unit, scale=_share_scale(rows)),
                color=_colour(rows, marks),
            )
        )
    touch = base.mark_point(size=90, opacity=0, filled=True).encode(
        y=y, color=_colour(rows, marks), tooltip=tooltip
    )
    return _finished(alt.layer(*layers, touch), text, height)


def pass_at_k_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """pass@k under the tolerant and the strict extractor, side by side for each start: untrained
    policy, treatments, placebos.
    """
    measures = (
        (
            "boundary/pass_at_k",
            "Tolerant extraction",
            "the answer is taken from the text however it is dressed",
        ),
        (
            "boundary/pass_at_k_strict",
            "Strict extraction",
            "the answer counts only where and how the prompt asked for it",
        ),
    )
    panels = []
    for start in run.starts:
        for metric, heading, what in measures:
            rows = pass_at_k(run, start, metric)
            text = (
                f"pass@k on held-out problems, {heading.lower()} ({what}), untrained policy and "
                f"arms that began at {start}"
            )
            panels.append(
                Panel(
                    start,
                    heading,
                    _pass_curves(rows, marks, text) if rows else None,
                    f"No {metric} has been measured for {start}.",
                )
            )
    return panels


def _pass_curves(rows: Sequence[Row], marks: Mapping[str, Mark], text: str) -> dict[str, Any]:
    unit = "share of problems solved in k draws"
    ks = sorted({row["k"] for row in rows})
    x = alt.X(
        "k:Q",
        title="k, completions drawn per problem (log scale)",
        scale=alt.Scale(type="log", base=2),
        axis=alt.Axis(values=ks, format="d", labelOverlap=len(ks) > 9, labelFlush=False),
    )
    scale = alt.Scale(domain=[0, 1])
    y = alt.Y("value:Q", title=unit, scale=scale)
    tooltip = [
        alt.Tooltip("arm:N", title="arm"),
        alt.Tooltip("k:Q", title="k"),
        alt.Tooltip("value:Q", title="pass@k", format=".3f"),
        alt.Tooltip("low:Q", title="interval from", format=".3f"),
        alt.Tooltip("high:Q", title="interval to", format=".3f"),
        alt.Tooltip("interval:N", title="interval"),
        alt.Tooltip("seeds:Q", title="seeds"),
    ]
    base = alt.Chart(alt.Data(values=_named(rows, marks))).encode(x=x)
    band = base.mark_area(opacity=0.14).encode(
        y=alt.Y("low:Q", title=unit, scale=scale), y2="high:Q", color=_colour(rows, marks)
    )
    line = base.mark_line(strokeWidth=2).encode(
        y=y, color=_colour(rows, marks), strokeDash=_dash(rows, marks)
    )
    point = base.mark_point(size=38, filled=True, opacity=1).encode(
        y=y,
        color=_colour(rows, marks),
        shape=alt.Shape("arm:N", scale=_scale(rows, marks, "shape"), legend=None),
        tooltip=tooltip,
    )
    return _finished(alt.layer(band, line, point), text, HEIGHT + 20)


def reliability_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """What was forecast against what came true, by stated confidence and by the completion's own
    probability; none without forecasts.
    """
    views = (("stated", "Stated confidence"), ("sequence", "The completion's own probability"))
    panels = []
    for start in run.starts:
        for view, heading in views:
            rows = reliability(run, start, view)
            text = (
                f"Reliability, {heading.lower()}: share of right completions against mean "
                f"forecast, in bins of equal mass, {start}"
            )
            if rows:
                panels.append(Panel(start, heading, _reliability_curves(rows, marks, text)))
    return panels


def _reliability_curves(
    rows: Sequence[Row], marks: Mapping[str, Mark], text: str
) -> dict[str, Any]:
    scale = alt.Scale(domain=[0, 1])
    tooltip = [
        alt.Tooltip("arm:N", title="arm"),
        alt.Tooltip("bin:N", title="bin"),
        alt.Tooltip("seeds:Q", title="seeds"),
        alt.Tooltip("forecast:Q", title="mean forecast", format=".3f"),
        alt.Tooltip("value:Q", title="share right", format=".3f"),
    ]
    ideal = alt.Chart(alt.Data(values=[{"forecast": 0, "value": 0}, {"forecast": 1, "value": 1}]))
    diagonal = ideal.mark_line(strokeWidth=1, strokeDash=[3, 3], color="#8a919b").encode(
        x="forecast:Q", y="value:Q"
    )
    x = alt.X("forecast:Q", title="mean forecast of the bin", scale=scale)
    base = alt.Chart(alt.Data(values=_named(rows, marks))).encode(
        x=x, y=alt.Y("value:Q", title="share right", scale=scale)
    )
    line = base.mark_line(strokeWidth=2).encode(
        color=_colour(rows, marks), strokeDash=_dash(rows, marks), order="bin:Q"
    )
    shape = alt.Shape("arm:N", scale=_scale(rows, marks, "shape"), legend=None)
    point = base.mark_point(size=38, filled=True, opacity=1).encode(
        color=_colour(rows, marks), shape=shape, tooltip=tooltip
    )
    return _finished(alt.layer(diagonal, line, point), text, HEIGHT + 40)


def problem_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """How many held-out problems were preserved, expanded, shrunk or stayed out of reach; a bar per
    arm and seed.
    """
    panels = []
    for start in run.starts:
        k, rows = problem_classes(run, start)
        heading = f"Problems at k = {k}" if k else "Problems"
        text = (
            f"Held-out problems by what became of them, per arm and seed, arms that began at "
            f"{start}, k = {k}"
        )
        note = f"No problems have been compared for {start}."
        panels.append(Panel(start, heading, _class_bars(rows, marks, text) if rows else None, note))
    return panels


def _class_bars(rows: Sequence[Row], marks: Mapping[str, Mark], text: str) -> dict[str, Any]:
    names = [label.replace("_", " ") for label in CLASSES]
    known = dict(zip(names, zip(CLASS_COLOURS, CLASS_INK, strict=True), strict=True))
    present = list(
        dict.fromkeys(row["class"] for row in sorted(rows, key=lambda row: row["order"]))
    )
    colours, inks = zip(*(known.get(name, ("#5b6470", "#ffffff")) for name in present), strict=True)
    total = max(
        sum(row["value"] for row in rows if (row["arm"], row["seed"]) == key)
        for key in {(row["arm"], row["seed"]) for row in rows}
    )
    drawn, edge = [], 0.0
    for place, row in enumerate(rows):
        first = place == 0 or (rows[place - 1]["arm"], rows[place - 1]["seed"]) != (
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
    return _finished(
        alt.layer(bar_mark, label).resolve_scale(color="independent"), text, 24 * len(bars)
    )


def weight_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """Relative size of the update per matrix and layer, a map per arm; every map has the same
    colour scale.
    """
    rows_of = {arm.name: weight_change(run, arm) for arm in run.arms}
    largest = max((row["value"] for rows in rows_of.values() for row in rows), default=0.0)
    panels = []
    for arm in run.arms:
        rows, label = rows_of[arm.name], marks[arm.name].label
        text = (
            f"Norm of the update over norm of the weights, per matrix and layer, mean over seeds, "
            f"arm {label}"
        )
        note = f"No weight change has been measured for {arm.name}."
        panels.append(
            Panel(
                arm.start,
                label,
                _weight_map(rows, largest, text) if rows else None,
                note,
                arm=arm.name,
            )
        )
    return panels


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
    return _finished(chart, text, 21 * len(kinds))


def _named(rows: Sequence[Row], marks: Mapping[str, Mark]) -> list[Row]:
    return [{**row, "arm": marks[row["arm"]].label} for row in rows]


def _scale(rows: Sequence[Row], marks: Mapping[str, Mark], channel: str) -> alt.Scale:
    names = list(dict.fromkeys(row["arm"] for row in rows))
    values = [getattr(marks[name], channel) for name in names]
    return alt.Scale(
        domain=[marks[name].label for name in names],
        range=[list(v) if isinstance(v, tuple) else v for v in values],
    )


def _colour(rows: Sequence[Row], marks: Mapping[str, Mark]) -> alt.Color:
    return alt.Color("arm:N", scale=_scale(rows, marks, "colour"), legend=None)


def _dash(rows: Sequence[Row], marks: Mapping[str, Mark]) -> alt.StrokeDash:
    return alt.StrokeDash("arm:N", scale=_scale(rows, marks, "dash"), legend=None)


def _share_scale(rows: Sequence[Row]) -> alt.Scale:
    """The whole range for numbers between 0 and 1, so that panels compare; otherwise the range of
    the data.
    """
    inside = all(row["low"] >= -0.001 and row["high"] <= 1.001 for row in rows)
    return alt.Scale(domain=[0, 1]) if inside else alt.Scale(zero=False, nice=True)


def _finished(chart: alt.TopLevelMixin, description: str, height: int) -> dict[str, Any]:
    """The specification, checked against the schema, without the theme: the page brings its own for
    light and dark.
    """
    spec: dict[str, Any] = chart.properties(
        width="container", height=height, description=description
    ).to_dict()
    spec.pop("config", None)
    spec.pop("$schema", None)
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec
