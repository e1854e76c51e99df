"""`rewardscope next`: lists the lines of a run, writes the study of one, and refuses the rest."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from report_run import write_run
from rewardscope.cli import app
from rewardscope.errors import RunDirectoryError


def test_lines_are_listed_and_one_becomes_a_study_file(tmp_path: Path) -> None:
    root = write_run(tmp_path / "run")
    listed = CliRunner().invoke(app, ["next", str(root)])
    assert "Is form enough?" in listed.output
    number = listed.output[: listed.output.index(". Is form enough?")].split()[-1]
    file = tmp_path / "form.py"
    done = CliRunner().invoke(app, ["next", str(root), number, "--out", str(file)])
    assert str(file) in done.output.replace("\n", "")
    text = file.read_text()
    assert "reward=Form()" in text and "planted-truth-form" in text
    with pytest.raises(RunDirectoryError, match="exists"):
        CliRunner().invoke(
            app, ["next", str(root), number, "--out", str(file)], catch_exceptions=False
        )
    with pytest.raises(RunDirectoryError, match="no such line"):
        CliRunner().invoke(app, ["next", str(root), "99"], catch_exceptions=False)
