import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rewardscope.cli import app
from rewardscope.errors import StudyError

STUDY = str(Path(__file__).parent / "tiny_study.py")


def test_the_command_measures_an_arm_of_a_study() -> None:
    shown = CliRunner().invoke(
        app, ["clip-bias", STUDY, "coin", "--replicates", "2"], catch_exceptions=False
    )
    assert (
        shown.exit_code == 0
        and "left every weight unchanged" in shown.stdout
        and "2 replicates" in shown.stdout
    )
    record = json.loads(
        CliRunner()
        .invoke(
            app, ["clip-bias", STUDY, "coin", "--replicates", "2", "--json"], catch_exceptions=False
        )
        .stdout
    )
    assert set(record["arms"]) == {"clip", "no clip", "log-symmetric clip", "one update"}
    assert record["untouched_by_equal_rewards"] is True


def test_an_arm_that_is_not_there_is_refused() -> None:
    with pytest.raises(StudyError, match="no such arm"):
        CliRunner().invoke(app, ["clip-bias", STUDY, "lies"], catch_exceptions=False)
