"""Answers that are programs, judged by tests in the sandbox."""

import ast
import builtins
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rewardscope.environments.words.code.environment import BLOCK, find_program, same
from rewardscope.environments.words.code.outcome import MAX_CODE_CHARACTERS, run_in_sandbox
from rewardscope.errors import ComponentError
from rewardscope.types import Grade

CHECKED = "_all_tests_of_this_row"
BUILT_IN = frozenset(dir(builtins))
OWN, PLAIN = "_function_of_the_program", "_plain_value_of_it"
GUARD = f"""
def {PLAIN}(value):
    if type(value) in (list, tuple, set, frozenset):
        for each in value:
            {PLAIN}(each)
    elif type(value) is dict:
        for name in value:
            {PLAIN}(name)
            {PLAIN}(value[name])
    elif type(value) not in (int, float, str, bool, bytes, type(None)):
        raise TypeError("the function returned something that is no plain value")
    return value
"""
"""Stands behind the program: an object of its own could call itself equal to anything."""


@dataclass(frozen=True)
class PythonTests:
    """Right if the completion's function passes every test of its row, run in the sandbox.

    ``tests`` names the column with the tests: assert statements, one text or a list of them; a text
    that defines ``check(candidate)``, as HumanEval has it; or a list of [arguments, result]. The
    answer's column holds a solution, which the proof at a study's start runs. ``function`` names
    the column with the function's name; empty = the first that the solution defines last.

    A program that gives a built-in name such as ``len`` another meaning is wrong: the tests would
    use it. None, could not be graded: what the sandbox does not know (see ``Code``). Strict: the
    completion's only code block; tolerant: the last block, or lines among prose, that define it.
    """

    tests: str = "test"
    function: str = ""
    setup: str = ""
    """Column with code that stands in front of the program, such as HumanEval's prompt; empty =
    none."""

    def key(self, answer: str, row: Mapping[str, object]) -> str:
        """JSON of solution, tests and the function's name.

        Raises:
            ComponentError: If a column is missing or holds neither form.
        """
        tests = row.get(self.tests)
        if isinstance(tests, str) and tests.lstrip().startswith("["):
            tests = json.loads(tests)
        setup = str(row.get(self.setup) or "") if self.setup else ""
        solution = answer if _names(answer) else setup + answer
        name = str(row.get(self.function) or "") if self.function else ""
        name = name or (_names(solution) or [""])[-1]
        if not tests or not name or not isinstance(tests, (str, list)):
            raise ComponentError(
                "A row has no tests, or no function that they could call",
                value=f"{self.tests}: {str(tests)[:80]!r}, function {name!r}",
                allowed="assert statements, def check(candidate), or [[arguments, result], ...]",
                do="Name the columns by tests=... and function=...",
            )
        return json.dumps({"solution": solution, "tests": tests, "function": name})

    def grade(self, prompt: str, completion: str, answer: str) -> Grade:
        """Whether all tests pass; ``steps`` has one verdict per [arguments, result]."""
        key = json.loads(answer)
        name = key["function"]
        blocks = BLOCK.findall(completion)
        formed = len(blocks) == 1 and name in (_names(blocks[0]) or [])
        program = blocks[0] if formed else find_program(completion, name)
        if program is None:
            return Grade(False, False, formed, feedback=f"no function {name} was found")
        if len(program) > MAX_CODE_CHARACTERS:
            why = f"it has more than {MAX_CODE_CHARACTERS} characters"
            return Grade(False, False, formed, answer=program.strip(), feedback=why)
        taken = redefined(program)
        if taken is None or taken:
            why = "it cannot be read" if taken is None else f"it redefines {', '.join(taken)}"
            return Grade(False, False, formed, answer=program.strip(), feedback=why)
        verdicts = _verdicts(program, name, key["tests"])
        unknown = None in verdicts
        passed = all(verdicts)
        return Grade(
            correct=None if unknown else passed,
            strict=None if unknown else passed and formed,
            well_formed=formed,
            answer=program.strip(),
            feedback="all tests pass" if passed else "a test fails",
            steps=None if unknown else tuple(bool(verdict) for verdict in verdicts),
        )

    def oracle(self, answer: str) -> str:
        """The row's solution in a code block."""
        return f"```python\n{json.loads(answer)['solution'].strip()}\n```"


def _names(program: str) -> list[str]:
    """Functions that the program defines at its top, in order."""
    return re.findall(r"^def (\w+)\b", program, re.MULTILINE)


def redefined(program: str) -> list[str] | None:
    r"""Built-in names that the program binds where tests see them; None where it is no Python.

    >>> redefined("def f(x):\n    sum = x\n    return sum"), redefined("len = lambda x: 3")
    ([], ['len'])
    """
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    bound: set[str] = set()
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef))
        for node in ast.walk(function)
        if node is not function
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            bound |= set(node.names)
        elif id(node) in inside:
            continue
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
    return sorted(bound & (BUILT_IN | {CHECKED, OWN, PLAIN, "check", "candidate"}))


def _verdicts(program: str, name: str, tests: Any) -> list[bool | None]:
    """One per pair of arguments and result, or one of all assert statements."""
    if isinstance(tests, list) and all(isinstance(each, list) and len(each) == 2 for each in tests):
        outcomes = run_in_sandbox(
            "PythonTests", program, name, [arguments for arguments, _ in tests]
        )
        return [
            None
            if outcome.kind == "unknown"
            else outcome.kind == "value" and same(outcome.value, expected)
            for outcome, (_, expected) in zip(outcomes, tests, strict=True)
        ]
    text = tests if isinstance(tests, str) else "\n".join(map(str, tests))
    calls_check = "\ndef check(" in f"\n{text}"
    body = f"check({name})" if calls_check else text
    before = text if calls_check else ""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    guarded = f"{GUARD}\n{OWN} = {name}\ndef {name}(*given):\n    return {PLAIN}({OWN}(*given))\n"
    whole = f"{program}\n{guarded}\n{before}\ndef {CHECKED}():\n{lines}\n    return 'passed'\n"
    (outcome,) = run_in_sandbox("PythonTests", whole, CHECKED, [[]])
    if outcome.kind == "unknown":
        return [None]
    return [outcome.kind == "value" and outcome.value == "passed"]
