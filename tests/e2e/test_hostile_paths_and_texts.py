"""Paths and texts that somebody chose to do harm, or just chose."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rewardscope.cli import app, main
from rewardscope.errors import RunDirectoryError
from rewardscope.study import load_study, open_run, run_study

ESCAPES = "\x1b]0;title\x07\x1b[31mred\x00\u202eback"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = load_study(Path(__file__).with_name("tiny_study.py"))
    study = replace(study, seeds=(0,), arms=tuple(replace(arm, steps=2) for arm in study.arms))
    run = open_run(study, tmp_path_factory.mktemp("hostile") / "run", "test")
    assert run_study(study, None, run, 0) == {}
    assert CliRunner().invoke(app, ["report", str(run.root)]).exit_code == 0
    return run.root


def test_a_path_is_never_a_pattern(finished: Path, tmp_path: Path) -> None:
    """run[1] beside run1: read as a pattern it would be the other run."""
    odd, other = tmp_path / "run[1]*", tmp_path / "run1"
    shutil.copytree(finished, odd)
    shutil.copytree(finished, other)
    for file in other.glob("cells/*/measurements.parquet"):
        file.write_bytes(b"damaged")
    done = CliRunner().invoke(app, ["report", str(odd)], catch_exceptions=False)
    assert done.exit_code == 0
    first, again = (json.loads((root / "verdicts.json").read_text()) for root in (finished, odd))
    assert first == again


def test_claims_that_were_changed_in_the_record_are_refused(finished: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(finished, root)
    record = json.loads((root / "study.json").read_text())
    record["claims"][0]["margin"] = -0.9
    (root / "study.json").write_text(json.dumps(record))
    done = CliRunner().invoke(app, ["report", str(root)])
    assert isinstance(done.exception, RunDirectoryError)
    assert "not what was written: it was edited" in str(done.exception)
    del record["seal"]  # as an earlier version wrote it
    (root / "study.json").write_text(json.dumps(record))
    done = CliRunner().invoke(app, ["report", str(root)])
    assert isinstance(done.exception, RunDirectoryError)
    assert "claims in study.json differ from those" in str(done.exception)


def test_control_characters_never_reach_the_terminal(finished: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(finished, root)
    cell = next((root / "cells").iterdir())
    (cell / "seal.json").unlink()
    (cell / "status.json").write_text(
        json.dumps({"state": "failed", "step": 0, "reason": f"why {ESCAPES}"})
    )
    output = CliRunner().invoke(app, ["status", str(root)]).output
    assert "why" in output
    assert not any(character in output for character in "\x1b\x07\x00\u202e")


def test_an_error_line_is_written_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rewardscope", "report", "no\x1b[31mrun\u202e"])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr().err
    assert "There is no run here" in told and "\u202e" not in told
    assert "\x1b[31mrun" not in told
