"""Functions of four-digit strings, one inside the other: what composing asks of a model that knows
each of them.

A prompt is ``BA3142?``: B of A of 3142, so the function beside the string comes first. Its level is
the number of functions. A completion writes one known fact per function and answers after a colon,
or answers at once:

    working    A3142=2413,B2413=4132:4132
    at once    :4132

The functions A to F are set A, U to Z set B; each problem takes its functions from one set, and two
functions of a set never make a third of it. Of the 10,000 answers no constant one is right in more
than 0.06 % of the problems. The string itself is right more often, since functions undo each other
or meet digits that they do not move: in 9 % of the problems of level 2, 2 % of level 1, 0.5 % of
level 3 and 1.2 % of levels 4 to 6. That is the floor of any accuracy here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.environments.base import content_id, draw
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

LENGTH = 4
MOST_LEVELS = 6
SETS = {"A": "ABCDEF", "B": "UVWXYZ"}
"""Set -> its functions."""
SPLITS = {"pretrain": 0.4, "train": 0.3, "heldout": 0.3}


def _each(change: Callable[[int], int]) -> Callable[[str], str]:
    return lambda text: "".join(str(change(int(digit)) % 10) for digit in text)


FUNCTIONS: dict[str, Callable[[str], str]] = {
    "A": lambda text: text[::-1],
    "B": lambda text: text[1:] + text[0],
    "C": lambda text: text[1] + text[0] + text[2:],
    "D": _each(lambda digit: digit + 1),
    "E": _each(lambda digit: 9 - digit),
    "F": lambda text: _each(lambda digit: digit + 3)(text[0]) + text[1:],
    "U": lambda text: text[-1] + text[:-1],
    "V": lambda text: text[-1] + text[1:-1] + text[0],
    "W": lambda text: text[:2] + text[3] + text[2],
    "X": _each(lambda digit: digit + 3),
    "Y": _each(lambda digit: 7 - digit),
    "Z": lambda text: text[:-1] + _each(lambda digit: digit + 1)(text[-1]),
}
"""Letter -> function: A reverses, B and U rotate, C, V and W swap two digits, D, E, X and Y change
each digit modulo 10, F and Z one.
"""
FACT = r"[A-Z]\d{4}=\d{4}"
WHOLE = {
    "working": re.compile(rf"{FACT}(?:,{FACT})*:\d{{4}}", re.ASCII),
    "at once": re.compile(r":\d{4}", re.ASCII),
}
ANSWER = re.compile(r":(\d{4})$", re.ASCII)
LOOSE_ANSWER = re.compile(r"(?<!\d)(\d{4})\D*$", re.ASCII)


def facts(prompt: str) -> list[tuple[str, str, str]]:
    """(function, string before, string after) in the order of working.

    >>> facts("BA3142?")
    [('A', '3142', '2413'), ('B', '2413', '4132')]
    """
    text, steps = prompt[-LENGTH - 1 : -1], []
    for letter in prompt[: -LENGTH - 1][::-1]:
        after = FUNCTIONS[letter](text)
        steps.append((letter, text, after))
        text = after
    return steps


def write(prompt: str, at_once: bool = False) -> str:
    """The right completion of a prompt, with its working or at once."""
    known = facts(prompt)
    working = (
        "" if at_once else ",".join(f"{letter}{before}={after}" for letter, before, after in known)
    )
    return f"{working}:{known[-1][2]}"


@dataclass(frozen=True)
class Nest:
    """Nestings of ``min_level`` to ``max_level`` functions, all from one of ``sets``; the index
    goes round through levels and sets.

    Source:
        Yuan et al. 2025, arXiv:2509.25123: known functions, composed only under reward, with
            held-out functions and deeper levels.
    """

    min_level: int = 2
    max_level: int = 2
    sets: str = "A"
    """Letters of the sets that problems come from."""

    name: ClassVar[str] = "Nest"
    strategies: ClassVar[tuple[str, ...]] = ("working", "at once")

    def __post_init__(self) -> None:
        levels = 1 <= self.min_level <= self.max_level <= MOST_LEVELS
        if (
            not levels
            or not self.sets
            or len(set(self.sets)) < len(self.sets)
            or not set(self.sets) <= set(SETS)
        ):
            raise ComponentError(
                "Nest cannot nest functions with these settings",
                value=f"min_level={self.min_level}, max_level={self.max_level}, sets={self.sets!r}",
                allowed=f"1 <= min_level <= max_level <= {MOST_LEVELS}; sets 'A', 'B' or 'AB'",
                do="Correct them in the study file",
            )

    def problem(self, split: str, index: int) -> Problem:
        """The nesting at (split, index); a prompt belongs to one split by its content, whatever the
        settings.
        """
        kinds = [
            (level, name)
            for level in range(self.min_level, self.max_level + 1)
            for name in self.sets
        ]
        level, name = kinds[index % len(kinds)]
        return draw("Nest", split, index, SPLITS, lambda seed: self._make(seed, level, name))

    def _make(self, seed: int, level: int, name: str) -> Problem:
        random = generator("nest", seed, level, name)
        letters = "".join(SETS[name][i] for i in random.integers(len(SETS[name]), size=level))
        prompt = letters + "".join(map(str, random.integers(10, size=LENGTH))) + "?"
        return Problem(
            content_id("Nest", prompt), "Nest", prompt, facts(prompt)[-1][2], level, {"set": name}
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: four digits after the closing colon; tolerant: the last four digits that stand
        alone, however they are dressed.
        """
        text = text.strip()
        strict, loose = ANSWER.search(text), LOOSE_ANSWER.search(text)
        strategy = "at once" if text[:1] == ":" else "working" if text[:1] in FUNCTIONS else None
        return Grade(
            correct=loose is not None and loose[1] == problem.answer,
            strict=strict is not None and strict[1] == problem.answer,
            well_formed=any(form.fullmatch(text) for form in WHOLE.values()),
            answer=loose[1] if loose else None,
            feedback=f"the strings are {','.join(after for _, _, after in facts(problem.prompt))}",
            strategy=strategy,
            steps=check_steps(problem.prompt, text),
        )

    def oracle(self, problem: Problem) -> str:
        """The nesting with its working."""
        return write(problem.prompt)


def check_steps(prompt: str, text: str) -> tuple[bool, ...] | None:
    """Per written fact: is it about the prompt's next function and the string that the fact before
    left, and is it right?

    A fact after a wrong one is judged on the string it was given; one that is left out or one too
    many is False. None where the completion shows no working.
    """
    if WHOLE["working"].fullmatch(text) is None:
        return None
    asked, current = facts(prompt), prompt[-LENGTH - 1 : -1]
    written = text[: text.index(":")].split(",")
    verdicts = []
    for (letter, _, _), fact in zip(asked, written, strict=False):
        before, after = fact[1 : 1 + LENGTH], fact[-LENGTH:]
        verdicts.append(
            fact[0] == letter and before == current and after == FUNCTIONS[letter](current)
        )
        current = after
    verdicts += [False] * (max(len(asked), len(written)) - len(verdicts))
    return tuple(verdicts)
