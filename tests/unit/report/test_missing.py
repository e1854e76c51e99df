"""A page is made of what there is, and says what is not there."""

import base64
import json
import shutil
import zlib
from pathlib import Path

import polars as pl
import pytest

from report_run import (
    ARMS,
    base_cell_name,
    cell_name,
    claims,
    reading_rows,
    write_cell,
    write_study,
)
from rewardscope.codec import encode
from rewardscope.errors import RunDirectoryError
from rewardscope.report import readings, write_page
from rewardscope.report.loading import load_run
from rewardscope.report.readings import completion_cells, packed_completions
from rewardscope.report.summaries import problem_classes, training_curve
from rewardscope.report.wording import visible_deep
from rewardscope.store import RunDirectory, write_table
from rewardscope.types import Outcome


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "copy"))


def page_of(root: Path) -> str:
    return write_page(root).read_text()


def test_a_run_that_has_only_been_written_down(tmp_path: Path) -> None:
    write_study(tmp_path)
    text = page_of(tmp_path)
    assert "not begun at step 0" in text
    assert "the claims have not been judged yet" in text
    assert text.count("badge not_run") == 2 * len(claims())
    assert "No reward has been written for formats-planted." in text
    assert "No readings have been written" in text
    assert [verdict.outcome for verdict in load_run(tmp_path).verdicts] == [Outcome.NOT_RUN] * len(
        claims()
    )


def test_a_failed_cell_is_named_with_its_reason(run_copy: Path) -> None:
    RunDirectory(run_copy).cell(cell_name("barren-coin", 2)).write_status(
        "failed", 11, reason="out of memory <b>here</b>"
    )
    text = page_of(run_copy)
    assert f"cell {cell_name('barren-coin', 2)}" in text
    assert "failed at step 11: out of memory &lt;b&gt;here&lt;/b&gt;" in text


def test_rows_of_an_older_evaluation_are_left_out_and_named(run_copy: Path) -> None:
    cell = RunDirectory(run_copy).cell(cell_name("planted-coin", 1))
    cell.write_status("done", 30, measured="older")
    assert f"rows of cell {cell.path.name}" in page_of(
        run_copy
    ) and "measured with another evaluation" in page_of(run_copy)
    found = load_run(run_copy).measurements.select("arm", "seed").unique().rows()
    assert ("planted-coin", 1) not in found and ("planted-coin", 2) in found


@pytest.mark.parametrize(
    "name", ["steps.parquet", "measurements.parquet", "readings/step_000030.parquet"]
)
def test_a_file_that_is_gone_or_broken_is_named(run_copy: Path, name: str) -> None:
    path = RunDirectory(run_copy).cell(cell_name("planted-coin", 1)).path / name
    path.write_bytes(b"not parquet")
    assert "cannot be read" in page_of(run_copy)
    path.unlink()
    text = page_of(run_copy)
    assert "the file is missing" in text or "no readings were written" in text


def test_the_untrained_policy_may_be_missing(run_copy: Path) -> None:
    shutil.rmtree(RunDirectory(run_copy).cell(base_cell_name("formats-planted")).path)
    assert "not begun at step 0" in page_of(run_copy)


def test_broken_verdicts_do_not_hide_the_claims(run_copy: Path) -> None:
    (run_copy / "verdicts.json").write_text("[{")
    text = page_of(run_copy)
    assert "verdicts.json cannot be read" in text
    assert claims()[0].sentence in text


def test_one_seed_gives_curves_without_an_interval_over_seeds(tmp_path: Path) -> None:
    arms = [
        {
            "name": arm,
            "start": start,
            "placebo": placebo,
            "base": f"base:{start}",
            "base_cell": base_cell_name(start),
            "cells": {"0": cell_name(arm, 0)},
            "uses_truth": {},
            "config": {},
        }
        for arm, (start, placebo) in ARMS.items()
    ]
    write_study(tmp_path, arms=arms, seeds=[0], claims=[])
    for arm in ARMS:
        write_cell(tmp_path, arm, 0)
    text = page_of(tmp_path)
    assert "No claim was fixed before this run" in text
    assert "unknown: nothing was declared" in text
    assert "95% over problems" in text and 'over seeds and problems"' not in text


def test_nulls_in_steps_are_left_out_and_never_zero(run_copy: Path) -> None:
    for seed in range(3):
        cell = RunDirectory(run_copy).cell(cell_name("planted-truth", seed))
        rows = cell.steps()
        rows[4]["reward_mean"] = None
        cell.write_steps(rows)
    rows = [
        row
        for row in training_curve(load_run(run_copy), "formats-planted", "reward_mean")
        if row["arm"] == "planted-truth"
    ]
    assert 5 not in [row["step"] for row in rows]
    assert len(rows) == 29
    assert training_curve(load_run(run_copy), "formats-planted", "clip_share") == []


