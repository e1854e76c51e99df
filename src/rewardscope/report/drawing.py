"""Charts as SVG: drawn once, when the page is written, so that the page needs no charting code.

Colours of text and lines are variables of the page's style, so that a chart follows light, dark and
print. Each mark that stands for a row of numbers carries that row's index in ``data-row``; the
page's script reads the row from there.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import vl_convert
from markupsafe import Markup

from rewardscope.hostile import visible

WIDTH, NARROW_WIDTH = 420, 300
"""Pixels that a chart is drawn at; the page scales it to the panel."""
INK, LINE = "#010203", "#010204"
"""Stand-ins for the page's colours, replaced after drawing."""
VARIABLES = {INK: "var(--soft)", LINE: "var(--line)", "#5b6470": "var(--soft)"}
CONFIG = {
    "background": None,
    "font": "Liberation Sans",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelFontSize": 11,
        "titleFontSize": 11.5,
        "titleFontWeight": 500,
        "titlePadding": 8,
        "labelPadding": 5,
        "tickSize": 4,
    },
    "axisX": {"grid": False},
    "axisY": {"tickCount": 5},
}
ROW = "data-row"
_ROOT = re.compile(r"<svg [^>]*?width=\"(\d+)\" height=\"(\d+)\"[^>]*>")
_EMPTY = re.compile(r"<path class=\"(?:background|foreground)\"[^>]*d=\"(?:M0,0h0v0h0Z)?\"[^>]*/>")
_DROPPED = re.compile(
    r" (?:aria-[a-z]+|role|pointer-events|font-family|stroke-miterlimit)=\"[^\"]*\""
    r"| (?:opacity|fill-opacity|stroke-opacity)=\"1\"| class=\"(?:mark|role|background|foreground)"
    r"[^\"]*\""
)
_TOUCH = re.compile(
    r"<path data-row=\"(\d+)\" transform=\"translate\(([^,]+),([^)]+)\)\"[^>]*fill=\"([^\"]*)\""
    r"[^>]* opacity=\"0\"/>"
)
_LABELLED = re.compile(r"aria-label=\"(\d+)\"")
_LONG = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_HOLLOW = re.compile(r"<g(?: transform=\"translate\(0,0\)\")?></g>")
_CLIP = re.compile(r"(id=\"|url\(#)(clip|gradient)")


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart of the page."""

    svg: Markup
    width: int
    numbers: dict[str, Any]
    """What the script shows of it: ``text``, ``columns`` (name -> values) and ``says`` (name and
    title of each number in a reading)."""


def draw(chart: str, spec: Mapping[str, Any], narrow: bool = False) -> Drawing:
    """The specification drawn at the page's width.

    Args:
        chart: Id of the chart on the page.
        spec: A Vega-Lite specification that contains its rows.
        narrow: Whether three charts stand side by side.
    """
    width = NARROW_WIDTH if narrow else WIDTH
    rows, says = spec["data"]["values"], _tooltips(spec)
    whole = copy.deepcopy({**spec, "width": width, "config": CONFIG})
    whole["data"]["values"] = [{**row, "row": index} for index, row in enumerate(rows)]
    _describe(whole)
    numbers = {
        "text": spec["description"],
        "columns": {name: [row.get(name) for row in rows] for name in (rows[0] if rows else ())},
        "says": says,
    }
    return Drawing(_compact(vl_convert.vegalite_to_svg(whole), chart, spec), width, numbers)


def _tooltips(spec: Mapping[str, Any]) -> list[list[str]]:
    for part in (spec, *spec.get("layer", ())):
        given = part.get("encoding", {}).get("tooltip")
        if isinstance(given, Sequence) and given:
            return [[tip["field"], tip.get("title", tip["field"])] for tip in given]
    return []


def _describe(spec: dict[str, Any]) -> None:
    """Marks with a reading are named by their row; all others have no name."""
    for part in spec.get("layer", [spec]):
        encoding = part.get("encoding", {})
        if encoding.pop("tooltip", None):
            encoding["description"] = {"field": "row", "type": "nominal"}
        elif isinstance(part.get("mark"), dict):
            part["mark"]["aria"] = False


def _compact(svg: str, chart: str, spec: Mapping[str, Any]) -> Markup:
    root = _ROOT.match(svg)
    assert root is not None, svg[:200]
    body = svg[root.end() :]
    body = _LABELLED.sub(rf'{ROW}="\1"', body)
    body = _DROPPED.sub("", _EMPTY.sub("", body))
    body = _TOUCH.sub(rf'<circle class="at" {ROW}="\1" cx="\2" cy="\3" r="4" fill="\4"/>', body)
    body = _LONG.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), body)
    body = _CLIP.sub(rf"\1{chart}-\2", body)
    for stand_in, variable in VARIABLES.items():
        body = body.replace(stand_in, variable)
    before = ""
    while before != body:
        before, body = body, _HOLLOW.sub("", body)
    name = escape(visible(str(spec["description"])))
    head = f'<svg viewBox="0 0 {root[1]} {root[2]}" role="img" aria-label="{name}" tabindex="0">'
    return Markup(head + visible(body))
