"""Step rows of finished cells in trackio, and what happens when a tool is not there or fails."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rewardscope.cli.exports import Export
from rewardscope.errors import StudyError
from rewardscope.store import RunDirectory
from rewardscope.study import load_study

STUDY = Path(__file__).parents[1] / "hard" / "micro_study.py"
READ = """
import json
import trackio
from trackio.sqlite_storage import SQLiteStorage
names = [run.name for run in trackio.Api().runs("micro")]
print(json.dumps({name: SQLiteStorage.get_logs("micro", name) for name in names}))
"""


def test_finished_cells_are_in_trackio_once(tmp_path: Path) -> None:
    pytest.importorskip("trackio")
    env = {**os.environ, "TRACKIO_DIR": str(tmp_path / "trackio"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "rewardscope", "run", STUDY, "--out", tmp_path / "run"]
    for _ in range(2):
        done = subprocess.run(
            [*command, "--workers", "0", "--log-to", "trackio"],
            env=env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and "was not sent" not in done.stdout, done.stdout + done.stderr
    read = subprocess.run(
        [sys.executable, "-c", READ], env=env, capture_output=True, text=True, check=True
    )
    found = json.loads(read.stdout.strip().splitlines()[-1])
    (name, history), *others = found.items()
    assert name.startswith("truth--s0--") and not others
    rows = RunDirectory(tmp_path / "run").cell(name).steps()
    assert [row["reward_mean"] for row in history] == [row["reward_mean"] for row in rows]


def test_a_tool_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    study, run = load_study(STUDY), RunDirectory(tmp_path)
    with pytest.raises(StudyError, match="trackio, wandb"):
        Export("tensorboard", study, run, print)
    sys.modules["wandb"] = None  # type: ignore[assignment]
    try:
        with pytest.raises(StudyError, match="pip install wandb"):
            Export("wandb", study, run, print)
    finally:
        del sys.modules["wandb"]


def test_a_service_that_fails_is_told_once_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: Any) -> None:
        raise OSError("no network\x1b[31m")

    broken = SimpleNamespace(init=fails, Settings=lambda **_: None)
    monkeypatch.setitem(sys.modules, "wandb", broken)
    study, run, told = load_study(STUDY), RunDirectory(tmp_path), list[str]()
    for cell in study.cells():
        run.cell(cell.name).path.mkdir(parents=True)
        run.cell(cell.name).write_status("done", 2)
    export = Export("wandb", study, run, told.append)
    export.poll()
    export.poll()
    assert len(told) == 1 and "was not sent: no network" in told[0] and "\x1b" not in told[0]
