"""Charts as Vega-Lite specifications that contain their aggregated rows and fetch nothing.

Every panel takes its width from the page, names its unit on the axis, and draws an arm as
:mod:`rewardscope.report.marks` says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
from altair.utils import schemapi

from rewardscope.report.marks import MANY, OTHER_COLOUR, PLACEBOS, Mark
from rewardscope.report.summaries import Row

HEIGHT = 200


def step_curves(
    rows: Sequence[Row], marks: Mapping[str, Mark], unit: str, text: str, height: int = HEIGHT
) -> dict[str, Any]:
    """Means over seeds by training step with a band from the lowest to the highest seed.
    ``predicted`` values are dotted.
    """
    rows, marks = thinned(rows, marks, "step")
    drawn = named(rows, marks)
    steps = [int(row["step"]) for row in rows]
    ticks = whole_ticks(min(steps, default=0), max(steps, default=0))
    x = alt.X("step:Q", title="training step", axis=alt.Axis(values=ticks, format="d"))
    y = alt.Y("value:Q", title=unit, scale=share_scale(rows))
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
        y=alt.Y("low:Q", title=unit, scale=share_scale(rows)),
        y2="high:Q",
        color=colour(rows, marks),
    )
    line = base.mark_line(strokeWidth=2).encode(
        y=y, color=colour(rows, marks), strokeDash=dash(rows, marks)
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
                y=alt.Y("predicted:Q", title=unit, scale=share_scale(rows)),
                color=colour(rows, marks),
            )
        )
    touch = base.mark_point(size=90, opacity=0, filled=True).encode(
        y=y, color=colour(rows, marks), tooltip=tooltip
    )
    return finished(alt.layer(*layers, touch), text, height)


def whole_ticks(first: int, last: int) -> list[int]:
    """Multiples of 1, 2 or 5 times a power of ten from first to last, at most seven. Left to itself
    the axis puts ticks at halves and rounds them, so that two steps read 0, 1, 1, 2, 2.

    >>> whole_ticks(0, 2), whole_ticks(0, 30), whole_ticks(3, 47)
    ([0, 1, 2], [0, 5, 10, 15, 20, 25, 30], [10, 20, 30, 40])
    """
    sizes = (size * 10**power for power in range(18) for size in (1, 2, 5))
    size = next(size for size in sizes if last - first <= 6 * size)
    return list(range(-(-first // size) * size, last + 1, size))


def k_curves(
    rows: Sequence[Row], marks: Mapping[str, Mark], unit: str, text: str, value: str
) -> dict[str, Any]:
    """Curves over k on a log scale, with a band."""
    rows, marks = thinned(rows, marks, "k")
    ks = sorted({row["k"] for row in rows})
    x = alt.X(
        "k:Q",
        title="k, completions drawn per problem (log scale)",
        scale=alt.Scale(type="log", base=2),
        axis=alt.Axis(values=ks, format="d", labelOverlap=len(ks) > 9, labelFlush=False),
    )
    scale = share_scale(rows)
    y = alt.Y("value:Q", title=unit, scale=scale)
    tooltip = [
        alt.Tooltip("arm:N", title="arm"),
        alt.Tooltip("k:Q", title="k"),
        alt.Tooltip("value:Q", title=value, format=".3f"),
        alt.Tooltip("low:Q", title="interval from", format=".3f"),
        alt.Tooltip("high:Q", title="interval to", format=".3f"),
        alt.Tooltip("interval:N", title="interval"),
        alt.Tooltip("seeds:Q", title="seeds"),
    ]
    base = alt.Chart(alt.Data(values=named(rows, marks))).encode(x=x)
    band = base.mark_area(opacity=0.14).encode(
        y=alt.Y("low:Q", title=unit, scale=scale), y2="high:Q", color=colour(rows, marks)
    )
    line = base.mark_line(strokeWidth=2).encode(
        y=y, color=colour(rows, marks), strokeDash=dash(rows, marks)
    )
    point = base.mark_point(size=38, filled=True, opacity=1).encode(
        y=y,
        color=colour(rows, marks),
        shape=alt.Shape("arm:N", scale=scale_of(rows, marks, "shape"), legend=None),
        tooltip=tooltip,
    )
    return finished(alt.layer(band, line, point), text, HEIGHT + 20)


def bars(rows: Sequence[Row], marks: Mapping[str, Mark], unit: str, text: str) -> dict[str, Any]:
    """A bar per value of a label and arm, with a line from the lowest to the highest seed."""
    drawn = named(rows, marks)
    labels = list(dict.fromkeys(row["label"] for row in rows))
    arms = list(dict.fromkeys(row["arm"] for row in drawn))
    tooltip = [
        alt.Tooltip("label:N", title="of"),
        alt.Tooltip("arm:N", title="arm"),
        alt.Tooltip("value:Q", title=unit, format=".3f"),
        alt.Tooltip("low:Q", title="lowest seed", format=".3f"),
        alt.Tooltip("high:Q", title="highest seed", format=".3f"),
        alt.Tooltip("seeds:Q", title="seeds"),
    ]
    axis = alt.Axis(labelLimit=200, ticks=False, domain=False)
    base = alt.Chart(alt.Data(values=drawn)).encode(
        y=alt.Y("label:N", sort=labels, title=None, axis=axis),
        yOffset=alt.YOffset("arm:N", sort=arms),
    )
    bar = base.mark_bar().encode(
        x=alt.X("value:Q", title=unit, axis=alt.Axis(tickCount=6)),
        color=colour(rows, marks),
        tooltip=tooltip,
    )
    rule = base.mark_rule(color="#5b6470").encode(x=alt.X("low:Q", title=unit), x2="high:Q")
    return finished(alt.layer(bar, rule), text, max(40, 16 * len(rows) + 8 * len(labels)))


def thinned(
    rows: Sequence[Row], marks: Mapping[str, Mark], along: str
) -> tuple[Sequence[Row], Mapping[str, Mark]]:
    """The rows of more arms than can be told apart, with the placebos as one band from the lowest
    to the highest of them, and no bands around grey lines.
    """
    arms = {row["arm"] for row in rows if not marks[row["arm"]].untrained}
    if len(arms) <= MANY:
        return rows, marks
    placebos: dict[Any, list[Row]] = {}
    kept = []
    for row in rows:
        if marks[row["arm"]].placebo:
            if row["value"] is not None:
                placebos.setdefault(row[along], []).append(row)
        elif marks[row["arm"]].colour == OTHER_COLOUR:
            kept.append({**row, "low": None, "high": None, "predicted": None})
        else:
            kept.append(row)
    for place, some in sorted(placebos.items()):
        values = [row["value"] for row in some]
        middle = sum(values) / len(values)
        row = {**some[0], "arm": PLACEBOS.name, along: place, "value": middle, "seeds": None}
        kept.append({**row, "low": min(values), "high": max(values), "predicted": None})
    bands = [row for row in kept if row.get("interval")]
    for row in bands:
        own = row["arm"] == PLACEBOS.name
        row["interval"] = "lowest to highest placebo" if own else row["interval"]
    return kept, {**marks, PLACEBOS.name: PLACEBOS}


def named(rows: Sequence[Row], marks: Mapping[str, Mark]) -> list[Row]:
    """The rows with the arms' names in figures."""
    return [{**row, "arm": marks[row["arm"]].label} for row in rows]


