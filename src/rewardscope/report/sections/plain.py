"""The charts and tables that a section declares."""

from collections.abc import Mapping

import polars as pl

from rewardscope.report.blocks import Block, Panel, figure, tables, where
from rewardscope.report.charts import bars, k_curves, step_curves
from rewardscope.report.marks import Mark
from rewardscope.report.rows import Run
from rewardscope.report.summaries import over_seeds, training_curve
from rewardscope.section import Chart, Section

MOST_BARS = 120


def plain_blocks(section: Section, run: Run, marks: Mapping[str, Mark]) -> list[Block]:
    """The declared charts and tables, as far as the run has numbers for them."""
    makers = {"steps": steps_panel, "k": k_panel, "bars": bars_panel}
    panels = [
        panel
        for start in run.starts
        for chart in section.charts
        if (panel := makers[chart.kind](run, marks, start, chart)).spec
    ]
    drawn: list[Block] = []
    if panels:
        bases = {marks[arm.base].label for arm in run.arms}
        values = [row for panel in panels if panel.spec for row in panel.spec["data"]["values"]]
        untrained = any(row["arm"] in bases for row in values)
        drawn = [figure(section.name, run, panels, section.caption, untrained=untrained)]
    return [*drawn, *tables(section, run)]


def steps_panel(run: Run, marks: Mapping[str, Mark], start: str, chart: Chart) -> Panel:
    """A curve over training steps: a column of the step table, or a metric at each of its steps."""
    numeric = chart.metric in run.steps.columns and run.steps[chart.metric].dtype.is_numeric()
    named = chart.metric not in ("arm", "seed", "step")
    rows = training_curve(run, start, chart.metric) if numeric and named else []
    if not rows and run.every_step is not None:
        own = (pl.col("metric") == chart.metric) & pl.col("seed").is_not_null()
        names = [arm.name for arm in run.arms_of(start)]
        frame = where(run.every_step.filter(own), chart.where).filter(pl.col("arm").is_in(names))
        rows = over_seeds(frame, ["arm", "step"], "value").sort("arm", "step").to_dicts()
    text = f"{chart.title} over training steps, arms that began at {start}"
    note = f"No {chart.title.lower()} has been written for {start}."
    spec = step_curves(rows, marks, chart.unit, text) if rows else None
    return Panel(start, chart.title, spec, note)


def k_panel(run: Run, marks: Mapping[str, Mark], start: str, chart: Chart) -> Panel:
    """A curve over k, of the untrained policy and of each arm."""
    frame = _of(run, start, chart).filter(pl.col("k").str.contains(r"^[0-9]+$"))
    frame = frame.with_columns(pl.col("k").cast(pl.Int64))
    rows = over_seeds(frame, ["arm", "k"], "value").sort("arm", "k").to_dicts()
    drawn = [{**row, "interval": "lowest to highest seed"} for row in rows]
    text = f"{chart.title} over k, untrained policy and arms that began at {start}"
    spec = k_curves(drawn, marks, chart.unit, text, chart.title) if rows else None
    return Panel(start, chart.title, spec)


def bars_panel(run: Run, marks: Mapping[str, Mark], start: str, chart: Chart) -> Panel:
    """A bar for each value of a label and each policy."""
    frame = _of(run, start, chart)
    rows = []
    if chart.by in run.label_names:
        frame = frame.filter(pl.col(chart.by).is_not_null())
        rows = over_seeds(frame, [chart.by, "arm"], "value").to_dicts()
    drawn = [{**row, "label": row[chart.by]} for row in rows][:MOST_BARS]
    text = f"{chart.title}, untrained policy and arms that began at {start}"
    return Panel(start, chart.title, bars(drawn, marks, chart.unit, text) if rows else None)


def _of(run: Run, start: str, chart: Chart) -> pl.DataFrame:
    """The chart's rows of the start's policies."""
    arms = run.arms_of(start)
    names = [*dict.fromkeys(arm.base for arm in arms), *(arm.name for arm in arms)]
    return where(run.metric(chart.metric), chart.where).filter(pl.col("arm").is_in(names))
