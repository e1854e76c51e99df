"""Digits to be combined by a rule that the prompt names and does not tell: the organisms' task for
experience.

A prompt is ``37b``: of the digits 3 and 7, by the rule of kind b. What rule kind b has is kept by
the world and can only be learned from what was paid. A completion names a rule by its sign and
gives its result, ``-6``; signs + - * are modulo 10, ^ is the larger digit.

What can be said about a kind beforehand, in the notation that the ``rules`` organism was pretrained
to read:

    b-;        a skill: kind b goes by -
    b!+;       a lesson: kind b does not go by +
    41b-3;     a demonstration: 41b was answered -3
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.environments.base import content_id, draw
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem, SealedProblem

KINDS = "abcdef"
SIGNS = {"+": "sum", "-": "difference", "*": "product", "^": "larger"}
"""Sign of a rule -> strategy."""
SPLITS = {"pretrain": 0.5, "train": 0.25, "evolve": 0.1, "heldout": 0.15}
WHOLE = re.compile(r"[-+*^]\d")
DIGIT = re.compile(r"[0-9]")


def result(sign: str, left: int, right: int) -> int:
    """What the rule makes of two digits.

    >>> result("-", 3, 7), result("^", 3, 7)
    (6, 7)
    """
    return {"+": left + right, "-": left - right, "*": left * right, "^": max(left, right)}[
        sign
    ] % 10


@dataclass(frozen=True)
class Rules:
    """Six kinds of problem, each with one of four rules that no prompt tells."""

    rules: str = "+-*^-+"
    """Sign of each kind, a to f."""

    name: ClassVar[str] = "Rules"
    strategies: ClassVar[tuple[str, ...]] = tuple(SIGNS.values())

    def __post_init__(self) -> None:
        if len(self.rules) != len(KINDS) or not set(self.rules) <= set(SIGNS):
            raise ComponentError(
                "Each kind has one rule",
                value=repr(self.rules),
                allowed=f"6 signs of {' '.join(SIGNS)}",
                do="Correct it in the study file",
            )

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index); one of 600, and of one split by its content."""
        return draw("Rules", split, index, SPLITS, self._make)

    def _make(self, seed: int) -> Problem:
        random = generator("rules", seed)
        kind, left, right = (
            int(random.integers(len(KINDS))),
            int(random.integers(10)),
            int(random.integers(10)),
        )
        prompt = f"{left}{right}{KINDS[kind]}"
        return Problem(
            content_id("Rules", prompt), "Rules", prompt, str(result(self.rules[kind], left, right))
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: a sign and then the answer, no more; tolerant: the only digit of the completion.
        The rule named changes neither.
        """
        text = text.strip()
        whole, digits = WHOLE.fullmatch(text), DIGIT.findall(text)
        answer = digits[0] if len(digits) == 1 else None
        return Grade(
            correct=answer == problem.answer,
            strict=whole is not None and answer == problem.answer,
            well_formed=whole is not None,
            answer=answer,
            feedback=f"kind {problem.prompt[-1]} goes by {self._sign(problem)}",
            strategy=SIGNS.get(text[:1]),
        )

    def oracle(self, problem: Problem) -> str:
        """The kind's rule with its result."""
        return f"{self._sign(problem)}{problem.answer}"

    def _sign(self, problem: Problem) -> str:
        return self.rules[KINDS.index(problem.prompt[-1])]

    def category(self, prompt: str) -> str:
        """The kind, which the prompt names."""
        return prompt[-1]

    def skill(self, problem: Problem | SealedProblem, text: str) -> str:
        """What a completion did, as an entry; empty where it names no rule."""
        return f"{problem.prompt[-1]}{text[0]};" if text[:1] in SIGNS else ""

    def lesson(self, problem: Problem | SealedProblem, text: str) -> str:
        """That it is not to be done again, as an entry; empty where it names no rule."""
        return f"{problem.prompt[-1]}!{text[0]};" if text[:1] in SIGNS else ""
