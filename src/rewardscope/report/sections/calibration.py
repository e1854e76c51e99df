"""Whether a policy knows when it is right."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from rewardscope.report.blocks import Block, Panel, figure, tables
from rewardscope.report.charts import HEIGHT, colour, dash, finished, named, scale_of
from rewardscope.report.marks import Mark
from rewardscope.report.rows import Run
from rewardscope.report.sections.base import Ours
from rewardscope.report.summaries import Row, reliability
from rewardscope.section import Line, Section

SECTION = Section(
    "calibration",
    "Calibration",
    "Stated: what the completion says. Sequence: the geometric mean of its tokens' probabilities. "
    "A constant forecast at the share of right answers has no calibration error and an AUROC of "
    "0.5: read the two together.",
    lines=(
        Line("calibration/brier", "Brier score, {view} confidence", "0 is best"),
        Line("calibration/error", "calibration error, {view} confidence", "0 is best"),
        Line("calibration/overconfidence", "overconfidence, {view} confidence"),
        Line("calibration/auroc", "AUROC, {view} confidence", "0.5 is uninformative, 1 is best"),
    ),
    more=(
        Line("calibration/error_plug_in", "plug-in calibration error, {view}", "biased upwards"),
        Line(
            "calibration/ece",
            "expected calibration error (10 bins of equal width, L1), {view}",
            "as papers report it; biased upwards",
        ),
        Line("calibration/reliability", "reliability, {view}", "part of the Brier score"),
        Line("calibration/resolution", "resolution, {view}", "subtracted in the Brier score"),
        Line(
            "calibration/uncertainty",
            "uncertainty, {view}",
            "the Brier score of a constant forecast",
        ),
        Line("calibration/log_score", "log score, {view}", "0 is best"),
        Line("calibration/risk_area", "wrong among the surest, {view}", "averaged over coverage"),
        Line("calibration/weighted_vote", "right votes, weighted by confidence, {view}"),
        Line("calibration/distance", "distance to the known chance, {view}", "0 is best"),
    ),
    caption="Mean forecast and share right, in bins of equal mass, means over seeds. On the dotted "
    "line, a forecaster is calibrated.",
)


def reliability_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """Share right against mean forecast, by stated confidence and by the completion's own
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
    base = alt.Chart(alt.Data(values=named(rows, marks))).encode(
        x=x, y=alt.Y("value:Q", title="share right", scale=scale)
    )
    line = base.mark_line(strokeWidth=2).encode(
        color=colour(rows, marks), strokeDash=dash(rows, marks), order="bin:Q"
    )
    shape = alt.Shape("arm:N", scale=scale_of(rows, marks, "shape"), legend=None)
    point = base.mark_point(size=38, filled=True, opacity=1).encode(
        color=colour(rows, marks), shape=shape, tooltip=tooltip
    )
    return finished(alt.layer(diagonal, line, point), text, HEIGHT + 40)


def blocks(run: Run, marks: Mapping[str, Mark]) -> list[Block]:
    """The reliability diagrams and the tables."""
    panels = reliability_panels(run, marks)
    drawn: list[Block] = (
        [figure("calibration", run, panels, SECTION.caption, untrained=True)] if panels else []
    )
    return [*drawn, *tables(SECTION, run)]


OURS = Ours(
    SECTION,
    blocks,
    probes=("Calibration",),
    draws=frozenset({"calibration/bin_forecast", "calibration/bin_accuracy"}),
)
