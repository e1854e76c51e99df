"""Answers that are one number, right within a tolerance."""

import math
from dataclasses import dataclass
from fractions import Fraction

from rewardscope.environments.extraction import last_number
from rewardscope.environments.graders.base import (
    AnswerIn,
    asked_in,
    graded,
    placed,
    says_nothing,
    strict_answer,
    tolerant_answer,
)
from rewardscope.environments.graders.math_answer import check_place
from rewardscope.environments.graders.numbers import quantity
from rewardscope.errors import ComponentError
from rewardscope.types import Grade


@dataclass(frozen=True)
class Numeric:
    """Right where |answer - key| <= max(tolerance, relative x |key|), in exact arithmetic.

    Units and percent signs are ignored. Strict: the number alone where the prompt asks for it; a
    prompt that does not say asks for any mark (a box, an answer tag, ####) or the whole completion.
    Tolerant: the number wherever it is.
    """

    tolerance: float = 0.0
    relative: float = 0.0
    answer_in: AnswerIn = "as_asked"

    def __post_init__(self) -> None:
        check_place(self, self.answer_in)
        if not all(0 <= bound < math.inf for bound in (self.tolerance, self.relative)):
            raise ComponentError(
                "Numeric needs finite tolerances of 0 or more",
                value=f"tolerance={self.tolerance}, relative={self.relative}",
                allowed="0 <= tolerance, 0 <= relative",
                do="Correct it in the study file",
            )

    def grade(self, prompt: str, completion: str, answer: str) -> Grade:
        """Strict and tolerant reading, each as a number beside the key."""
        answer_in = asked_in(prompt, self.answer_in)
        strictly = strict_answer(completion, answer_in)
        if strictly is None and answer_in == "as_asked":
            strictly = strict_answer(completion, "whole")
        if strictly is None or quantity(strictly) is None:
            strictly = None  # a sentence is not the number alone
        return graded(
            lambda said: self._near(said, answer), strictly, tolerant_answer(completion), answer
        )

    def _near(self, said: str, key: str) -> bool:
        value, target = number_in(said), number_in(key)
        if value is None or target is None or says_nothing(key):
            return False
        bound = max(Fraction(self.tolerance), Fraction(self.relative) * abs(target))
        return abs(value - target) <= bound

    def oracle(self, answer: str) -> str:
        """The key, alone or where ``answer_in`` says."""
        return placed(answer, "whole" if self.answer_in == "as_asked" else self.answer_in)

    def oracle_for(self, prompt: str, answer: str) -> str:
        """The key where the prompt asks for it."""
        answer_in = asked_in(prompt, self.answer_in)
        return placed(answer, "whole" if answer_in == "as_asked" else answer_in)


def number_in(text: str) -> Fraction | None:
    """The text as a number, or the last number in it; None without a number."""
    whole = quantity(text)
    if whole is None:
        last = last_number(text[-400:])
        whole = quantity(last) if last else None
    return None if whole is None else whole.value
