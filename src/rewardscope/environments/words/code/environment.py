"""Small functions to write in Python, and how a completion's program is found and graded."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rewardscope.environments.base import MAX_ATTEMPTS, content_id, owner
from rewardscope.environments.extraction import bounded
from rewardscope.environments.words.code.family import Family, Parameters
from rewardscope.environments.words.code.ints import INTS
from rewardscope.environments.words.code.lists import LISTS
from rewardscope.environments.words.code.outcome import Outcome, run_in_sandbox, shown
from rewardscope.environments.words.code.texts import TEXTS
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

FAMILIES: dict[str, Family] = {family.name: family for family in (*INTS, *LISTS, *TEXTS)}
"""Every family there is, by the name of the function to write."""
HELD_OUT = ("count_divisible", "clamp", "best_window", "every_kth_reversed", "longest_run")
"""Not asked in training unless named."""
KNOWN = tuple(name for name in FAMILIES if name not in HELD_OUT)
SHARES = {"train": 0.8, "heldout": 0.2}
SPLITS = {"train": "train", "heldout": "heldout", "heldout_families": None}
"""Split -> which share of the functions it draws from; None = all, of other families."""
VISIBLE, HIDDEN = 3, 9
"""Tests in the prompt, and tests that no model sees."""
LEAST_DIFFERENT = 4
"""Different results among the hidden tests, so that no constant passes them."""

BLOCK = re.compile(r"```[a-zA-Z]*[ \t]*\n(.*?)```", re.DOTALL)
TOP_LEVEL = re.compile(r"(?:def|async def|class|import|from|@)\b|@|\s|$|#")
"""How a line of a program begins, where a program stands among prose."""


@dataclass(frozen=True)
class Code:
    """A function to write from its description and three examples; nine hidden tests decide, run in
    a sandbox.

    24 families over whole numbers, lists and texts, each with parameters and wordings. What a
    function does decides its split, however it is told, so no function of ``train`` is asked for
    again in ``heldout``; ``heldout_families`` asks for those that ``families`` leaves out. Results
    count with their type: 4.0 is not 4, and True is not 1. The program runs in ``pydantic-monty``
    with limits of time, memory, recursion and output, and never in this process. None, could not be
    graded: a construct of Python that the sandbox lacks (``yield``, ``del``), a worker that died of
    itself, or a machine too busy to say. Out of processor time (1 s a call, 2 s a grade), out of
    memory, or reaching for what a sandbox does not have is wrong. The clock that programs see
    stands still.

    ``steps`` are the verdicts of all twelve tests, the three of the prompt first, so that `Process`
    pays the share of tests passed.

    Source:
        The share of tests passed, then all or nothing: Sun et al. 2025, arXiv:2509.21016 (DELTA).
    """

    families: tuple[str, ...] = KNOWN
    max_level: int = 3
    """1 = one expression; 2 = one loop or a condition in it; 3 = a loop that keeps a state, or two
    loops.
    """

    name: ClassVar[str] = "Code"
    strategies: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.families if name not in FAMILIES]
        if unknown or not self.families or len(set(self.families)) < len(self.families):
            raise ComponentError(
                "Code needs families that it has, each once",
                value=", ".join(unknown or self.families) or "none",
                allowed=", ".join(FAMILIES),
                do="Name some of them",
            )
        if not self._asked(True):
            raise ComponentError(
                "Code has no family this easy",
                value=f"max_level={self.max_level}",
                allowed="1, 2 or 3, and a family of that level or below",
                do="Mend max_level or families",
            )

    def _asked(self, known: bool) -> list[Family]:
        """The families of ``families``, or the others; of the levels that are asked."""
        return [
            family
            for name, family in FAMILIES.items()
            if (name in self.families) == known and family.level <= self.max_level
        ]

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index).

        Raises:
            EnvironmentFault: If the split does not exist, or no family is left for it.
        """
        if split not in SPLITS:
            raise EnvironmentFault(
                "Code has no such split",
                value=repr(split),
                allowed=", ".join(SPLITS),
                do="Use one of them",
            )
        home = SPLITS[split]
        families = self._asked(home is not None)
        if not families:
            raise EnvironmentFault(
                "Code has no family left to hold out",
                value=f"{len(self.families)} families, max_level={self.max_level}",
                do="Leave some out of families",
            )
        random = generator("problem", "Code", split, index)
        family = families[int(random.integers(len(families)))]
        parameters, tests = draw_function(family, random, home)
        wording = family.wordings[int(random.integers(len(family.wordings)))]
        prompt = _prompt(family, family.told(wording, parameters), tests[:VISIBLE])
        facts = {"function": family.name, "tests": json.dumps(tests)}
        return Problem(
            content_id("Code", prompt),
            "Code",
            prompt,
            family.source(parameters),
            family.level,
            facts,
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: the completion's only code block, if it defines the function; tolerant: the last
        block, or lines among prose, that do.
        """
        text = bounded(text)
        function, tests = problem.facts["function"], json.loads(problem.facts["tests"])
        blocks = BLOCK.findall(text)
        formed = len(blocks) == 1 and _defines(blocks[0], function)
        program = blocks[0] if formed else find_program(text, function)
        if program is None:
            feedback = f"no function {function} was found"
            return Grade(correct=False, strict=False, well_formed=formed, feedback=feedback)
        outcomes = run_in_sandbox(
            self.name, program, function, [[argument] for argument, _ in tests]
        )
        passed = tuple(
            o.kind == "value" and same(o.value, expected)
            for o, (_, expected) in zip(outcomes, tests, strict=True)
        )
        unknown = any(outcome.kind == "unknown" for outcome in outcomes) and not all(passed)
        return Grade(
            correct=None if unknown else all(passed),
            strict=None if unknown else formed and all(passed),
            well_formed=formed,
            answer=program.strip(),
            feedback=_feedback(function, tests, outcomes, passed),
            steps=None if unknown else passed,
        )

    def oracle(self, problem: Problem) -> str:
        """The reference solution in a code block."""
        return f"```python\n{problem.answer}```"


def draw_function(
    family: Family, random: np.random.Generator, home: str | None
) -> tuple[Parameters, list[list[Any]]]:
    """Random parameters of a function that belongs to ``home`` (None = wherever it belongs), by the
    hash of what it does, and its tests.
    """
    for _ in range(MAX_ATTEMPTS):
        parameters = family.draw(random)
        if home in (
            None,
            owner(content_id("Code function", json.dumps([family.name, parameters])), SHARES),
        ):
            tests = draw_tests(family, parameters, random)
            if tests is not None:
                return parameters, tests
    raise EnvironmentFault(
        f"Code found no function of {family.name}",
        value=f"{MAX_ATTEMPTS} draws",
        do="Widen its parameters",
    )


def draw_tests(
    family: Family, parameters: Parameters, random: np.random.Generator
) -> list[list[Any]] | None:
    """[argument, result] of every test, the visible ones first, no argument twice; None where the
    results hardly differ.
    """
    for _ in range(5):
        found: dict[str, list[Any]] = {}
        for _ in range(4 * (VISIBLE + HIDDEN)):
            argument = family.example(random, parameters)
            found.setdefault(json.dumps(argument), [argument, family.answer(parameters, argument)])
            if len(found) == VISIBLE + HIDDEN:
                break
        tests = list(found.values())
        if (
            len(tests) == VISIBLE + HIDDEN
            and len({json.dumps(result) for _, result in tests[VISIBLE:]}) >= LEAST_DIFFERENT
        ):
            return tests
    return None


def find_program(text: str, function: str) -> str | None:
    r"""The last code block that defines ``function``, also one that was never closed; failing that,
    the program's lines among the prose.

    >>> find_program("Sure!\ndef f(n):\n    return n\nThis returns n.", "f")
    'def f(n):\n    return n'
    """
    for block in reversed(BLOCK.findall(text)):
        if _defines(block, function):
            return str(block)
    unclosed = text.rpartition("```")[2].partition("\n")[2] if text.count("```") % 2 else ""
    if _defines(unclosed, function):
        return unclosed
    lines = [line for line in text.splitlines() if TOP_LEVEL.match(line)]
    program = "\n".join(lines).strip("\n")
    return program if _defines(program, function) else None


def _defines(program: str, function: str) -> bool:
    return re.search(rf"^(?:def {function}\b|{function}\s*=)", program, re.MULTILINE) is not None


def same(found: Any, expected: Any) -> bool:
    """Equal in value and type, all the way down; ``expected`` is ours, and how deep and long it is
    bounds the work.

    >>> same([1, 2], [1, 2]), same([1, True], [1, 1]), same(4.0, 4)
    (True, False, False)
    """
    if type(found) is not type(expected):
        return False
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    return bool(found == expected)


def _prompt(family: Family, told: str, visible: Sequence[Sequence[Any]]) -> str:
    examples = "\n".join(
        f"{family.name}({argument!r}) returns {result!r}" for argument, result in visible
    )
    return (
        f"Write a Python function {family.name}({family.argument}) that returns {told}.\n"
        f"Examples:\n{examples}\nAnswer with the function in one ```python code block, without "
        "imports."
    )


def _feedback(
    function: str,
    tests: Sequence[Sequence[Any]],
    outcomes: Sequence[Outcome],
    passed: Sequence[bool],
) -> str:
    """What went wrong in the first test of the prompt that failed, in the runtime's own words; of
    hidden tests, no more than how many.
    """
    for (argument, expected), outcome, good in zip(tests[:VISIBLE], outcomes, passed, strict=False):
        if not good:
            what = (
                f"gave {shown(outcome.value)}"
                if outcome.kind == "value"
                else f"stopped with {outcome.message}"
            )
            return f"{function}({shown(argument)}) {what}; it should return {shown(expected)}"
    failed = len(passed) - sum(passed)
    return (
        f"the examples pass, {failed} of {HIDDEN} hidden tests fail" if failed else "all tests pass"
    )
