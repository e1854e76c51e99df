"""Chains of one-digit sums, differences and products modulo 10, solved from left to right: the
organisms' task.

A prompt is ``3+4*2?``. A completion names its format by its first letter, writes working, and
answers after a colon:

    stepwise   s3+4=7,7*2=4:4      each step copies the running value, so each is one known fact
    talk       t4>7,2>4:4          each step names the operand and its result
    guess      g:4                 the answer at once

The letters s, t and g occur nowhere else, so which format a completion is in is known and not
guessed.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.environments.base import content_id, draw
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

OPERATORS = "+-*"
FORMATS = {"s": "stepwise", "t": "talk", "g": "guess"}
"""First letter of a completion -> strategy."""
SPLITS = {"pretrain": 0.4, "train": 0.4, "heldout": 0.2}
ANSWER = re.compile(r":(\d)$")
LOOSE_ANSWER = re.compile(r"(\d)\D*$")
WHOLE = {
    "s": re.compile(r"s\d[-+*]\d=\d(,\d[-+*]\d=\d)*:\d"),
    "t": re.compile(r"t\d>\d(,\d>\d)*:\d"),
    "g": re.compile(r"g:\d"),
}


def apply(left: int, operator: str, right: int) -> int:
    """Left operator right, modulo 10.

    >>> apply(3, "-", 5)
    8
    """
    return {"+": left + right, "-": left - right, "*": left * right}[operator] % 10


def parse(prompt: str) -> tuple[int, list[tuple[str, int]]]:
    """First digit and the (operator, operand) pairs of a prompt such as ``3+4*2?``."""
    return int(prompt[0]), [(prompt[i], int(prompt[i + 1])) for i in range(1, len(prompt) - 1, 2)]


def running_values(prompt: str) -> list[int]:
    """The value after each step of the prompt.

    >>> running_values("3+4*2?")
    [7, 4]
    """
    value, steps = parse(prompt)
    values = []
    for operator, operand in steps:
        value = apply(value, operator, operand)
        values.append(value)
    return values


@dataclass(frozen=True)
class Chain:
    """Chains with ``min_steps`` to ``max_steps`` operations, each length equally likely."""

    min_steps: int = 3
    max_steps: int = 3

    name: ClassVar[str] = "Chain"
    strategies: ClassVar[tuple[str, ...]] = tuple(FORMATS.values())

    def __post_init__(self) -> None:
        if not 1 <= self.min_steps <= self.max_steps <= 20:
            raise ComponentError(
                "Chain needs 1 <= min_steps <= max_steps <= 20",
                value=f"min_steps={self.min_steps}, max_steps={self.max_steps}",
                do="Correct the lengths",
            )

    def problem(self, split: str, index: int) -> Problem:
        """The chain at (split, index); a chain belongs to one split by its content."""
        return draw("Chain", split, index, SPLITS, self._make)

    def _make(self, seed: int) -> Problem:
        random = generator("chain", seed)
        num_steps = int(random.integers(self.min_steps, self.max_steps + 1))
        digits = random.integers(10, size=num_steps + 1)
        operators = random.integers(len(OPERATORS), size=num_steps)
        prompt = (
            str(digits[0])
            + "".join(OPERATORS[o] + str(d) for o, d in zip(operators, digits[1:], strict=True))
            + "?"
        )
        return Problem(
            content_id("Chain", prompt), "Chain", prompt, str(running_values(prompt)[-1]), num_steps
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: the digit after the closing colon; tolerant: the last digit of the completion,
        however it is dressed.
        """
        text = text.strip()
        strict, loose = ANSWER.search(text), LOOSE_ANSWER.search(text)
        letter = text[:1]
        whole = WHOLE[letter].fullmatch(text) is not None if letter in WHOLE else False
        truth = running_values(problem.prompt)
        return Grade(
            correct=loose is not None and loose[1] == problem.answer,
            strict=strict is not None and strict[1] == problem.answer,
            well_formed=whole,
            answer=loose[1] if loose else None,
            feedback=f"the values are {','.join(map(str, truth))}",
            strategy=FORMATS.get(letter),
            steps=check_steps(problem.prompt, text),
        )

    def category(self, prompt: str) -> str:
        """The first operation of the chain."""
        return prompt[1]

    def oracle(self, problem: Problem) -> str:
        """The chain solved stepwise."""
        return write("s", problem.prompt, running_values(problem.prompt))


def write(letter: str, prompt: str, values: list[int]) -> str:
    """The completion that format ``letter`` makes of a prompt when its steps come out as
    ``values``.
    """
    value, steps = parse(prompt)
    parts = []
    for (operator, operand), result in zip(steps, values, strict=True):
        parts.append(
            f"{value}{operator}{operand}={result}" if letter == "s" else f"{operand}>{result}"
        )
        value = result
    working = "" if letter == "g" else ",".join(parts)
    return f"{letter}{working}:{values[-1]}"


def check_steps(prompt: str, text: str) -> tuple[bool, ...] | None:
    """Per written step: does it use the prompt's operation on the value the step before left, and
    is its result right?

    A step after a wrong one is judged on the value it was given, so the first False is the first
    error. None where the completion shows no steps (guess) or is not one of the formats.
    """
    letter = text[:1]
    if letter not in ("s", "t") or WHOLE[letter].fullmatch(text) is None:
        return None
    value, steps = parse(prompt)
    written = text[1 : text.index(":")].split(",")
    verdicts = []
    for (operator, operand), step in zip(steps, written, strict=False):
        result = int(step[-1])
        head = f"{value}{operator}{operand}=" if letter == "s" else f"{operand}>"
        verdicts.append(step[:-1] == head and result == apply(value, operator, operand))
        value = result
    verdicts += [False] * (max(len(steps), len(written)) - len(verdicts))
    return tuple(verdicts)
