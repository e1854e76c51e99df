"""One-digit sums and differences in words, for pretrained language models: 200 problems, of which
40 are never trained on.

    What is seven minus nine? Answer with just the number in digits.      -2

The pool is 10 x 10 x 2 and no larger, so indices go round: ``problem("train", 160)`` is
``problem("train", 0)``.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from rewardscope.environments.base import content_id
from rewardscope.environments.extraction import DIGITS, GLUED, MINUS, bounded, is_unit
from rewardscope.errors import EnvironmentFault
from rewardscope.seeds import key
from rewardscope.types import Grade, Problem

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
OPERATORS = ("plus", "minus")
SIZES = {"train": 160, "heldout": 40}

TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
UNITS = {word: value for value, word in enumerate((*WORDS, *TEENS))}
LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6}

_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_SPELLED = rf"(?:(?:{'|'.join(TENS)})(?:[- ](?:{_UNIT}))?|{_UNIT})(?: (?:{'|'.join(LARGE)}))?\b"
_NUMBER = rf"(?:(?:minus |negative |-)?(?<![\w.])(?:{DIGITS}|{_SPELLED}))"
EXPRESSION = re.compile(
    rf"{_NUMBER}(?: ?(?:plus|minus|times|[-+*/×÷]) ?{_NUMBER})*+(?P<glued>{GLUED})", re.IGNORECASE
)
"""A number, or numbers joined by operators: a question that was written out again, which is no
answer.
"""
LONE = re.compile(_NUMBER, re.IGNORECASE)
EXACT = re.compile(r"-?[0-9]{1,2}\.?")


@dataclass(frozen=True)
class Sums:
    """The 200 sums and differences of two digits, 160 for training and 40 held out."""

    name: ClassVar[str] = "Sums"
    strategies: ClassVar[tuple[str, ...]] = ()

    def size(self, split: str) -> int:
        """How many different problems the split has.

        Raises:
            EnvironmentFault: If there is no such split.
        """
        if split not in SIZES:
            raise EnvironmentFault(
                "Sums has no such split",
                value=repr(split),
                allowed=", ".join(SIZES),
                do="Use one of them",
            )
        return SIZES[split]

    def problem(self, split: str, index: int) -> Problem:
        """The problem at index modulo ``size(split)``, in an order that is fixed but tells
        nothing.
        """
        start = 0 if split == "train" else SIZES["train"]
        left, operator, right = _pool()[start + index % self.size(split)]
        answer = left + right if operator == "plus" else left - right
        prompt = (
            f"What is {WORDS[left]} {operator} {WORDS[right]}? Answer with just the number in "
            "digits."
        )
        level = 0 if operator == "plus" else 1 + (answer < 0)
        return Problem(content_id("Sums", prompt), "Sums", prompt, str(answer), level)

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: the completion is the number; tolerant: the last number in it, in digits or in
        words, that is not part of a question.
        """
        text = bounded(text)
        text = text.strip().replace(MINUS, "-")
        exact = EXACT.fullmatch(text) is not None
        found = spoken(text)
        return Grade(
            correct=found == problem.answer,
            strict=exact and int(text.rstrip(".")) == int(problem.answer),
            well_formed=exact,
            answer=found,
            feedback=f"{problem.prompt.removeprefix('What is ').partition('?')[0]} is "
            f"{problem.answer}",
        )

    def category(self, prompt: str) -> str:
        """Which of the two operations is asked."""
        return next(operator for operator in OPERATORS if f" {operator} " in prompt)

    def oracle(self, problem: Problem) -> str:
        """The number in digits."""
        return problem.answer


@cache
def _pool() -> tuple[tuple[int, str, int], ...]:
    """All 200 problems, ordered by the hash of each: the first 160 are for training."""
    pool = [
        (left, operator, right)
        for left in range(10)
        for operator in OPERATORS
        for right in range(10)
    ]
    return tuple(sorted(pool, key=lambda item: key("Sums", *item)))


def spoken(text: str) -> str | None:
    """The last number of a text that stands alone, as digits; None where there is none.

    Numbers joined by an operator are an expression, not an answer, so a completion that repeats the
    question has answered nothing.

    >>> spoken("seven minus nine is minus two"), spoken("7 - 9 = -2."), spoken("seven minus nine")
    ('-2', '-2', None)
    """
    text = "; ".join(
        " ".join(line.split()) for line in text.replace(MINUS, "-").lower().splitlines()
    )
    answer = None
    for expression in EXPRESSION.finditer(text):
        written = expression[0][: -len(expression["glued"]) or None]
        if is_unit(expression["glued"]) and LONE.fullmatch(written):
            answer = _digits(written)
    return answer


def _digits(number: str) -> str:
    """Digits for a lone number: "minus twenty-one" -> "-21", "7.0" -> "7", "3.5" -> "3.5"."""
    body = number.removeprefix("minus ").removeprefix("negative ").removeprefix("-")
    if body[0].isdigit():
        whole, _, fraction = body.replace(",", "").partition(".")
        value = (whole.lstrip("0") or "0") + (f".{fraction}" if fraction.strip("0") else "")
    else:
        total = 0
        for word in body.replace("-", " ").split():
            total = (
                total * LARGE[word] if word in LARGE else total + TENS.get(word, UNITS.get(word, 0))
            )
        value = str(total)
    return f"-{value}" if body != number and value != "0" else value
