"""Charts as SVG: marks know their rows, colours are the page's, texts of others are harmless."""

import re

import pytest

from rewardscope.report.charts import bars, k_curves, step_curves, whole_ticks
from rewardscope.report.drawing import draw
from rewardscope.report.marks import Mark

MARKS = {
    "a": Mark("a", "#1477ba", (1, 0), "circle", placebo=False),
    "c": Mark("c", "#d55e00", (5, 3), "square", placebo=True),
}


def _row(arm: str, k: int, value: float) -> dict[str, object]:
    ends = {"low": value - 0.1, "high": value + 0.1, "seeds": 3, "interval": "95%"}
    return {"arm": arm, "k": k, "value": value, **ends}


def test_each_point_knows_its_row_and_the_rows_are_kept() -> None:
    rows = [_row("a", 1, 0.2), _row("a", 4, 0.7), _row("c", 1, 0.3), _row("c", 4, 0.4)]
    drawing = draw("x-1", k_curves(rows, MARKS, "share", "pass@k, both arms", "pass@k"))
    assert sorted(map(int, re.findall(r'data-row="(\d+)"', drawing.svg))) == [0, 1, 2, 3]
    assert drawing.numbers["columns"]["value"] == [0.2, 0.7, 0.3, 0.4]
    assert drawing.numbers["columns"]["arm"][2] == "c (placebo)"
    assert ["value", "pass@k"] in drawing.numbers["says"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [((0, 2), "0 1 2"), ((0, 1, 2), "0 1 2"), ((0, 1), "0 1"), ((1,), "1"), ((0, 30), None)],
)
def test_the_training_axis_reads_whole_steps_once(
    steps: tuple[int, ...], expected: str | None
) -> None:
    rows = [{**_row("a", 1, 0.01 * step), "step": step} for step in steps]
    svg = draw("x-1", step_curves(rows, MARKS, "share", "By step")).svg
    whole = svg[: svg.index("training step")]
    assert re.findall(r">(\d+)</text>", whole) == (expected or "0 5 10 15 20 25 30").split()


def test_ticks_are_few_and_within_the_steps() -> None:
    for first in (0, 1, 7):
        for last in range(first, 400):
            ticks = whole_ticks(first, last)
            assert 1 <= len(ticks) <= 7 and first <= ticks[0] and ticks[-1] <= last


def test_colours_of_text_and_lines_are_the_pages() -> None:
    svg = draw("x-1", k_curves([_row("a", 1, 0.2)], MARKS, "share", "One point", "pass@k")).svg
    assert 'fill="var(--soft)"' in svg and 'stroke="var(--line)"' in svg
    assert "#0102" not in svg and "font-family" not in svg
    assert svg.startswith("<svg viewBox=") and 'aria-label="One point"' in svg


def test_texts_of_others_are_escaped_and_cannot_move_a_mark() -> None:
    hostile = '<script>alert(1)</script> data-row="7"'
    rows = [{"arm": "a", "label": hostile, "value": 0.5, "low": 0.4, "high": 0.6, "seeds": 2}]
    svg = draw("x-1", bars(rows, MARKS, "share", hostile)).svg
    assert "<script" not in svg
    assert re.findall(r'<(?:path|circle) data-row="(\d+)"', svg) == ["0"]
