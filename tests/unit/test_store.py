import concurrent.futures
import errno
import os
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from factories import PROBLEM, completion, measurement, rollout
from rewardscope.errors import CheckpointError, InUse, RunDirectoryError
from rewardscope.store import (
    COMPLETE,
    CellDirectory,
    RunDirectory,
    check_directory,
    measuring_signature,
    read_json,
    read_measurements,
    read_rollouts,
    seal_directory,
    write_bytes,
    write_json,
    write_measurements,
    write_rollouts,
    write_table,
)
from rewardscope.types import Claim, Ending, Outcome, Rewards, Verdict

HOSTILE = "<script>\x00\x1b[31m\u202e\r\n\t'\"\\ {{ 7*7 }} \U0001f600 \u0661"


def test_bytes_arrive_whole_and_readable_by_others(tmp_path: Path) -> None:
    write_bytes(tmp_path / "new" / "a.bin", b"\x00\xff")
    assert (tmp_path / "new" / "a.bin").read_bytes() == b"\x00\xff"
    assert stat.S_IMODE((tmp_path / "new" / "a.bin").stat().st_mode) == 0o644
    assert os.listdir(tmp_path / "new") == ["a.bin"]


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_bytes(tmp_path / "a.json", b"old")
    monkeypatch.setattr(*((os, "fsync") if where == "fsync" else (Path, "replace")), full)
    with pytest.raises(RunDirectoryError, match="No space left on device"):
        write_bytes(tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_place_that_is_no_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunDirectoryError, match="could not be written"):
        write_json(tmp_path / "file" / "a.json", 1)


