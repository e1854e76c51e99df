"""Any environment's problems with a confidence asked for as well."""

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from rewardscope.environments.extraction import bounded
from rewardscope.environments.words.sums import Sums
from rewardscope.errors import ComponentError
from rewardscope.protocols import Environment, turn_taker
from rewardscope.types import Grade, Problem

OPENING, CLOSING = "<confidence>", "</confidence>"
ASK = (
    f"\nThen state how likely your answer is to be right, a number from 0 to 1, in the form "
    f"{OPENING}...{CLOSING}."
)
NUMBER = re.compile(r"([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(%?)")
LONGEST = 40
"""Characters that a statement may hold; bounds what one unclosed opening can make the search read.
"""


@dataclass(frozen=True)
class Confident:
    """The problems of ``base`` with ``ask`` behind each prompt; a completion states its confidence
    between ``opening`` and ``closing``.

    The last statement counts: a number from 0 to ``scale``, divided by it, or a percentage. None
    where there is none or it is malformed: no closing, no such number, or one outside. ``base``
    grades the completion with every statement cut out, so stating a confidence changes no verdict
    and a stated number is never taken for an answer. Well-formed is a completion that ends in its
    only statement, and is well-formed without it. Problems keep their ids, so that a policy meets
    the same ones whether it is asked or not.

    Source:
        Damani et al. 2025, arXiv:2507.16806 (RLCR): the confidence in tags. Its code takes "nan"
            for a number in [0, 1]; here it is none.
    """

    base: Environment = Sums()
    ask: str = ASK
    """Empty = the prompt stays as it is, for a model that was pretrained to state its confidence.
    """
    opening: str = OPENING
    closing: str = CLOSING
    scale: float = 1.0
    """What stands for certainty: 9 for a model that writes one digit."""

    name: ClassVar[str] = "Confident"

    def __post_init__(self) -> None:
        if not self.opening or not self.closing or not 0 < self.scale <= 1e6:
            raise ComponentError(
                "Confident cannot find a confidence with these settings",
                value=f"opening={self.opening!r}, closing={self.closing!r}, scale={self.scale}",
                allowed="texts that are not empty; 0 < scale <= 1e6",
                do="Correct it in the study file",
            )
        if turn_taker(self.base) is not None:
            raise ComponentError(
                "Confident asks for one answer",
                value=self.base,
                allowed="an environment of a single turn",
                do="Unwrap it",
            )
        if isinstance(self.base, Confident):
            raise ComponentError(
                "Confident cannot wrap an environment that already asks for a confidence",
                value=self.base,
                allowed="an environment that does not ask",
                do="Unwrap it",
            )

    @property
    def inner(self) -> Environment:
        """The base: its turns, its categories and its words for what a completion teaches hold."""
        return self.base

    @property
    def strategies(self) -> tuple[str, ...]:
        """Those of the base."""
        return self.base.strategies

    @property
    def _statement(self) -> re.Pattern[str]:
        """A statement with what it holds, or an opening that was never closed with the number
        behind it.
        """
        opening, closing = re.escape(self.opening), re.escape(self.closing)
        return re.compile(
            rf"{opening}(?:([\s\S]{{0,{LONGEST}}}?){closing}|[\s0-9.%]{{0,{LONGEST}}})"
        )

    def problem(self, split: str, index: int) -> Problem:
        """The base's problem at (split, index), asked with a confidence."""
        asked = self.base.problem(split, index)
        return replace(asked, environment=self.name, prompt=asked.prompt + self.ask)

    def grade(self, problem: Problem, text: str) -> Grade:
        """The base's grade of the completion without its statements, with the confidence that it
        stated.
        """
        text = bounded(text)
        statements = list(self._statement.finditer(text))
        grade = self.base.grade(self._asked_by_base(problem), self._statement.sub("", text))
        confidence = self._read(statements[-1][1]) if statements else None
        formed = (
            grade.well_formed
            and len(statements) == 1
            and confidence is not None
            and statements[0].end() == len(text.rstrip())
        )
        return replace(grade, confidence=confidence, well_formed=formed)

    def oracle(self, problem: Problem) -> str:
        """The base's oracle, which is sure of itself."""
        answer = self.base.oracle(self._asked_by_base(problem))
        return f"{answer}{self.opening}{self.scale:g}{self.closing}"

    def _asked_by_base(self, problem: Problem) -> Problem:
        return replace(
            problem, environment=self.base.name, prompt=problem.prompt.removesuffix(self.ask)
        )

    def _read(self, stated: str | None) -> float | None:
        number = NUMBER.fullmatch(stated.strip()) if stated is not None else None
        if number is None:
            return None
        confidence = float(number[1]) / (100 if number[2] else self.scale)
        return confidence if confidence <= 1 else None
