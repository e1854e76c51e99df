"""Four prompts that ask for long answers, as an environment: nearly every completion is as long as it may be, in every engine."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.types import Grade, Problem

TOPICS = ("the sea", "an old clock", "a train at night", "the first snow")


def prompt(index: int) -> str:
    return f"Write a long and detailed story of many paragraphs about {TOPICS[index % len(TOPICS)]}. Begin at once."


def pay(text: str) -> float:
    """Some reward that differs within a group; what it is makes no difference to the time."""
    return float(len(text) % 2)


@dataclass(frozen=True)
class Stories:
    """The four prompts."""

    name: ClassVar[str] = "Stories"
    strategies: ClassVar[tuple[str, ...]] = ()

    def problem(self, split: str, index: int) -> Problem:
        return Problem(str(index % len(TOPICS)), self.name, prompt(index), "", 0)

    def grade(self, problem: Problem, text: str) -> Grade:
        return Grade(correct=pay(text) == 1.0, strict=None, well_formed=True)

    def oracle(self, problem: Problem) -> str:
        return "-"
