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

REACHING = {
    "read a file": "return open('/etc/passwd').read()",
    "write a file": "open('MARK', 'w').write('x')\n    return n + 1",
    "write by pathlib": "import pathlib\n    pathlib.Path('MARK').write_text('x')\n    return n + "
    "1",
    "make a folder": "import os\n    os.mkdir('MARK')\n    return n + 1",
    "list a folder": "import os\n    os.listdir('/')\n    return n + 1",
    "remove a file": "import os\n    os.remove('MARK')\n    return n + 1",
    "environment": "import os\n    return os.environ['PATH']",
    "shell": "import os\n    os.system('touch MARK')\n    return n + 1",
    "fork": "import os\n    os.fork()\n    return n + 1",
    "kill": "import os\n    os.kill(os.getppid(), 9)\n    return n + 1",
    "subprocess": "import subprocess\n    subprocess.run(['touch', 'MARK'])\n    return n + 1",
    "multiprocessing": "import multiprocessing\n    return n + 1",
    "thread": "import threading\n    return n + 1",
    "socket": "import socket\n    socket.create_connection(('127.0.0.1', 80))\n    return n + 1",
    "download": "import urllib.request\n    return n + 1",
    "ctypes": "import ctypes\n    return n + 1",
    "importlib": "import importlib\n    return n + 1",
    "import by name": "__import__('os').system('touch MARK')\n    return n + 1",
    "own package": "import rewardscope\n    return n + 1",
    "pickle": "import pickle\n    return n + 1",
    "module table": "import sys\n    return sys.modules",
    "exit": "import sys\n    sys.exit(0)",
    "exit by name": "exit()",
    "raise exit": "raise SystemExit(0)",
    "interrupt": "raise KeyboardInterrupt",
    "classes": "return ().__class__.__bases__[0].__subclasses__()",
    "classes by getattr": "return getattr((), '__cla' + 'ss__')",
    "globals of a function": "return f.__globals__['__builtins__']",
    "code of a function": "return f.__code__",
    "builtins": "return __builtins__.open('/etc/passwd').read()",
    "frames": "try:\n        1 / 0\n    except Exception as e:\n        return "
    "e.__traceback__.tb_frame",
    "format string": "return '{0.__class__.__mro__}'.format(n)",
    "eval": "return eval('__import__(\"os\").getcwd()')",
    "exec": "exec('import os; os.mkdir(\"MARK\")')\n    return n + 1",
    "compile": "return compile('1', '', 'eval')",
    "input": "return input()",
    "breakpoint": "breakpoint()\n    return n + 1",
    "standard error": "import sys\n    sys.stderr.write('x' * 10**6)\n    return n + 1",
    "equal to anything": "class E:\n        def __eq__(self, other):\n            return True\n    "
    "return E()",
    "an int that lies": "class E(int):\n        def __eq__(self, other):\n            return "
    "True\n    return E(3)",
    "another test's arguments": "_given.clear()\n    return 0",
    "itself": "return f",
}
HOLDING_UP = {
    "endless loop": "while True:\n        pass",
    "endless loop that catches": "while True:\n        try:\n            while True: pass\n        "
    "except BaseException: pass",
    "endless recursion": "return f(n)",
    "recursion that catches": "try:\n        return f(n)\n    finally:\n        return f(n)",
    "mutual recursion through sort": "return sorted([1, 2], key=lambda x: f(x))",
    "sleep": "import time\n    time.sleep(1000)",
    "sleep, many times": "import time\n    while True:\n        time.sleep(1000)",
    "endless await": "import asyncio\n    asyncio.run(asyncio.sleep(1000))",
    "long range": "return sum(range(10**12))",
    "long list": "return [0] * 10**10",
    "long text": "return 'a' * 10**11",
    "growing list": "a = []\n    while True:\n        a.append('x' * 1000)",
    "growing dictionary": "return {i: str(i) for i in range(10**9)}",
    "doubling list": "a = [1]\n    while True:\n        a = a + a",
    "doubling list, shared": "a = [1]\n    for _ in range(60):\n        a = [a, a]\n    return a",
    "deep list": "a = []\n    for _ in range(200000):\n        a = [a]\n    return a",
    "list in itself": "a = []\n    a.append(a)\n    return a",
    "dictionary in itself": "a = {}\n    a['a'] = a\n    return a",
    "large result": "return list(range(300000))",
    "power tower": "return 9 ** 9 ** 9 ** 9",
    "huge shift": "return 1 << 10**10",
    "huge int": "return 10 ** 100000",
    "huge int as text": "return str(10 ** 1000000)",
    "huge factorial": "x = 1\n    for i in range(1, 10**6):\n        x = x * i\n    return x",
    "huge output": "print('x' * 10**9)",
    "endless output": "while True:\n        print('x' * 1000)",
    "wide format": "return f'{n:0999999999}'",
    "wide percent": "return '%0999999999d' % n",
    "wide padding": "return 'a'.center(10**11)",
    "replacing text": "return ('a' * 10**6).replace('a', 'a' * 10**6)",
    "joining text": "return ('b' * 10**6).join(['a'] * 10**4)",
    "regular expression": "import re\n    return re.match('(a*)*$', 'a' * 40 + 'b')",
    "regular expression with a reference": "import re\n    return re.match(r'(a|a)*\\\\1b', 'a' * "
    "40)",
    "decimal digits": "import decimal\n    decimal.getcontext().prec = 10**9\n    return "
    "decimal.Decimal(1) / 3",
    "combinations": "import itertools\n    return list(itertools.product(range(100), repeat=9))",
    "half a surrogate": "return '\\\\ud800' + chr(0xd800)",
    "infinity and no number": "return [float('inf'), float('nan')]",
}
WHOLE = {
    "endless loop outside": "while True:\n    pass\ndef f(n):\n    return n + 1",
    "memory outside": "x = [0] * 10**10\ndef f(n):\n    return n + 1",
    "exit outside": "import sys\nsys.exit()\ndef f(n):\n    return n + 1",
    "deep brackets": "def f(n):\n    return " + "(" * 5000 + "n" + ")" * 5000,
    "deep minus": "def f(n):\n    return " + "-" * 9000 + "n",
    "deep sum": "def f(n):\n    return " + "+".join(["n"] * 9000),
    "deep indentation": "def f(n):\n"
    + "".join(" " * i + "if n:\n" for i in range(1, 190))
    + " " * 190
    + "return 0",
    "much code": "def f(n):\n    return n + 1\n" + "x = 1\n" * 10_000,
    "null": "def f(n):\n    return \x00",
    "other encoding": "# -*- coding: utf-7 -*-\ndef f(n):\n    return +AG4-",
    "names from right to left": "def f(n):\n    return n\u202e + 2\u2066",
    "half a surrogate outside": "def f(n):\n    return '\ud800'",
    "calling the harness": "_one = 5\n_given = [(9,)] * 12\ndef f(n):\n    return _given[n][0]",
    "replaced by a number": "def f(n):\n    global f\n    f = 7\n    return n + 1",
    "a class for the function": "class f:\n    def __init__(self, n):\n        self.n = n + 1",
}
PROGRAMS = (
    {name: f"def f(n):\n    {body}\n" for name, body in REACHING.items()}
    | {name: f"def f(n):\n    {body}\n" for name, body in HOLDING_UP.items()}
    | WHOLE
)
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
