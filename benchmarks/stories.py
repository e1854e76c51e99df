"""Four prompts that ask for long answers, as an environment: nearly every completion is as long as
it may be, in every engine.
"""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.types import Grade, Problem

TOPICS = ("the sea", "an old clock", "a train at night", "the first snow")
EXAMPLE = (
    "Example {}: a story about {} may begin with a place, a time of the day, and a person who "
    "waits for something to come.\n"
)


def prompt(index: int, examples: int = 0) -> str:
    """About 45 tokens of SmolLM2, and 27 more for each example."""
    before = "".join(EXAMPLE.format(n + 1, TOPICS[n % len(TOPICS)]) for n in range(examples))
    return (
        f"{before}Write a long and detailed story of many paragraphs about "
        f"{TOPICS[index % len(TOPICS)]}. Begin at once."
    )


def pay(text: str) -> float:
    """Some reward that differs within a group; what it is makes no difference to the time."""
    return float(len(text) % 2)


@dataclass(frozen=True)
class Stories:
    """The four prompts."""

    examples: int = 0
    name: ClassVar[str] = "Stories"
    strategies: ClassVar[tuple[str, ...]] = ()

    def problem(self, split: str, index: int) -> Problem:
        return Problem(str(index % len(TOPICS)), self.name, prompt(index, self.examples), "", 0)

    def grade(self, problem: Problem, text: str) -> Grade:
        return Grade(correct=pay(text) == 1.0, strict=None, well_formed=True)

    def oracle(self, problem: Problem) -> str:
        return "-"
