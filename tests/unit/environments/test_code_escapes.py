"""Programs that try to get out of the sandbox, or to hold it up: each is wrong or ungraded, in
time, and leaves nothing behind.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from escapes import PROGRAMS
from rewardscope.environments.words.code.environment import Code
from rewardscope.environments.words.code.outcome import shown
from rewardscope.environments.words.code.sandbox import KILL_SECONDS, TOTAL_SECONDS, call
from rewardscope.types import Problem

PROBLEM = Problem(
    "0" * 16,
    "Code",
    "?",
    "",
    1,
    {"function": "f", "tests": json.dumps([[n, n + 1] for n in range(12)])},
)
SECONDS = TOTAL_SECONDS + KILL_SECONDS + 2
"""One grade, on a busy machine."""

UNGRADED = {"an int that lies"}
"""What the grader itself cannot decide: the sandbox has no inheritance."""


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """One grade, so that the worker is there before its processes are counted."""
    Code().grade(PROBLEM, "```python\ndef f(n):\n    return n + 1\n```")


def workers() -> set[int]:
    return {
        child.pid for child in psutil.Process().children(recursive=True) if "monty" in child.name()
    }


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_graded_wrong_in_time_and_nothing_is_left(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = PROGRAMS[name].replace("MARK", str(tmp_path / "mark"))
    started = time.monotonic()
    grade = Code().grade(PROBLEM, f"```python\n{program}```")
    assert time.monotonic() - started < SECONDS
    assert grade.correct is (None if name in UNGRADED else False)
    assert len(str(grade.feedback)) < 500
    assert list(tmp_path.iterdir()) == []
    assert len(workers()) <= 1
    assert psutil.Process().memory_info().rss < 3 * 2**30
    after = Code().grade(PROBLEM, "```python\ndef f(n):\n    return n + 1\n```")
    assert after.correct is True, "the next grade is as good as ever"


def test_one_program_leaves_nothing_for_the_next() -> None:
    call("secret = 7\ndef f(n):\n    return n\n", "f", [[1]])
    (outcome,) = call("def f(n):\n    return secret\n", "f", [[1]])
    assert outcome.kind == "error"
    assert "secret" in outcome.message


def test_chance_and_the_clock_are_no_way_to_a_different_grade() -> None:
    program = "import random\ndef f(n):\n    return random.random()\n"
    assert [o.value for o in call(program, "f", [[1], [2]])] == [
        o.value for o in call(program, "f", [[1], [2]])
    ]


def test_a_worker_that_somebody_kills_is_replaced_and_the_program_graded() -> None:
    for worker in workers():
        os.kill(worker, signal.SIGKILL)
    assert Code().grade(PROBLEM, "```python\ndef f(n):\n    return n + 1\n```").correct is True


@pytest.mark.parametrize(
    "ending",
    ["", "import os; os._exit(0)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"],
)
def test_no_worker_outlives_the_process_that_started_it(ending: str) -> None:
    code = (
        "import psutil\nfrom rewardscope.environments.words.code.sandbox import call\n"
        "call('def f(n):\\n    return n', 'f', [[1]])\n"
        f"print(*(c.pid for c in psutil.Process().children()), flush=True)\n{ending}"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    ).stdout.split()
    assert len(said) == 1
    deadline = time.monotonic() + 10
    while psutil.pid_exists(int(said[0])) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(said[0]))


def test_a_process_forked_after_the_first_grade_is_refused_and_does_not_hang() -> None:
    code = (  # os.write: a line that two processes print to one pipe may be mixed
        "import os\nfrom rewardscope.environments.words.code.sandbox import call\n"
        "program = 'def f(n):\\n    return n'\ncall(program, 'f', [[1]])\nchild = os.fork()\n"
        "try:\n    said = str(call(program, 'f', [[2]])[0].value)\nexcept ValueError as error:\n"
        "    said = type(error).__name__\nos.write(1, f'{said}\\n'.encode())\nos.waitpid(child, 0) "
        "if child else os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert sorted(done.stdout.split()) == ["2", "EnvironmentFault"]


def test_a_value_is_shown_shortened() -> None:
    assert shown(10**10000) == "a number of over 4,300 digits"
    assert len(shown("a" * 10**6)) < 100
    assert len(shown([[list(range(100))] * 100] * 100)) < 5000
