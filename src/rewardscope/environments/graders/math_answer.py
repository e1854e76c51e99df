"""Answers of mathematics: numbers, expressions, sets and intervals."""

import re
from dataclasses import dataclass

from rewardscope.environments.extraction import BOXED, boxed
from rewardscope.environments.graders.base import (
    PLACES,
    AnswerIn,
    asked_in,
    graded,
    placed,
    plain,
    says_nothing,
    strict_answer,
    tolerant_answer,
)
from rewardscope.environments.graders.expressions import same_expression
from rewardscope.environments.graders.numbers import quantity, same_quantity, undressed
from rewardscope.errors import ComponentError
from rewardscope.types import Grade

WORDS = re.compile(r"[A-Za-z][A-Za-z' .-]*[A-Za-z]")
PI = re.compile(r"(?<![\\A-Za-z])pi(?![A-Za-z])|\u03c0")
SQUARE_ROOT = re.compile(r"(?<![\\A-Za-z])sqrt\(([^()]*)\)")
NAMED = frozenset({"pi", "infinity", "infty", "oo"})
"""Words that are numbers."""
SEQUENCE = re.compile(r"[(\[].*,.*[)\]]", re.DOTALL)
"""Points and intervals: their brackets count."""


@dataclass(frozen=True)
class MathAnswer:
    r"""Right if the answer has the key's value: 1/2 is 0.5 and \frac{1}{2}, {1, 2} is {2, 1}.

    Numbers are compared exactly, with their units if both have one. Everything else is compared by
    ``math-verify``, in a process of its own with 0.2 s of processor time. Words are compared as
    words: math-verify reads them as products of letters, so "seat" would equal "east". An
    unevaluated answer, such as a sum, a product or an integral in LaTeX, is wrong.

    Strict: inside \boxed{}, or wherever the prompt asks for it. Tolerant: wherever it is.
    """

    answer_in: AnswerIn = "as_asked"

    def __post_init__(self) -> None:
        check_place(self, self.answer_in)

    def grade(self, prompt: str, completion: str, answer: str) -> Grade:
        """Strict and tolerant reading, each compared with the key."""
        answer_in = asked_in(prompt, self.answer_in)
        key = key_of(answer)
        return graded(
            lambda said: same_value(key, said),
            strict_answer(completion, answer_in),
            tolerant_answer(completion),
            key,
        )

    def oracle(self, answer: str) -> str:
        """The key in a box, or where ``answer_in`` says."""
        return placed(key_of(answer), self.answer_in)

    def oracle_for(self, prompt: str, answer: str) -> str:
        """The key where the prompt asks for it."""
        return placed(key_of(answer), asked_in(prompt, self.answer_in))


def check_place(grader: object, answer_in: str) -> None:
    """Raises ComponentError if a grader's ``answer_in`` is unknown."""
    if answer_in not in PLACES:
        raise ComponentError(
            f"{type(grader).__name__} has an unknown answer_in",
            value=repr(answer_in),
            allowed=", ".join(PLACES),
            do="Set answer_in to one of them",
        )


def key_of(answer: str) -> str:
    r"""The key in an answer's column: the content of a worked solution's box, or the whole text.

    >>> key_of("so it is \\boxed{4}."), key_of(" 4 ")
    ('4', '4')
    """
    return (boxed(answer) or "" if BOXED in answer else answer).strip()


def same_value(key: str, answer: str) -> bool:
    """Whether the answer has the key's value."""
    if says_nothing(answer) or says_nothing(key):
        return False
    one, other = undressed(key), undressed(answer)
    if "".join(one.split()) == "".join(other.split()):
        return True
    number, said = quantity(one), quantity(other)
    if number is not None and said is not None:
        return same_quantity(number, said)
    if any(WORDS.fullmatch(text) and text.lower() not in NAMED for text in (one, other)):
        return plain(one).casefold() == plain(other).casefold()
    if bool(SEQUENCE.fullmatch(one)) != bool(SEQUENCE.fullmatch(other)):
        # math-verify takes 1, 2 for the point (1, 2): only a name in front may differ, x = (1, 2)
        names = [text.rpartition("=")[2].rpartition("\\in")[2].strip() for text in (one, other)]
        if not all(SEQUENCE.fullmatch(text) for text in names):
            return False
    return same_expression(_in_latex(one), _in_latex(other)) is True


def _in_latex(text: str) -> str:
    """The text with pi and square roots as LaTeX has them."""
    return SQUARE_ROOT.sub(r"\\sqrt{\1}", PI.sub(r"\\pi ", text))
