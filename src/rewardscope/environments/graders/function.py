"""A grader of your own: a plain function."""

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rewardscope.environments.graders.base import (
    AnswerIn,
    asked_in,
    placed,
    strict_answer,
    tolerant_answer,
)
from rewardscope.environments.graders.math_answer import check_place
from rewardscope.errors import EnvironmentFault
from rewardscope.sources import checked_function, where_raised, where_written
from rewardscope.types import Grade

Verdict = bool | float | None
GradingFunction = Callable[..., Verdict]
"""``(prompt, completion, answer) -> bool | float | None``."""
RIGHT = 1.0


@dataclass(frozen=True)
class Function:
    """Right if the function returns True, or 1; a float between 0 and 1 is partial credit.

    ``of(prompt, completion, answer)`` returns True, False, a number in [0, 1], or None if it cannot
    say. Only 1 counts as correct. The number itself becomes the grade's ``proxy``, the value of the
    reward ``Proxy``. The function must belong to a module, so that other processes can import it.

    A function has one form: strict and tolerant verdict are the same.
    """

    of: GradingFunction
    oracle_text: str = ""
    """A completion that it grades as right, with {answer} in it; empty = the key where the prompt
    asks for it: in \\boxed{}, in an answer tag or after ####, or alone if it does not say."""
    answer_in: AnswerIn = "as_asked"

    def __repr__(self) -> str:
        """With the function's name where Python would write an address of memory."""
        return f"Function({self.of.__module__}:{self.of.__qualname__})"

    def __post_init__(self) -> None:
        check_place(self, self.answer_in)
        checked_function(self.of, ("prompt", "completion", "answer"), "grader")

    def grade(self, prompt: str, completion: str, answer: str) -> Grade:
        """The function's verdict.

        Raises:
            EnvironmentFault: If it raises, or returns something else; with its file and line.
        """
        try:
            said = self.of(prompt, completion, answer)
        except Exception as error:
            raise EnvironmentFault(
                "The grader raised an error",
                value=f"{type(error).__name__}: {error} at {where_raised(error, self.of)}; "
                f"completion {completion[:200]!r}, answer {answer!r}",
                allowed="True, False, a number from 0 to 1, or None",
                do="Let it return None where it cannot grade",
            ) from error
        share = self._share(said)
        strictly = strict_answer(completion, asked_in(prompt, self.answer_in))
        return Grade(
            correct=None if share is None else share >= RIGHT,
            strict=None if share is None else share >= RIGHT,
            well_formed=strictly is not None,
            answer=strictly or tolerant_answer(completion),
            feedback=f"the answer is {answer}",
            proxy=None if share is None else share,
        )

    def _share(self, said: Any) -> float | None:
        if said is None:
            return None
        if isinstance(said, numbers.Real) or type(said).__name__ == "bool":  # numpy's among them
            share = float(said)
            if math.isfinite(share) and 0 <= share <= 1:
                return share
        raise EnvironmentFault(
            "The grader returned something that is not a grade",
            value=f"{type(said).__name__} {said!r}, from {where_written(self.of)}",
            allowed="True, False, a number from 0 to 1, or None where it cannot say",
            do="Return one of these",
        )

    def oracle(self, answer: str) -> str:
        """The key as ``oracle_text`` has it."""
        return self.oracle_for("", answer)

    def oracle_for(self, prompt: str, answer: str) -> str:
        """The key as ``oracle_text`` has it, or where the prompt asks for it."""
        if self.oracle_text:
            return self.oracle_text.replace("{answer}", answer)
        answer_in = asked_in(prompt, self.answer_in)
        return placed(answer, "whole" if answer_in == "as_asked" else answer_in)
