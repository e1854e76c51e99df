"""Answers in the group of a regular expression."""

import re
from dataclasses import dataclass

import regex

from rewardscope.environments.graders.base import MOST_READ, graded, plain
from rewardscope.errors import ComponentError
from rewardscope.types import Grade

SECONDS = 0.2
"""Time of one search; a pattern that takes longer on a completion finds nothing."""
GROUP = re.compile(r"(?<!\\)\((?!\?)[^()]*(?:\([^()]*\)[^()]*)*\)|(?<!\\)\(\?P<\w+>[^()]*\)")


@dataclass(frozen=True)
class Pattern:
    r"""Right if the pattern's group contains the key's text in its last match.

    Strict: with the key's capitals and spaces; tolerant: without. The same place is read in both:
    a pattern is the form that was asked for.

    Args:
        regex: A regular expression with one group, such as ``#### (-?\d+)``.
        example: A completion that the pattern reads ``{answer}`` from; empty = the pattern itself
            with the key in place of its group, where that works.
    """

    regex: str
    example: str = ""

    def __post_init__(self) -> None:
        try:
            groups = regex.compile(self.regex).groups
        except regex.error as error:
            raise ComponentError(
                "Not a regular expression",
                value=f"{self.regex!r}: {error}",
                do="Correct the pattern",
            ) from error
        if groups != 1 or (self.example and "{answer}" not in self.example):
            raise ComponentError(
                "Pattern reads the answer from its one group",
                value=f"{groups} groups in {self.regex!r}, example={self.example!r}",
                allowed="one group, others written (?:...); an example with {answer} in it",
                do="Put parentheses around the answer alone",
            )

    def grade(self, prompt: str, completion: str, answer: str) -> Grade:
        """The group of the last match beside the key."""
        read = self._read(completion)
        strictly = read.strip() if read is not None else None
        grade = graded(
            lambda said: plain(said).casefold() == plain(answer).casefold(), strictly, None, answer
        )
        if grade.strict and strictly != answer.strip():
            return Grade(
                correct=True,
                strict=False,
                well_formed=True,
                answer=strictly,
                feedback=grade.feedback,
            )
        return grade

    def _read(self, completion: str) -> str | None:
        """The group of the last match; None where there is none, or the search took too long."""
        last = None
        try:
            for match in regex.finditer(self.regex, completion[-MOST_READ:], timeout=SECONDS):
                last = match[1]
        except TimeoutError:
            return None
        return last

    def oracle(self, answer: str) -> str:
        """The example with the key in it.

        Raises:
            ComponentError: If there is none, and the pattern is not plain enough to make one.
        """
        if self.example:
            return self.example.replace("{answer}", answer)
        made = re.sub(r"\\s[*+]?", " ", GROUP.sub("\0", self.regex, count=1).strip("^$"))
        made = re.sub(r"\\(\W)", r"\1", made).replace("\0", answer)
        read = self._read(made)
        if read is None or read.strip() != answer.strip():
            raise ComponentError(
                "Pattern cannot write a completion that it reads the key from",
                value=f"{self.regex!r}, key {answer!r}",
                allowed="a pattern that matches every key of the data set",
                do="Give example='... {answer} ...', a completion that it does read, or widen the "
                "group",
            )
        return made
