"""Stored completions by their four columns: the same numbers as through the probe, and clear
refusals.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from factories import PROBLEM, evidence, rollout, tiny_policy
from rewardscope.cli import app
from rewardscope.errors import ComponentError, RunDirectoryError
from rewardscope.judging.boundary import Tally, frontier, read_tallies
from rewardscope.probes.boundary import Boundary
from rewardscope.seeds import generator
from rewardscope.store import write_rollouts, write_table
from rewardscope.types import Rollout


def drawn(name: str, count: int = 12, draws: int = 16, step: int = 0) -> list[Rollout]:
    """Problems of any difficulty, some draws of which could not be graded, and some right in
    another form than was asked for.
    """
    random, found = generator("boundary command", name), []
    for p in range(count):
        right = random.random(draws) < p / count
        verdicts = [
            None if lost else bool(c)
            for c, lost in zip(right, random.random(draws) < 0.1, strict=True)
        ]
        group = rollout(verdicts, problem=replace(PROBLEM, id=f"p{p}"))
        grades = tuple(
            replace(g, strict=g.correct if formed else False)
            for g, formed in zip(group.grades, random.random(draws) < 0.8, strict=True)
        )
        found.append(replace(group, grades=grades, policy_step=step))
    return found


def written(path: Path, rollouts: Sequence[Rollout]) -> Path:
    write_rollouts(path, rollouts)
    return path


@pytest.mark.parametrize("extractor", ["tolerant", "strict"])
def test_counting_in_the_table_is_counting_in_memory(tmp_path: Path, extractor: str) -> None:
    rollouts = drawn("counts")
    rollouts.append(replace(rollout([None, None]), problem=replace(PROBLEM, id="never graded")))
    table, memory = (
        read_tallies(written(tmp_path / "r.parquet", rollouts))[extractor],
        Tally.of(rollouts, extractor == "strict"),
    )
    assert table.problems == memory.problems
    for name in ("stored_P", "graded_P", "correct_P", "first_P"):
        assert getattr(table, name).tolist() == getattr(memory, name).tolist(), name


def test_a_folder_is_one_set_of_completions(tmp_path: Path) -> None:
    rollouts = drawn("folder")
    written(tmp_path / "many" / "a.parquet", rollouts[:5])
    written(tmp_path / "many" / "b.parquet", rollouts[5:])
    whole = written(tmp_path / "whole.parquet", rollouts)
    assert frontier(tmp_path / "many").record() == frontier(whole).record()


def test_the_numbers_are_those_of_the_probe(tmp_path: Path) -> None:
    trained, base = drawn("trained", draws=32), drawn("base", draws=32)
    found = frontier(
        written(tmp_path / "t.parquet", trained), written(tmp_path / "b.parquet", base)
    )
    rows = Boundary().measure(evidence(tiny_policy(), trained, base_rollouts=tuple(base)))
    by = {
        (r.metric, r.labels["k"], r.labels.get("class")): r
        for r in rows
        if "problem" not in r.labels
    }
    for point in found.differences["tolerant"]:
        row = by["boundary/difference", str(point.k), None]
        assert (point.estimate.value if point.estimate else None, point.n, point.dropped) == (
            row.value,
            row.n,
            row.dropped,
        )
    for name, point in found.classes.items():
        row = by["boundary/problems", str(point.k), name]
        assert point.estimate is not None and (point.estimate.value, point.n) == (row.value, row.n)
    for name, point in found.support.items():
        assert (
            point.estimate is not None
            and point.estimate.value == by[f"boundary/{name}", str(point.k), None].value
        )


def test_the_command_shows_curves_crossing_and_counts(tmp_path: Path) -> None:
    full = [
        replace(
            r,
            grades=tuple(
                replace(g, correct=bool(g.correct), strict=bool(g.strict)) for g in r.grades
            ),
        )
        for r in drawn("show")
    ]
    less = [
        replace(r, grades=tuple(replace(g, correct=False, strict=False) for g in r.grades))
        for r in full[:6]
    ] + full[6:]
    trained, base = written(tmp_path / "t.parquet", less), written(tmp_path / "b.parquet", full)
    run = CliRunner().invoke(
        app, ["boundary", str(trained), "--base", str(base)], env={"COLUMNS": "200"}
    )
    assert run.exit_code == 0
    assert (
        "12 problems, 192 completions" in run.stdout
        and "epsilon = 3 / k" in run.stdout
        and "0.188" in run.stdout
    )
    record = json.loads(
        CliRunner().invoke(app, ["boundary", str(trained), "--base", str(base), "--json"]).stdout
    )
    assert [point["k"] for point in record["curves"]["strict"]] == [1, 2, 4, 8, 16]
    assert (
        record["classes"]["shrunk"]["estimate"]["value"] > 0
        and record["support"]["support_retention"]["epsilon"] == 3 / 16
    )
    for point in record["curves"]["tolerant"]:
        assert point["estimate"]["lower"] < point["estimate"]["value"] < point["estimate"]["upper"]
    alone = json.loads(CliRunner().invoke(app, ["boundary", str(trained), "--json"]).stdout)
    assert (alone["differences"], alone["classes"], alone["crossing"]) == ({}, {}, None)
    assert alone["curves"] == record["curves"]


def test_a_policy_against_itself_differs_by_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "r.parquet", drawn("itself"))
    found = frontier(path, path)
    assert {
        point.estimate.value
        for points in found.differences.values()
        for point in points
        if point.estimate
    } == {0.0}
    assert found.crossing is not None and found.crossing[0].estimate is None
    assert [found.classes[name].estimate.value for name in ("shrunk", "expanded")] == [0.0, 0.0]  # type: ignore[union-attr]


def test_what_is_no_rollouts_of_one_policy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("not a table")
    (tmp_path / "empty").mkdir()
    write_table(tmp_path / "other.parquet", pl.DataFrame({"problem": ["a"]}))
    for name in ("nowhere.parquet", "text.parquet", "empty", "other.parquet"):
        with pytest.raises(RunDirectoryError, match="There are no rollouts to read"):
            read_tallies(tmp_path / name)
    write_table(
        tmp_path / "words.parquet",
        pl.DataFrame({"problem": ["a"], "policy_step": 0, "correct": "yes", "strict": [True]}),
    )
    for name, message in (
        ("other", "no column policy_step, correct, strict"),
        ("words", "column correct is String, not Boolean"),
    ):
        with pytest.raises(
            RunDirectoryError,
            match=f"Got: [^ ]*{name}.parquet: {message}. Allowed: tables of rollouts",
        ):
            read_tallies(tmp_path / f"{name}.parquet")
    with pytest.raises(RunDirectoryError, match="no completions"):
        read_tallies(written(tmp_path / "none.parquet", []))
    mixed = written(tmp_path / "mixed.parquet", [*drawn("a", step=0), *drawn("b", step=4)])
    with pytest.raises(RunDirectoryError, match=r"several policies.*policy steps 0, 4"):
        read_tallies(mixed)
    other = [replace(r, problem=replace(r.problem, id=f"other {r.problem.id}")) for r in drawn("a")]
    with pytest.raises(ComponentError, match="none in common"):
        frontier(
            written(tmp_path / "a.parquet", drawn("a")), written(tmp_path / "o.parquet", other)
        )


def test_other_columns_are_not_read(tmp_path: Path) -> None:
    """A table without texts, tokens and prompts gives the same curve: nothing but the four columns
    is needed.
    """
    path = written(tmp_path / "r.parquet", drawn("columns"))
    write_table(
        tmp_path / "four.parquet",
        pl.read_parquet(path).select("problem", "policy_step", "correct", "strict"),
    )
    assert frontier(tmp_path / "four.parquet").record() == frontier(path).record()


def test_a_hundred_thousand_completions_take_a_moment(tmp_path: Path) -> None:
    random = generator("boundary command", "many")
    rows = 200 * 512
    right = pl.Series(random.random(rows) < 0.1)
    frame = pl.DataFrame(
        {
            "problem": [f"p{n // 512}" for n in range(rows)],
            "policy_step": 0,
            "correct": right,
            "strict": right,
        }
    )
    write_table(tmp_path / "many.parquet", frame)
    began = time.monotonic()
    found = frontier(tmp_path / "many.parquet")
    assert time.monotonic() - began < 10
    assert found.completions == rows and found.curves["tolerant"][-1].k == 512
