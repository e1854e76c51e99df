"""What a stranger meets first: help, version, the module, and completion in a shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from rewardscope import __version__
from rewardscope.cli import app

COMMAND = Path(sys.executable).with_name("rewardscope")
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_version_by_the_command_and_by_the_module() -> None:
    assert run(COMMAND, "--version") == f"rewardscope {__version__}\n"
    assert run(sys.executable, "-m", "rewardscope", "--version") == f"rewardscope {__version__}\n"


def test_the_module_is_the_command() -> None:
    helped = run(sys.executable, "-m", "rewardscope", "--help", COLUMNS="100")
    assert helped == run(COMMAND, "--help", COLUMNS="100")
    assert "Usage: rewardscope [OPTIONS] COMMAND" in helped
    for group in ("Run a study", "Look closer at an arm", "See what there is"):
        assert group in helped
    assert "Commands" not in helped.split("COMMAND", 1)[1], "a command stands in no group"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_text_begins_with_one_short_sentence(name: str) -> None:
    command = COMMANDS[name]
    first = (command.help or "").split("\n\n")[0]
    assert first.endswith(".") and "\n" not in first and len(first) <= 80, first
    for parameter in command.params:
        told = getattr(parameter, "help", None)
        assert told and told.strip().endswith("."), f"{name} {parameter.name}: {told}"


NAMED_SHELL = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "SHELL": "/bin/bash"}
"""The shell is the one that is named, not one that is looked for among the parent processes: where
tests run there may be none.
"""


def test_a_shell_completes_commands() -> None:
    typed = {"_REWARDSCOPE_COMPLETE": "complete_bash", "COMP_WORDS": "rewardscope re"}
    assert run(COMMAND, **typed, COMP_CWORD="1").split() == ["report"]
    assert "complete_bash" in run(COMMAND, "--show-completion", "bash", **NAMED_SHELL)


def test_completion_and_version_do_not_wait_for_torch() -> None:
    program = (
        "import sys\nfrom rewardscope.cli import main\nsys.argv = ['rewardscope', *sys.argv[1:]]\n"
        "try:\n    main()\nfinally:\n    sys.stderr.write(str('torch' in sys.modules))"
    )
    for arguments, environment in (
        (["--version"], {}),
        ([], {"_REWARDSCOPE_COMPLETE": "complete_bash", "COMP_WORDS": "rewardscope r"}),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "COMP_CWORD": "1", **environment},
        )
        assert done.stderr.endswith("False")


def test_completion_is_installed_where_the_shell_looks(tmp_path: Path) -> None:
    run(COMMAND, "--install-completion", "bash", HOME=str(tmp_path), **NAMED_SHELL)
    assert "rewardscope" in (tmp_path / ".bashrc").read_text()
    (script,) = (tmp_path / ".bash_completions").iterdir()
    assert "_REWARDSCOPE_COMPLETE" in script.read_text()
