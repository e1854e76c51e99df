"""Programs that try to leave the sandbox, each in several dresses and spliced with one another."""

import json
import random
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from escapes import HOLDING_UP, PROGRAMS, REACHING
from rewardscope.environments.words.code.environment import Code
from rewardscope.environments.words.code.sandbox import KILL_SECONDS, TOTAL_SECONDS
from rewardscope.types import Problem

PROBLEM = Problem(
    "0" * 16,
    "Code",
    "?",
    "",
    1,
    {"function": "f", "tests": json.dumps([[n, n + 1] for n in range(12)])},
)
SECONDS = TOTAL_SECONDS + KILL_SECONDS + 5
SECRETS = ("root:", "/usr/", "PATH")
"""What stands in files and variables of any machine that these programs run on."""
DRESSES = {
    "caught": "def f(n):\n    try:\n{body}\n    except BaseException as e:\n"
    "        return repr(e)\n",
    "nested": "def f(n):\n    def g(n):\n{body}\n    return g(n)\n",
    "looped": "def f(n):\n    for _ in range(3):\n{body}\n",
    "in the end": "def f(n):\n    try:\n        return n\n    finally:\n{body}\n",
    "conditional": "def f(n):\n    if n >= 0:\n{body}\n    return n\n",
}
SPLICED = 300


def dressed() -> Iterator[str]:
    for dress in DRESSES.values():
        for body in REACHING.values():
            lines = textwrap.indent(textwrap.dedent("    " + body), "        ")
            yield dress.format(body=lines)


def spliced() -> Iterator[str]:
    """Lines of two programs, cut anywhere, addressed."""
    chance, bodies = random.Random(10), [*REACHING.values(), *list(HOLDING_UP.values())[:8]]
    for _ in range(SPLICED):
        one, other = chance.choice(bodies), chance.choice(bodies)
        cut = chance.randrange(len(one) + 1)
        yield f"def f(n):\n    {one[:cut]}\n    {other}\n"


@pytest.mark.hard
def test_no_program_leaves_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: Callable[..., None]
) -> None:
    monkeypatch.chdir(tmp_path)
    counts: Counter[str] = Counter()
    faults = []
    for program in (*PROGRAMS.values(), *dressed(), *spliced()):
        text = program.replace("MARK", str(tmp_path / "mark"))
        began = time.monotonic()
        grade = Code().grade(PROBLEM, f"```python\n{text}```")
        taken = time.monotonic() - began
        said = str(grade.feedback)
        escaped = list(tmp_path.iterdir()) or any(secret in said for secret in SECRETS)
        if escaped or taken > SECONDS or len(said) > 500:
            faults.append(f"{program!r}: {taken:.1f} s, {said[:200]}")
        # a program may be right that only tried to reach out on its way
        counts["survived" if grade.correct else "refused"] += 1
        workers = [c for c in psutil.Process().children(recursive=True) if "monty" in c.name()]
        assert len(workers) <= 1, program
    assert Code().grade(PROBLEM, "```python\ndef f(n):\n    return n + 1\n```").correct is True
    counted(tried=counts.total(), silent=len(faults), **counts)
    assert not faults, faults