def test_steps_of_a_cell_in_training_are_on_the_page_while_they_grow(run_copy: Path) -> None:
    cell = RunDirectory(run_copy).cell(cell_name("planted-truth", 0))
    whole = load_run(run_copy).steps
    rows = cell.steps()
    cell.step_table.begin(rows[len(rows) // 2]["step"])
    for row in rows[len(rows) // 2 :]:
        cell.step_table.append(row)
    assert not cell.step_table.finished.exists()
    assert load_run(run_copy).steps.equals(whole)
    with cell.step_table.growing.open("ab") as file:
        file.write(b"nothing\n")
    run = load_run(run_copy)
    assert run.steps.height == whole.height - len(rows)
    assert f"steps of cell {cell.path.name}" in [missing.what for missing in run.missing]


def test_a_long_run_is_thinned_and_the_page_says_so(run_copy: Path) -> None:
    cell = RunDirectory(run_copy).cell(cell_name("planted-truth", 0))
    rows = cell.steps()
    cell.write_steps([{**rows[step % 30], "step": step + 1} for step in range(600)])
    assert "Each point is the mean of 4 steps." in page_of(run_copy)
    curve = training_curve(load_run(run_copy), "formats-planted", "reward_mean")
    assert max(row["step"] for row in curve) == 600
    assert len([row for row in curve if row["arm"] == "planted-truth"]) == 150


def test_unknown_logprobs_stay_unknown(run_copy: Path) -> None:
    rows = [{**row, "base_logprob": None} for row in reading_rows("planted-truth", 0)]
    write_table(
        RunDirectory(run_copy).cell(cell_name("planted-truth", 0)).step_file("readings", 30),
        pl.DataFrame(rows, infer_schema_length=None),
    )
    packed = packed_completions(load_run(run_copy))[2]
    assert b'["s",null,' in zlib.decompress(base64.b64decode(packed))


def test_readings_are_limited_and_what_is_left_out_is_counted(
    run_copy: Path,
) -> None:
    run = load_run(run_copy)
    cells, _ = completion_cells(run, limit=12 * 200)
    whole, _, packed = packed_completions(run)
    assert {cell["left"] for cell in cells} == {2} and {cell["left"] for cell in whole} == {0}
    assert json.loads(zlib.decompress(base64.b64decode(packed))) == visible_deep(whole)


def test_completions_that_do_not_fit_compressed_are_left_out(
    run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = load_run(run_copy)
    _, _, packed = packed_completions(run)
    monkeypatch.setattr("rewardscope.report.readings.PACKED_LIMIT", len(packed) - 1)
    fewer, _, smaller = packed_completions(run)
    assert len(smaller) < len(packed) and all(cell["left"] for cell in fewer)


def test_a_long_completion_shows_its_head_and_its_tail() -> None:
    row: dict[str, object] = {"base_logprob": -1.0, "trained_logprob": -0.5, "correct": True}
    rows = [
        {**row, "token": f"{n} ", "strategy": "talk", "ending": "end_token"} for n in range(999)
    ]
    shown = readings._completion(0, rows)
    assert shown["tokens"][0][0] == "0 " and shown["tokens"][-1][0] == "998 "
    assert shown["left"] == 999 - 400 and shown["cut"] == 200
    assert readings._completion(0, rows[:400])["left"] == 0


def test_the_comparison_at_the_largest_k_is_shown(finished_run: Path) -> None:
    k, rows = problem_classes(load_run(finished_run), "formats-planted")
    assert k == "64"
    assert [
        sum(row["value"] for row in rows if (row["arm"], row["seed"]) == (arm, 0))
        for arm in ("planted-truth", "planted-coin")
    ] == [
        48,
        48,
    ]


def test_changed_claims_are_not_called_predictions(tmp_path: Path) -> None:
    write_study(tmp_path, claims_changed_after_start=True)
    text = page_of(tmp_path)
    assert "The claims were changed after the run had begun." in text
    assert "fixed before the run:" not in text


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    study = {
        "question": "<script>a</script>\u202e",
        "about": "``<i>``",
        "command": "x && <y>",
        "hardware": {"cpu": "<b>"},
        "packages": "<u>",
    }
    write_study(
        tmp_path,
        **study,
        claims=[{**encode(claims()[0]), "sentence": "</table><script>b</script>"}],
    )
    text = page_of(tmp_path)
    assert (
        "<script>a" not in text
        and "<script>b" not in text
        and "<i>" not in text.split("<script>")[0]
        and "\u202e" not in text
    )
    assert "&lt;script&gt;a&lt;/script&gt;⟨U+202E⟩" in text
    assert "<code>&lt;i&gt;</code>" in text


def test_no_study_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match=r"study\.json"):
        write_page(tmp_path)
    (tmp_path / "study.json").write_text("[]")
    with pytest.raises(RunDirectoryError, match="does not describe a study"):
        write_page(tmp_path)
    assert not (tmp_path / "report.html").exists()
