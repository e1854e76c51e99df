"""Sections of the page: what an instrument measured has its place there, whoever made it."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from rewardscope.errors import ComponentError
from rewardscope.registry import components
from rewardscope.report.blocks import MOST_LINES, Table, table_rows, tables
from rewardscope.report.loading import load_run
from rewardscope.report.marks import make_marks
from rewardscope.report.rows import MEASUREMENT_COLUMNS, Arm, Run
from rewardscope.report.sections import SECTIONS, sections_of
from rewardscope.section import Chart, Line, Section, read_section
from rewardscope.types import Gap

COLUMNS = ("base:start", "truth")


def run_with(rows: list[dict[str, object]], **more: object) -> Run:
    arm = Arm("truth", "start", False, "base:start", "base", {0: "cell"}, {}, {})
    labels = {name for row in rows for name in row} - set(MEASUREMENT_COLUMNS)
    schema = {**MEASUREMENT_COLUMNS, **dict.fromkeys(sorted(labels), pl.String)}
    frame = pl.DataFrame(
        [{**dict.fromkeys(schema), "step": 1, "unit": "share", **row} for row in rows],
        schema=schema,
    )
    nothing = pl.DataFrame(schema={"step": pl.Int64})
    return Run(None, {}, (arm,), (), (), nothing, frame, nothing, (), **more)  # type: ignore[arg-type]


def row(metric: str, value: float | None, arm: str = "truth", **labels: str) -> dict[str, object]:
    return {"arm": arm, "seed": 0, "metric": metric, "value": value, **labels}


def test_every_metric_of_every_instrument_is_in_some_section_and_nothing_else_is() -> None:
    made = {metric for cls in components("probes").values() for metric in cls.metrics}
    shown = {metric for ours in SECTIONS for metric in ours.metrics}
    columns = {chart.metric for ours in SECTIONS for chart in ours.section.charts} - made
    assert made == shown - columns
    assert columns == {
        "reward_mean",
        "correct_share",
        "credit/taught_share",
        "heldout/pass_at_1",
    }


def test_every_instrument_owes_a_section_and_names_of_sections_differ() -> None:
    assert {name for ours in SECTIONS for name in ours.probes} == set(components("probes"))
    names = [ours.section.name for ours in SECTIONS]
    assert len(names) == len(set(names))


def test_the_largest_k_alone_has_a_line_and_seeds_are_averaged() -> None:
    run = run_with(
        [
            {**row("boundary/vote_at_k", value, k=k), "seed": seed}
            for seed, k, value in ((0, "2", 0.1), (0, "16", 0.4), (1, "16", 0.6))
        ]
    )
    (line,) = table_rows(run, Line("boundary/vote_at_k", "vote of {k} draws"), COLUMNS)
    assert line.heads == ("vote of 16 draws", "share")
    assert line.entries["truth"].text == "0.500"
    assert line.entries["truth"].aside == "0.400 to 0.600"
    every = Line("boundary/vote_at_k", "vote of {k} draws", every_k=True)
    texts = [line.heads[0] for line in table_rows(run, every, COLUMNS)]
    assert texts == ["vote of 2 draws", "vote of 16 draws"]


def test_a_line_that_nobody_has_a_number_for_is_left_out() -> None:
    run = run_with([row("boundary/crossing_k", None, k="16")])
    assert table_rows(run, Line("boundary/crossing_k", "crossing"), COLUMNS) == []


def test_rows_that_differ_in_a_label_nobody_named_are_not_averaged() -> None:
    run = run_with([row("a/b", 0.2, tone="low"), row("a/b", 0.8, tone="high")])
    lines = table_rows(run, Line("a/b", "loudness"), COLUMNS)
    assert [(line.heads[0], line.entries["truth"].text) for line in lines] == [
        ("loudness (tone low)", "0.200"),
        ("loudness (tone high)", "0.800"),
    ]


def test_a_metric_of_very_many_lines_is_cut_and_the_rest_counted() -> None:
    run = run_with([row("a/b", 0.1, matrix=f"m{place}") for place in range(MOST_LINES + 3)])
    lines = table_rows(run, Line("a/b", "size of {matrix}"), COLUMNS)
    assert len(lines) == MOST_LINES + 1
    assert "3 more lines" in lines[-1].heads[0]


def test_labels_that_a_line_asks_for_choose_its_rows() -> None:
    run = run_with([row("a/b", 0.9, matrix="all"), row("a/b", 0.1, matrix="q")])
    (line,) = table_rows(run, Line("a/b", "size", where={"matrix": "all"}), COLUMNS)
    assert line.entries["truth"].text == "0.900"
    assert table_rows(run, Line("a/b", "size", where={"nowhere": "x"}), COLUMNS) == []


def test_the_untrained_has_a_column_only_where_it_has_a_number() -> None:
    section = Section("s", "S", lines=(Line("a/b", "size"),))
    (alone,) = tables(section, run_with([row("a/b", 0.9)]))
    assert alone.grids[0].columns == ("truth",)
    (both,) = tables(section, run_with([row("a/b", 0.9), row("a/b", 0.1, "base:start")]))
    assert both.grids[0].columns == COLUMNS


def test_what_no_section_shows_has_a_table_of_its_own() -> None:
    run = run_with([row("mine/loudness", 0.25, tone="low"), row("ladder/pass_at_k", 1.0, k="1")])
    shown = {section.name: section for section in sections_of(run, make_marks(run.arms))}
    assert set(shown) == {"training", "ladder", "other"}
    (table,) = shown["other"].blocks
    assert isinstance(table, Table)
    assert table.grids[0].rows[0].heads[0] == "mine: loudness"


def test_a_guests_section_stands_on_the_page_and_is_never_taken_for_one_of_ours() -> None:
    chart = Chart("bars", "mine/loudness", "Loudness", "decibel", by="tone")
    section = Section(
        "weights", "My own", lines=(Line("mine/loudness", "{tone}"),), charts=(chart,)
    )
    run = run_with([row("mine/loudness", 0.25, tone="low")], sections=(section, section))
    shown = {each.name: each for each in sections_of(run, make_marks(run.arms))}
    assert set(shown) == {"training", "own-weights", "own-weights-2"}
    assert [block.kind for block in shown["own-weights"].blocks] == ["figure", "table"]
    assert shown["own-weights"].figures[0].ids == ["own-weights-1"]


@pytest.mark.parametrize("kind", ["steps", "k", "bars"])
def test_each_kind_of_chart_draws_what_it_is_given(kind: str, finished_run: Path) -> None:
    by = {"bars": "strategy"}.get(kind, "")
    metric = {"k": "boundary/pass_at_k", "steps": "correct_share"}.get(
        kind, "behaviour/strategy_share"
    )
    chart = Chart(kind, metric, "Title", "share", by=by)  # type: ignore[arg-type]
    run = replace(load_run(finished_run), sections=(Section("mine", "Mine", charts=(chart,)),))
    shown = {each.name: each for each in sections_of(run, make_marks(run.arms))}
    (figure,) = shown["own-mine"].figures
    panels = [panel for pair in figure.panels.values() for _, panel in pair]
    assert len(panels) == 2
    for panel in panels:
        assert panel.spec is not None and panel.spec["data"]["values"]


def test_a_gap_is_told_in_the_section_that_lacks_its_numbers() -> None:
    gap = Gap(
        of="mine:Ear",
        arm="truth",
        seed=0,
        step=1,
        metrics=("mine/loudness",),
        failure="ValueError: too loud",
    )
    run = run_with([], gaps=(gap, replace(gap, seed=1)))
    (section,) = [each for each in sections_of(run, make_marks(run.arms)) if each.name == "other"]
    assert section.gaps == ("Ear (mine) failed: ValueError: too loud (truth, seeds 0, 1)",)


def test_a_section_is_read_back_as_it_was_written() -> None:
    section = Section(
        "mine",
        "Mine",
        "What it is.",
        lines=(Line("a/b", "{tone}", "high is loud", {"k": "1"}, every_k=True),),
        charts=(Chart("bars", "a/b", "T", "share", by="tone"),),
    )
    assert read_section(section.record()) == section
    hostile = {**section.record(), "is": "os:system", "lines": [{"metric": "a/b", "text": "{x.y}"}]}
    read = read_section(hostile)
    assert read.lines[0].named({"x": "1"}) == "{x.y}"


@pytest.mark.parametrize("name", ["arm", "seed", "step", "value", "metric", "no such thing"])
def test_a_section_may_name_what_is_no_metric_or_label(finished_run: Path, name: str) -> None:
    share = "behaviour/strategy_share"
    section = Section(
        "odd",
        "Odd",
        lines=(Line(share, f"of {{{name}}}"), Line(share, "x", where={name: "1"})),
        charts=(
            Chart("steps", name, "T", "u"),
            Chart("bars", share, "T", "u", by=name),
            Chart("k", share, "T", "u", where={name: "1"}),
        ),
    )
    run = replace(load_run(finished_run), sections=(section,))
    shown = {each.name: each for each in sections_of(run, make_marks(run.arms))}
    assert {block.kind for block in shown["own-odd"].blocks} == {"table"}


@pytest.mark.parametrize("record", [None, 3, {}, {"name": "A b", "title": "t"}, {"lines": [1]}])
def test_what_is_no_section_is_refused_in_words(record: object) -> None:
    with pytest.raises(ComponentError):
        read_section(record)
