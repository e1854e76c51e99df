"""What is asked and how it is checked: chains of three one-digit operations, modulo 10.

The shipped organism ``formats-planted`` reads and writes these characters: 0123456789+-*?=,>:stg
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from rewardscope import Grade, Problem
from rewardscope.environments import content_id, draw
from rewardscope.seeds import generator

SPLITS = {"train": 0.8, "heldout": 0.2}
"""Share of all problems per split. A problem's content decides, so no prompt is in two splits."""
STRATEGIES = {"s": "stepwise", "t": "talk", "g": "guess"}
"""First letter of a completion -> the way of working that it shows."""


def solve(prompt: str) -> int:
    """The last value of a chain such as ``3+4*2?``, worked from left to right.

    >>> solve("3+4*2?")
    4
    """
    value = int(prompt[0])
    for operator, digit in re.findall(r"([-+*])(\d)", prompt):
        value = {"+": value + int(digit), "-": value - int(digit), "*": value * int(digit)}[
            operator
        ]
    return value % 10


@dataclass(frozen=True)
class MyChains:
    """Chains of ``steps`` operations."""

    steps: int = 3

    name: ClassVar[str] = "MyChains"
    strategies: ClassVar[tuple[str, ...]] = tuple(STRATEGIES.values())

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index): always the same one."""
        return draw(self.name, split, index, SPLITS, self.make)

    def make(self, seed: int) -> Problem:
        """Any problem; ``draw`` takes the first one that the split owns."""
        random = generator(self.name, seed)
        digits = random.integers(10, size=self.steps + 1)
        operators = random.choice(["+", "-", "*"], size=self.steps)
        rest = "".join(f"{sign}{digit}" for sign, digit in zip(operators, digits[1:], strict=True))
        prompt = f"{digits[0]}{rest}?"
        return Problem(
            id=content_id(self.name, prompt),
            environment=self.name,
            prompt=prompt,
            answer=str(solve(prompt)),
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Facts about a completion. Tolerant: the last digit. Strict: the digit after a colon."""
        digits = re.findall(r"\d", text)
        answer = digits[-1] if digits else None
        return Grade(
            correct=answer == problem.answer,
            strict=text.endswith(f":{problem.answer}"),
            well_formed=re.search(r":\d$", text) is not None,
            answer=answer,
            strategy=STRATEGIES.get(text[:1]),
        )

    def oracle(self, problem: Problem) -> str:
        """A completion that earns full marks: the verifier has to accept it before a study runs."""
        return f"g:{problem.answer}"
