"""The package without the extra 'words': all but the worlds that need it works, and they say so."""

import subprocess
import sys

import pytest

BLOCKED = """
import sys
for module in ("reasoning_gym", "pydantic_monty", "psutil"):
    sys.modules[module] = None
"""
WORLDS = """
from rewardscope.environments.words.code.environment import Code
from rewardscope.environments.words.countdown import Countdown
from rewardscope.environments.words.gym import Gym
from rewardscope.environments.words.gym_sets import LADDERS
from rewardscope.environments.words.loophole import Loophole
from rewardscope.errors import ComponentError

code = Code()
problem = code.problem("train", 0)
for name, use in {
    "Gym": Gym, "Loophole": Loophole, "Code": lambda: code.grade(problem, code.oracle(problem))
}.items():
    try:
        use()
    except ComponentError as error:
        print(name, "says:", error)
countdown = Countdown()
problem = countdown.problem("train", 0)
print("Countdown", countdown.grade(problem, countdown.oracle(problem)).correct)
"""
COMMAND = """
from rewardscope.cli import main
sys.argv = ["rewardscope", *{!r}.split()]
main()
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, timeout=300
    )


def test_worlds_import_and_those_that_lack_their_packages_say_what_installs_them() -> None:
    said = run(WORLDS)
    assert said.returncode == 0, said.stderr
    *lacking, countdown = said.stdout.strip().splitlines()
    assert [line.split()[0] for line in lacking] == ["Gym", "Loophole", "Code"]
    for line in lacking:
        assert "needs a package that is not installed" in line
        assert line.endswith("Run: pip install 'rewardscope[words]'.")
    assert countdown == "Countdown True"


@pytest.mark.parametrize("command", ["methods", "worlds", "worlds Gym", "doctor --all"])
def test_the_lists_and_the_doctor_work_without_them(command: str) -> None:
    said = run(COMMAND.format(command))
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Traceback" not in said.stderr
    assert ("rewardscope[words]" in said.stdout) == (" " in command)