def scale_of(rows: Sequence[Row], marks: Mapping[str, Mark], channel: str) -> alt.Scale:
    """Each arm's colour, dash or shape."""
    names = list(dict.fromkeys(row["arm"] for row in rows))
    values = [getattr(marks[name], channel) for name in names]
    return alt.Scale(
        domain=[marks[name].label for name in names],
        range=[list(v) if isinstance(v, tuple) else v for v in values],
    )


def colour(rows: Sequence[Row], marks: Mapping[str, Mark]) -> alt.Color:
    """The arm as colour."""
    return alt.Color("arm:N", scale=scale_of(rows, marks, "colour"), legend=None)


def dash(rows: Sequence[Row], marks: Mapping[str, Mark]) -> alt.StrokeDash:
    """The arm as dashes."""
    return alt.StrokeDash("arm:N", scale=scale_of(rows, marks, "dash"), legend=None)


def share_scale(rows: Sequence[Row]) -> alt.Scale:
    """The scale from 0 to 1 for numbers in that range, so that panels can be compared; otherwise
    the range of the data.
    """
    ends = [row[end] for row in rows for end in ("low", "high", "value") if row[end] is not None]
    inside = all(-0.001 <= end <= 1.001 for end in ends)
    return alt.Scale(domain=[0, 1]) if inside else alt.Scale(zero=False, nice=True)


def finished(chart: alt.TopLevelMixin, description: str, height: int) -> dict[str, Any]:
    """The specification without a theme: the page has its own for light and dark. It is checked
    against the schema unless the page, where that would take longer than all else, says not to.
    """
    spec: dict[str, Any] = chart.properties(
        width="container", height=height, description=description
    ).to_dict(validate=schemapi.DEBUG_MODE)
    spec.pop("config", None)
    spec.pop("$schema", None)
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec
