"""Answers that are one of several options, named by a letter."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rewardscope.environments.graders.base import (
    MOST_READ,
    AnswerIn,
    asked_in,
    graded,
    placed,
    plain,
    strict_answer,
    tolerant_answer,
)
from rewardscope.environments.graders.math_answer import check_place
from rewardscope.errors import ComponentError
from rewardscope.types import Grade

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
KEY = re.compile(r"\(?([A-Z])(?:[).:]\s*(?P<text>.*))?", re.DOTALL)
ALONE = re.compile(r"[\s(\[*$`]*([A-Za-z])[\s)\].:*$`]*")
BEGINS = re.compile(r"[\s(\[*$`]*([A-Z])(?:[).:\]]|\s*$)(?P<text>.*)", re.DOTALL)
SAID = re.compile(r"(?:answer|option|choice)(?:\s+is)?\s*[:=]?\s*[*(\[]*([A-Z])\b(?!['’])", re.I)


@dataclass(frozen=True)
class Choice:
    """Right if the answer names the key's option, by its letter or by its text.

    A completion that names several options is wrong. The answer's column holds a letter, the number
    of an option counted from ``first``, or the text of one; ``options`` names the column that lists
    them. Strict: the letter alone where the prompt asks for it, a prompt that does not say asks for
    any mark (a box, an answer tag, ####) or the whole completion. Tolerant: also behind "the answer
    is", in front of its text, or the option's text alone.
    """

    options: str = ""
    """Column with the options, a list of text; empty = keys are letters and texts do not count."""
    first: int = 0
    """Number of the first option, where the answer's column holds numbers."""
    answer_in: AnswerIn = "as_asked"

    def __post_init__(self) -> None:
        check_place(self, self.answer_in)

    def key(self, answer: str, row: Mapping[str, object]) -> str:
        """The letter, and the option's text behind it where a column lists them.

        Raises:
            ComponentError: If the answer is no option.
        """
        listed = row.get(self.options) if self.options else None
        if self.options and not isinstance(listed, Sequence):
            raise ComponentError(
                "A row does not list its options",
                value=f"{self.options}: {listed!r}",
                allowed="a list of text",
                do="Name the column that lists them",
            )
        texts = [str(text) for text in listed] if isinstance(listed, Sequence) else []
        said = answer.strip()
        index = next((n for n, text in enumerate(texts) if text.strip() == said), None)
        if index is None and re.fullmatch(r"\d{1,2}", said):
            index = int(said) - self.first
        elif index is None and (letter := ALONE.fullmatch(said)):
            index = LETTERS.index(letter[1].upper())
        if index is None or not 0 <= index < (len(texts) or len(LETTERS)):
            raise ComponentError(
                "A row's answer is not one of its options",
                value=f"{answer!r} of {texts}" if texts else repr(answer),
                allowed=f"a letter, a number counted from {self.first}, or an option's text",
                do="Correct the row, or set options and first",
            )
        return f"{LETTERS[index]}. {texts[index]}" if texts else LETTERS[index]

    def grade(self, prompt: str, completion: str, answer: str) -> Grade:
        """Strict and tolerant reading, each compared with the key's letter and text."""
        answer_in = asked_in(prompt, self.answer_in)
        strictly = strict_answer(completion, answer_in)
        if strictly is None and answer_in == "as_asked":
            strictly = completion.strip()
        if strictly is None or ALONE.fullmatch(strictly) is None:
            strictly = None
        letter, _, text = answer.partition(". ")
        return graded(
            lambda said: _names(said, letter.strip().upper(), text),
            strictly,
            _tolerant(completion),
            answer,
        )

    def oracle(self, answer: str) -> str:
        """The letter, alone or where ``answer_in`` says."""
        return placed(answer[:1], "whole" if self.answer_in == "as_asked" else self.answer_in)

    def oracle_for(self, prompt: str, answer: str) -> str:
        """The letter where the prompt asks for it."""
        answer_in = asked_in(prompt, self.answer_in)
        return placed(answer[:1], "whole" if answer_in == "as_asked" else answer_in)


def _tolerant(completion: str) -> str | None:
    said = SAID.findall(completion[-MOST_READ:])
    marked = strict_answer(completion, "as_asked")
    return marked or (said[-1].upper() if said else tolerant_answer(completion))


def _names(said: str, letter: str, text: str) -> bool:
    """Whether the answer names this option and no other."""
    alone, begins = ALONE.fullmatch(said), BEGINS.fullmatch(said)
    if alone is not None:
        return alone[1].upper() == letter
    if begins is not None:
        others = set(re.findall(r"\b([A-Z])\b", begins["text"])) - {letter, "I"}
        spelled = plain(begins["text"]).casefold()
        fits = not text or not spelled or spelled == plain(text).casefold()
        return begins[1] == letter and (not others or spelled == plain(text).casefold()) and fits
    return bool(text) and plain(said).casefold() == plain(text).casefold()
