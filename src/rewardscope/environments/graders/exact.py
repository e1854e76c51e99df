"""Answers that are a text."""

from dataclasses import dataclass

from rewardscope.environments.graders.base import (
    AnswerIn,
    asked_in,
    graded,
    placed,
    plain,
    says_nothing,
    strict_answer,
    tolerant_answer,
)
from rewardscope.environments.graders.math_answer import check_place
from rewardscope.types import Grade


@dataclass(frozen=True)
class Exact:
    """Right if the answer is the key's text, with single spaces for any white space.

    Strict: where the prompt asks for it; a prompt that does not say asks for the whole completion.
    Tolerant: wherever it is, without Markdown and a full stop at its end.
    """

    case: bool = False
    """Whether capitals count."""
    answer_in: AnswerIn = "as_asked"

    def __post_init__(self) -> None:
        check_place(self, self.answer_in)

    def grade(self, prompt: str, completion: str, answer: str) -> Grade:
        """Strict and tolerant reading, each compared with the key's text."""
        answer_in = asked_in(prompt, self.answer_in)
        strictly = strict_answer(completion, "whole" if answer_in == "as_asked" else answer_in)
        loosely = tolerant_answer(completion)
        if strictly is not None and self._same(strictly, answer):
            loosely = strictly
        return graded(lambda said: self._same(said, answer), strictly, loosely, answer)

    def _same(self, said: str, key: str) -> bool:
        one, other = plain(said), plain(key)
        if says_nothing(other):
            return False
        return one == other if self.case else one.casefold() == other.casefold()

    def oracle(self, answer: str) -> str:
        """The key, as the whole completion or where ``answer_in`` says."""
        return placed(answer, "whole" if self.answer_in == "as_asked" else self.answer_in)

    def oracle_for(self, prompt: str, answer: str) -> str:
        """The key where the prompt asks for it."""
        answer_in = asked_in(prompt, self.answer_in)
        return placed(answer, "whole" if answer_in == "as_asked" else answer_in)
