"""A start with more arms than can be told apart by colour."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from answer_runs import RUNS, arm, base_rows, first_try, run
from rewardscope.report.blocks import tables
from rewardscope.report.charts import thinned
from rewardscope.report.marks import MANY, OTHER_COLOUR, PLACEBOS, legend_marks, make_marks
from rewardscope.report.page import render_page, telling_arms
from rewardscope.section import Line, Section

TREATMENTS = [arm(f"t{i}", reward="Truth", number=i) for i in range(MANY)]
COINS = [arm(f"c{i}", reward="Coin", number=i) for i in range(2)]
MARKS = make_marks([*TREATMENTS, *COINS], telling=["t3", "t5"])


def _row(name: str, value: float) -> dict[str, object]:
    ends = {"low": value - 0.1, "high": value + 0.1}
    return {"arm": name, "step": 1, "value": value, "seeds": 3, **ends}


def test_no_hue_is_used_twice() -> None:
    for arms in (TREATMENTS, [*TREATMENTS, *COINS], RUNS["many_arms"]().arms):
        colours = Counter(make_marks(arms)[a.name].colour for a in arms if a.start == arms[0].start)
        assert all(count == 1 for colour, count in colours.items() if colour != OTHER_COLOUR)


def test_placebos_are_one_band_and_most_treatments_grey() -> None:
    rows = [_row(a.name, 0.5) for a in TREATMENTS] + [_row("c0", 0.2), _row("c1", 0.4)]
    drawn, marks = thinned(rows, MARKS, "step")
    by_arm = {row["arm"]: row for row in drawn}
    band = by_arm[PLACEBOS.name]
    assert (band["low"], band["value"], band["high"]) == (0.2, pytest.approx(0.3), 0.4)
    assert "c0" not in by_arm and marks[PLACEBOS.name] is PLACEBOS
    assert by_arm["t0"]["low"] is None and by_arm["t3"]["low"] == 0.4
    assert thinned(rows[:MANY], MARKS, "step") == (rows[:MANY], MARKS)


def test_the_legend_names_what_has_a_hue_and_the_two_groups() -> None:
    names = [mark.name for mark in legend_marks([*TREATMENTS, *COINS], MARKS)]
    assert names == ["t3", "t5", "other treatments", PLACEBOS.name]
    assert [mark.name for mark in legend_marks(COINS, MARKS)] == ["c0", "c1"]


def test_telling_arms_are_the_ends_of_the_ranking() -> None:
    odd = RUNS["many_arms"]()
    first, last = "method-9-0", "method-0-0"
    assert telling_arms(odd)[:2] == [first, last]


def test_a_table_has_a_line_for_each_arm_its_placebo_after_it() -> None:
    odd = RUNS["many_arms"]()
    section = Section("x", "X", lines=(Line("boundary/pass_at_k", "pass@{k}"),))
    shown = [grid for table in tables(section, odd) for grid in table.grids]
    grid = next(grid for grid in shown if grid.start == "start-0")
    assert grid.heads == ("Arm",) and grid.columns == ("pass@1 share",)
    heads = [row.heads[0] for row in grid.rows]
    assert heads[:2] == ["method-0-0", "coin-0"] and len(heads) == 11
    assert grid.rows[1].means == "placebo"


def test_the_ranking_comes_first_where_arms_are_many() -> None:
    odd = RUNS["many_arms"]()
    page = render_page(odd)
    assert page.index('<section id="ranking"') < page.index('<section id="verdicts"')
    assert "the treatments that exceed their placebo most and least have a colour" in page
    few = run([arm("truth"), arm("coin", reward="Coin")], first_try(arm("truth"), 0.5))
    assert "have a colour" not in render_page(replace(few, root=Path("runs/few")))


def test_values_are_by_seed_and_unknown_where_a_seed_has_two() -> None:
    truth = arm("truth")
    rows = [*first_try(truth, 0.5, 0.6), *base_rows("one", "boundary/pass_at_k", 0.4, k="1")]
    made = run([truth], rows)
    assert made.values("truth", "boundary/pass_at_k", {"k": "1"}) == [0.5, 0.6]
    assert made.values("base:one", "boundary/pass_at_k", {"k": "1"}) == [0.4]
    assert made.values("truth", "boundary/pass_at_k", {"no": "label"}) == []
    assert (
        run([truth], [*rows, *first_try(truth, 0.7)]).values(
            "truth", "boundary/pass_at_k", {"k": "1"}
        )
        == []
    )
