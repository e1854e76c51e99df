"""`rewardscope init` through the installed command, in an empty directory, as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("rewardscope")


def rewardscope(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], cwd=cwd, capture_output=True, text=True)


def test_it_writes_what_its_readme_names_and_says_what_to_do_next(tmp_path: Path) -> None:
    done = rewardscope("init", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = {path.name for path in (tmp_path / "mine").iterdir()}
    assert files == {"README.md", "my_environment.py", "my_reward.py", "study.py"}
    readme = (tmp_path / "mine" / "README.md").read_text()
    assert all(f"`{name}`" in readme for name in files - {"README.md"})
    assert "cd mine && rewardscope run study.py" in done.stdout


def test_it_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "my_reward.py").write_text("precious")
    done = rewardscope("init", ".", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    told = " ".join(done.stderr.split())
    for part in ("would overwrite", "Got: my_reward.py", "Allowed:", "Name another folder"):
        assert part in told
    assert [path.name for path in tmp_path.iterdir()] == ["my_reward.py"]
    assert (tmp_path / "my_reward.py").read_text() == "precious"


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file")
    done = rewardscope("init", "mine", cwd=tmp_path)
    assert done.returncode == 2 and "cannot be written there" in done.stderr


@pytest.mark.slow
def test_the_new_study_runs_at_once(tmp_path: Path) -> None:
    assert rewardscope("init", "mine", cwd=tmp_path).returncode == 0
    mine = tmp_path / "mine"
    done = rewardscope("run", "study.py", cwd=mine)
    assert done.returncode == 0, done.stderr
    verdicts = json.loads((mine / "runs" / "brief" / "verdicts.json").read_text())["verdicts"]
    assert len(verdicts) == 3
    outcomes = [verdict["outcome"] for verdict in verdicts]
    assert outcomes[0] == "supported" and outcomes[2] == "supported", outcomes
    for command in ("status", "report"):
        assert rewardscope(command, "runs/brief", cwd=mine).returncode == 0
