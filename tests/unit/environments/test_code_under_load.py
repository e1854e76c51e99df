"""A program's grade does not depend on who else is busy on the machine, or on the time of day."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rewardscope.environments.words.code.environment import Code
from rewardscope.environments.words.code.sandbox import call

BUSY = "while True: pass"
HEAVY = """
    total = 0
    for step in range(200_000):
        total += step % 3
"""


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Four processes for each core, each never idle."""
    neighbours = [
        subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(4 * (os.cpu_count() or 1))
    ]
    yield
    for neighbour in neighbours:
        neighbour.kill()
        neighbour.wait()


def test_a_heavy_right_program_is_right_beside_busy_processes(busy_machine: None) -> None:
    environment = Code(("affine",))
    problem = environment.problem("train", 0)
    head, _, rest = environment.oracle(problem).partition(":\n")
    grade = environment.grade(problem, f"{head}:{HEAVY}{rest}")
    assert (grade.correct, grade.strict) == (True, True), grade.feedback


def test_a_program_without_end_is_wrong_and_not_ungraded_beside_busy_processes(
    busy_machine: None,
) -> None:
    outcomes = call("def f(n):\n    while n: pass\n    return 7", "f", [[0], [1], [0]])
    assert [outcome.kind for outcome in outcomes] == ["value", "error", "error"]
    assert "of the processor" in outcomes[1].message


def test_programs_see_a_clock_that_stands_still() -> None:
    code = (
        "import time, datetime\ndef f(n):\n    return [time.time(), str(datetime.datetime.now())]"
    )
    first, second = call(code, "f", [[0], [1]])
    assert first.value == second.value == [1577836800.0, "2020-01-01 00:00:00"]