def test_json_that_is_missing_or_cut_is_explained(tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text('{"a": ')
    for name in ("cut.json", "missing.json"):
        with pytest.raises(RunDirectoryError, match=f"cannot be read.*{name}"):
            read_json(tmp_path / name)


def test_rollouts_read_back_as_they_were(tmp_path: Path) -> None:
    hostile = replace(PROBLEM, prompt=HOSTILE, answer=HOSTILE, facts={HOSTILE: HOSTILE, "a": ""})
    bare = rollout([None, None], answer=None, strategy=None)
    full = rollout(
        [True, False], problem=hostile, feedback=HOSTILE, confidence=0.1, steps=(True, False)
    )
    written = [
        bare,
        replace(full, recalled=("one", HOSTILE)).told(
            Rewards((1.0, None), {"truth": (1.0, None), "form": (0.1, 0.2)})
        ),
        full.told(Rewards((0.25, -1e300))),
        replace(
            rollout([True, True], steps=()),
            completions=(
                completion("", Ending.LENGTH, 0),
                completion(HOSTILE, Ending.STOP_TEXT, 1),
            ),
        ),
        replace(rollout([False]), policy_step=3),
    ]
    write_rollouts(tmp_path / "r.parquet", written)
    assert read_rollouts(tmp_path / "r.parquet") == written


def test_rollouts_of_before_there_was_a_proxy_read_back_without_one(tmp_path: Path) -> None:
    write_rollouts(tmp_path / "r.parquet", [rollout([True, False])])
    pl.read_parquet(tmp_path / "r.parquet").drop("proxy").write_parquet(tmp_path / "old.parquet")
    (old,) = read_rollouts(tmp_path / "old.parquet")
    assert [grade.proxy for grade in old.grades] == [None, None]
    assert [grade.correct for grade in old.grades] == [True, False]


def test_untold_and_told_nothing_are_two_things(tmp_path: Path) -> None:
    untold, told_nothing = rollout([True]), rollout([True]).told(Rewards((None,)))
    write_rollouts(tmp_path / "r.parquet", [untold, told_nothing])
    assert [r.rewards for r in read_rollouts(tmp_path / "r.parquet")] == [None, (None,)]


def test_what_a_policy_chose_and_its_turns_read_back_as_they_were(tmp_path: Path) -> None:
    several = replace(
        completion("g2\n2b.\nq"), chosen=(True, False, True), turns=("g2", "q"), ending=Ending.OVER
    )
    written = [replace(rollout([True, False]), completions=(several, completion()))]
    write_rollouts(tmp_path / "r.parquet", written)
    assert read_rollouts(tmp_path / "r.parquet") == written
    assert (several.said, several.places, several.length) == ("g2\nq", (0, 2), 2)
    assert (completion().said, completion().places, completion().length) == ("g:5", (0, 1, 2), 3)


def test_rollouts_from_before_there_were_turns_are_single_turns(tmp_path: Path) -> None:
    write_rollouts(tmp_path / "new.parquet", [rollout([True, False])])
    pl.read_parquet(tmp_path / "new.parquet").drop("chosen", "turns").write_parquet(
        tmp_path / "old.parquet"
    )
    assert read_rollouts(tmp_path / "old.parquet") == [rollout([True, False])]


def test_no_rollouts_and_no_measurements_are_tables_with_columns(tmp_path: Path) -> None:
    write_rollouts(tmp_path / "r.parquet", [])
    write_measurements(tmp_path / "m.parquet", [])
    assert (read_rollouts(tmp_path / "r.parquet"), read_measurements(tmp_path / "m.parquet")) == (
        [],
        [],
    )
    assert "correct" in pl.read_parquet_schema(tmp_path / "r.parquet")


def test_an_ungraded_completion_is_null_on_disk_and_not_false(tmp_path: Path) -> None:
    write_rollouts(tmp_path / "r.parquet", [rollout([None, False])])
    assert pl.read_parquet(tmp_path / "r.parquet")["correct"].to_list() == [None, False]


def test_measurements_read_back_as_they_were(tmp_path: Path) -> None:
    written = [
        measurement(),
        measurement(seed=None, value=None, labels={}, sources=(), n=0, dropped=64),
        measurement(
            lower=0.1,
            upper=0.9,
            interval="bootstrap",
            labels={"problem": HOSTILE, "k": "1"},
            sources=("a", HOSTILE),
        ),
    ]
    write_measurements(tmp_path / "m.parquet", written)
    assert read_measurements(tmp_path / "m.parquet") == written


def test_verdicts_read_back_as_they_were(tmp_path: Path) -> None:
    claim = Claim(
        sentence=HOSTILE,
        metric="boundary/pass_at_k",
        treatment="t",
        control="base",
        expects="less",
        labels={"k": "1"},
    )
    verdict = Verdict(
        claim=claim,
        outcome=Outcome.REFUTED,
        estimate=0.1,
        lower=-0.1,
        upper=0.3,
        unit="share",
        interval="bootstrap",
        num_seeds=3,
        num_problems=64,
        treatment_mean=0.6,
        control_mean=0.5,
        smallest_visible=0.3,
        evidence=("a", "b"),
        reason=HOSTILE,
    )
    empty = replace(
        verdict,
        outcome=Outcome.NOT_RUN,
        estimate=None,
        lower=None,
        upper=None,
        evidence=(),
        smallest_visible=None,
    )
    run = RunDirectory(tmp_path)
    run.write_record({"claims": []})
    run.write_verdicts([verdict, empty])
    assert run.verdicts() == [verdict, empty]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    partial = tmp_path / "checkpoints" / "step_000002.partial"
    partial.mkdir(parents=True)
    (partial / "model.safetensors").write_bytes(b"weights" * 100)
    (partial / "config.json").write_text("{}")
    final = partial.with_suffix("")
    seal_directory(partial, final)
    return final


def test_a_sealed_directory_passes_its_check(checkpoint: Path) -> None:
    check_directory(checkpoint)
    assert CellDirectory(checkpoint.parents[1]).checkpoints() == [2]
    assert os.listdir(checkpoint.parent) == ["step_000002"]


def test_sealing_again_replaces_what_was_there(checkpoint: Path) -> None:
    partial = checkpoint.with_suffix(".partial")
    partial.mkdir()
    (partial / "other").write_text("x")
    seal_directory(partial, checkpoint)
    check_directory(checkpoint)
    assert sorted(os.listdir(checkpoint)) == [COMPLETE, "other"]


def test_a_missing_file_of_a_checkpoint_is_noticed(checkpoint: Path) -> None:
    (checkpoint / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json"):
        check_directory(checkpoint)


def test_a_truncated_file_of_a_checkpoint_is_noticed(checkpoint: Path) -> None:
    os.truncate(checkpoint / "model.safetensors", 10)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        check_directory(checkpoint)


def test_one_flipped_bit_of_a_checkpoint_is_noticed(checkpoint: Path) -> None:
    data = bytearray((checkpoint / "model.safetensors").read_bytes())
    data[350] ^= 1
    (checkpoint / "model.safetensors").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        check_directory(checkpoint)


def test_an_unfinished_checkpoint_does_not_count(checkpoint: Path) -> None:
    (checkpoint / COMPLETE).unlink()
    assert CellDirectory(checkpoint.parents[1]).checkpoints() == []
    with pytest.raises(CheckpointError, match="never finished"):
        check_directory(checkpoint)


def test_a_cell_can_be_held_again_after_it_was_let_go(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path / "cell")
    held = 0
    for _ in range(2):
        with cell.held():
            held += 1
    assert held == 2


def test_a_held_cell_refuses_a_second_process_and_frees_itself_when_the_first_dies(
    tmp_path: Path,
) -> None:
    cell = CellDirectory(tmp_path / "cell")
    program = (
        f"import pathlib, sys; from rewardscope.store import CellDirectory\n"
        f"with CellDirectory(pathlib.Path({str(cell.path)!r})).held():\n    print('held', "
        "flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert cell.is_held
        with pytest.raises(InUse, match="Another process is working on this cell"), cell.held():
            pass
        holder.kill()
    with cell.held():
        pass
    assert not cell.is_held


def test_a_lock_that_is_let_go_in_a_moment_is_waited_for(tmp_path: Path) -> None:
    cell, running = CellDirectory(tmp_path / "cell"), threading.Event()

    def hold() -> None:
        with cell.held():
            running.set()
            time.sleep(0.3)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(hold)
        running.wait()
        with cell.held():
            assert cell.is_held
        first.result()


@pytest.mark.parametrize(
    "content", [b"{}", b"[]", b"{", b"\xff\xfe", b'{"state": "done"}', b'"done"']
)
def test_a_status_that_says_nothing_is_unreadable_and_stops_nobody(
    tmp_path: Path, content: bytes
) -> None:
    cell = CellDirectory(tmp_path)
    (tmp_path / "status.json").write_bytes(content)
    status = cell.status()
    assert (status["state"], status["step"]) == ("unreadable", 0) and "status.json" in status[
        "reason"
    ]


@pytest.mark.parametrize(
    "content",
    [b"{}", b"[]", b"{", b"\xff\xfe", b'{"name": "a", "arms": [{}], "seeds": [], "claims": []}'],
)
def test_a_record_that_describes_no_study_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(RunDirectoryError, match=r"study\.json.*run STUDY --out .* made again"):
        RunDirectory(tmp_path).record()


def test_where_there_is_no_run_is_said(tmp_path: Path) -> None:
    for root, reason in ((tmp_path, "no study.json in it"), (tmp_path / "gone", "no such folder")):
        with pytest.raises(RunDirectoryError, match=f"There is no run here.*{reason}.*runs/NAME"):
            RunDirectory(root).record()


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "measurements.parquet"
    write_measurements(path, [measurement()])
    path.write_bytes(path.read_bytes()[:-20])
    for read in (read_measurements, read_rollouts):
        with pytest.raises(
            RunDirectoryError, match=r"cannot be read.*measurements\.parquet.*Run the study again"
        ):
            read(path)
    write_table(path, pl.DataFrame({"a": [1]}))
    with pytest.raises(RunDirectoryError, match=r"holds no measurements.*measurements\.parquet"):
        read_measurements(path)


def test_what_is_the_matter_with_a_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match="A file stands where a folder should be"):
        write_json(tmp_path / "file" / "a.json", 1)
    with (
        pytest.raises(RunDirectoryError, match="A file stands where a folder should be"),
        RunDirectory(tmp_path / "file" / "run").held(),
    ):
        pass


def test_a_cell_nobody_began_is_owed(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path / "cell")
    assert cell.status() == {"state": "owed", "step": 0}
    assert (cell.steps(), cell.checkpoints()) == ([], [])


def test_status_and_steps_read_back(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path / "cell")
    cell.write_status("failed", 3, reason=HOSTILE)
    assert cell.status() == {"state": "failed", "step": 3, "reason": HOSTILE}
    rows = [
        {"step": 0, "reward_mean": None, "loss": 0.1},
        {"step": 1, "reward_mean": 0.5, "loss": 0.2},
    ]
    cell.write_steps(rows)
    assert cell.steps() == rows


def test_a_first_step_whose_number_is_unknown_does_not_fix_the_column(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path / "cell")
    rows = [{"step": step, "reward_mean": None} for step in range(200)] + [
        {"step": 200, "reward_mean": 0.5}
    ]
    cell.write_steps(rows)
    assert cell.steps() == rows


def test_cells_of_another_study_are_listed(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    for name in ("a--s0--1", "b--s0--2", "c--s0--3"):
        run.cell(name).path.mkdir(parents=True)
    run.account(["a--s0--1", "b--s0--2", "c--s0--3", "owed--s0--4"])
    with pytest.raises(RunDirectoryError, match="Got: a--s0--1, c--s0--3"):
        run.account(["b--s0--2"])


def test_the_measurements_of_a_run_are_those_of_its_cells_in_order(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    record = {"evaluation": {"draws": 8}, "probes": [], "version": "1"}
    write_json(tmp_path / "study.json", record)
    run.cell("c").path.mkdir(parents=True)
    for name in ("b", "a"):
        write_measurements(run.cell(name).measurements, [measurement(arm=name)])
        run.cell(name).write_status("done", 4, measured=measuring_signature(record))
    assert [row.arm for row in run.measurements()] == ["a", "b"]


@pytest.mark.parametrize(
    "change",
    [{"evaluation": {"draws": 16}}, {"probes": [{"is": "Boundary"}]}, {"version": "2"}],
    ids=str,
)
def test_rows_of_an_older_evaluation_are_no_rows_of_the_study(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    """After the study changed one cell was measured again, one has yet to be, one failed at it and
    one is at it.
    """
    run, before = RunDirectory(tmp_path), {"evaluation": {"draws": 8}, "probes": [], "version": "1"}
    now = {**before, **change}
    write_json(tmp_path / "study.json", {**now, "claims": []})
    for name in ("again", "before", "failed", "running"):
        write_measurements(run.cell(name).measurements, [measurement(arm=name)])
    run.cell("again").write_status("done", 4, measured=measuring_signature(now))
    run.cell("before").write_status("done", 4, measured=measuring_signature(before))
    run.cell("failed").write_status("failed", 4, reason="no memory")
    run.cell("running").write_status("running", 4, phase="evaluating")
    assert [row.arm for row in run.measurements()] == ["again"]
