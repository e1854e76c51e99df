"""Running a study again mends what is damaged, and two runs in one directory leave each other's
cells alone.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from factories import SMALL_ARM
from rewardscope import Boundary, Coin, Evaluation, Study
from rewardscope.cli import app
from rewardscope.errors import InUse
from rewardscope.store import RunDirectory, read_measurements
from rewardscope.study import open_run, run_study
from rewardscope.study.runner import _attempt

ARM = replace(SMALL_ARM, steps=1, problems_per_step=2)
STUDY = Study(
    name="small",
    question="?",
    arms=(ARM, replace(ARM, name="coin", reward=Coin())),
    seeds=(0,),
    claims=(),
    evaluation=Evaluation(problems=2, draws=2, readings=1),
    probes=(Boundary(max_k=2),),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    run = open_run(STUDY, tmp_path_factory.mktemp("going on") / "run", "test")
    assert run_study(STUDY, None, run, 0) == {}
    return run


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("place", "file", "damage"),
    [
        (1, "measurements.parquet", Path.unlink),
        (1, "measurements.parquet", cut),
        (0, "evaluation/step_000000.parquet", Path.unlink),
        (1, "evaluation/step_000001.parquet", Path.unlink),
        (1, "readings/step_000001.parquet", Path.unlink),
        (1, "status.json", lambda path: path.write_text("{}")),
    ],
)
def test_what_is_gone_or_damaged_is_made_again(
    run: RunDirectory, place: int, file: str, damage: Callable[[Path], object]
) -> None:
    cells = [run.cell(cell.name) for cell in STUDY.cells()]
    before = {cell.path.name: read_measurements(cell.measurements) for cell in cells}
    others = {
        cell.measurements: cell.measurements.stat().st_mtime_ns
        for cell in cells
        if cell != cells[place]
    }
    weights = run.cell(STUDY.cells()[1].name).checkpoint(1) / "model.safetensors"
    trained = weights.stat().st_mtime_ns
    damage(cells[place].path / file)
    assert run_study(STUDY, None, run, 0) == {}
    assert {cell.path.name: read_measurements(cell.measurements) for cell in cells} == before
    assert (cells[place].path / file).is_file() and cells[place].status()["state"] == "done"
    assert {path: path.stat().st_mtime_ns for path in others} == others
    assert weights.stat().st_mtime_ns == trained, "what was trained is not trained again"


def test_a_second_run_in_the_directory_is_told_so_and_touches_nothing(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rewardscope.store.locks.PATIENCE_SECONDS", 0.0)
    record = (run.root / "study.json").read_bytes()
    with run.held():
        with pytest.raises(InUse, match="Another process is running a study in this directory"):
            open_run(replace(STUDY, question="another"), run.root, "test")
        with pytest.raises(InUse):
            run_study(STUDY, None, run, 0)
    assert (run.root / "study.json").read_bytes() == record


def test_the_status_of_a_cell_that_somebody_else_holds_is_not_written(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rewardscope.store.locks.PATIENCE_SECONDS", 0.0)
    cell = STUDY.cells()[1]
    directory = run.cell(cell.name)
    before = directory.status()
    with directory.held():
        directory.write_status("running", 0)
        assert "Another process is working on this cell" in (_attempt(STUDY, cell, run) or "")
        assert directory.status() == {"state": "running", "step": 0}
        directory.write_status(**before)


def test_status_tells_a_cell_that_runs_from_one_that_was_stopped(run: RunDirectory) -> None:
    cell = run.cell(STUDY.cells()[1].name)
    before = cell.status()

    def shown() -> dict[str, object]:
        found = json.loads(
            CliRunner()
            .invoke(app, ["status", str(run.root), "--json"], catch_exceptions=False)
            .stdout
        )
        return next(each for each in found if each["cell"] == cell.path.name)

    assert (shown()["state"], shown()["step"], shown()["steps"]) == ("done", 1, 1)
    cell.write_status("running", 0, phase="training")
    assert shown()["state"] == "stopped" and "run the study again" in str(shown()["reason"])
    with cell.held():
        assert (shown()["state"], shown()["phase"]) == ("running", "training")
        table = CliRunner().invoke(app, ["status", str(run.root)], catch_exceptions=False).stdout
        assert "running, training" in " ".join(table.split()) and "0/1" in table
    cell.write_status(**before)
