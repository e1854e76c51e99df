"""The step table: a line a step while a cell trains, Parquet at the end, whole whenever it is
killed.
"""

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from rewardscope.errors import RunDirectoryError
from rewardscope.store import CellDirectory

ROWS = [
    {"step": 0, "reward_mean": None, "loss": 0.1 + 0.2},
    {"step": 1, "reward_mean": 0.5, "loss": math.inf},
    {"step": 2, "reward_mean": 1 / 3, "loss": math.nan, "heldout/pass_at_1": 0.25},
    {"step": 3, "reward_mean": 5e-324, "loss": -1e308},
]


def grown(folder: Path, rows: list[dict[str, float | None]]) -> CellDirectory:
    cell = CellDirectory(folder)
    cell.step_table.begin(0)
    for row in rows:
        cell.step_table.append(row)
    return cell


def table_of(folder: Path) -> bytes:
    """The finished table's bytes for ROWS, never interrupted."""
    cell = grown(folder, ROWS)
    cell.step_table.finish()
    return cell.step_table.finished.read_bytes()


def test_a_row_is_read_at_once_and_the_table_of_lines_is_the_table_of_rows(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path / "a")
    cell.step_table.begin(0)
    assert (cell.steps(), cell.step_table.read()) == ([], None)
    for count, row in enumerate(ROWS, start=1):
        cell.step_table.append(row)
        assert [each["step"] for each in cell.steps()] == list(range(count))
    lines = cell.step_table.read()
    cell.step_table.finish()
    assert lines is not None and lines.equals(pl.read_parquet(cell.step_table.finished))
    assert not cell.step_table.growing.exists()
    whole = CellDirectory(tmp_path / "b")
    whole.write_steps(ROWS)
    assert whole.step_table.finished.read_bytes() == cell.step_table.finished.read_bytes()


def test_an_appended_step_leaves_the_lines_before_it_as_they_are(tmp_path: Path) -> None:
    cell = grown(tmp_path, ROWS[:3])
    before = cell.step_table.growing.read_bytes()
    cell.step_table.append(ROWS[3])
    after = cell.step_table.growing.read_bytes()
    assert after.startswith(before) and after.count(b"\n") == 4


def test_a_kill_at_any_byte_comes_out_as_the_same_table(tmp_path: Path) -> None:
    """Wherever the last line was cut, going on from the checkpoint gives the same bytes."""
    expected = table_of(tmp_path / "whole")
    lines = grown(tmp_path / "killed", ROWS).step_table.growing.read_bytes()
    two = sum(map(len, lines.splitlines(keepends=True)[:2]))
    for length in range(two, len(lines) + 1):
        cell = CellDirectory(tmp_path / "killed")
        cell.step_table.growing.write_bytes(lines[:length])
        cell.step_table.finished.unlink(missing_ok=True)
        assert len(cell.steps()) == lines[:length].count(b"\n")
        cell.step_table.begin(2)  # the last checkpoint is that of two steps
        for row in ROWS[2:]:
            cell.step_table.append(row)
        cell.step_table.finish()
        assert cell.step_table.finished.read_bytes() == expected


def test_a_kill_between_the_table_and_the_end_of_the_lines_loses_nothing(tmp_path: Path) -> None:
    expected = table_of(tmp_path / "whole")
    cell = grown(tmp_path / "killed", ROWS)
    lines = cell.step_table.growing.read_bytes()
    cell.step_table.finish()
    cell.step_table.growing.write_bytes(lines)  # as it is just before they are let go
    assert len(cell.steps()) == 4
    cell.step_table.finish()
    cell.step_table.finish()
    assert cell.step_table.finished.read_bytes() == expected
    assert not cell.step_table.growing.exists()


def test_a_cell_that_an_older_version_left_half_way_goes_on(tmp_path: Path) -> None:
    """It has Parquet alone, rewritten after each step, with steps after the checkpoint."""
    cell = CellDirectory(tmp_path)
    cell.write_steps(ROWS[:3])
    cell.step_table.begin(2)
    assert not cell.step_table.finished.exists()
    assert [row["step"] for row in cell.steps()] == [0, 1]


def test_numbers_of_arrays_are_written_as_numbers(tmp_path: Path) -> None:
    cell = grown(
        tmp_path,
        [{"step": 0, "a": np.float32(0.5), "b": np.int64(3), "c": torch.tensor(2.0)}],  # type: ignore[dict-item]
    )
    assert cell.steps() == [{"step": 0, "a": 0.5, "b": 3, "c": 2.0}]


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    cell = grown(tmp_path, ROWS[:1])
    with cell.step_table.growing.open("ab") as file:
        file.write(b"{]\n" + json.dumps(ROWS[1]).encode() + b"\n")
    with pytest.raises(RunDirectoryError, match=r"cannot be read\. Got: .*steps\.jsonl"):
        cell.steps()
