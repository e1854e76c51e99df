"""What a composition of string functions returns, as problems."""

import re
from dataclasses import dataclass
from typing import ClassVar, get_args

import numpy as np

from rewardscope.environments.base import MAX_ATTEMPTS, content_id, owner
from rewardscope.environments.extraction import OPEN, Place, bounded, boxed, strict
from rewardscope.environments.words.composition.functions import (
    CONCATENATE,
    DEFINITIONS,
    FUNCTIONS,
    INTERLACE,
    TRAINED,
    UNSEEN,
    join,
)
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

SHARES = {"train": 0.8, "heldout": 0.2}
SPLITS = {"train": ("train", TRAINED), "heldout": ("heldout", TRAINED), "unseen": (None, UNSEEN)}
"""Split -> which share of the compositions it draws from (None = all), and of which functions."""
LONGEST = 60
"""Characters that any value on the way may have."""
MOST_LEVELS = 8
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Node = str | tuple[str, "Node"] | tuple[str, "Node", "Node"]
"""The input ``x``, a literal in quotes, a function of a node, or two nodes joined."""

OUTPUT = re.compile(r"""["']output["']\s*:\s*["']([^"'\n]{1,200})["']""")
PHRASE = re.compile(
    r"(?:(?:answer|output|result)(?:\s+is|\s*[:=])|returns)[\s\"'`*$:]{0,9}([^\s\"'`*$]{1,200})",
    re.IGNORECASE,
)
QUOTED = re.compile(r"[\"'`]([^\"'`\s]{1,200})[\"'`]")
DRESS = " \t\r\n\"'`*$.,;:!?"


@dataclass(frozen=True)
class Composition:
    """Compositions of ``min_level`` to ``max_level`` nested functions, each depth equally likely;
    the answer is the string that comes out.

    ``train`` and ``heldout`` use 13 functions and share no composition (at level 1, where there are
    few, no composition of one input); ``unseen`` uses 12 others. The names, ``func_0`` to
    ``func_24``, say nothing, so that without ``definitions`` what they do has to be known from
    training. A node joins two compositions with probability ``join_share``, by + or ``interlace``;
    a leaf is a random literal with probability ``literal_leaf``, and the input otherwise.

    Source:
        Yuan et al. 2025, arXiv:2509.25123: the design, 13 + 12 functions, joins 0.2 and literals
            0.5. The functions here are our own; no value is longer than 60 characters, and an
            expression without a function is drawn again.
    """

    min_level: int = 1
    max_level: int = 2
    definitions: bool = True
    """Quotes the source of every function that is used."""
    join_share: float = 0.2
    literal_leaf: float = 0.5
    answer_in: Place = "tags"
    """Where the answer is asked for, and where the strict extractor looks: between answer tags, or
    the whole completion.
    """

    name: ClassVar[str] = "Composition"
    strategies: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        good = (
            1 <= self.min_level <= self.max_level <= MOST_LEVELS
            and 0 <= self.join_share <= 0.5
            and 0 <= self.literal_leaf <= 1
        )
        if not good or self.answer_in not in get_args(Place):
            raise ComponentError(
                "Composition cannot ask with these settings",
                value=self,
                allowed=f"1 <= min_level <= max_level <= {MOST_LEVELS}; join_share 0 to 0.5; "
                "literal_leaf 0 to 1; "
                f"answer_in one of {', '.join(get_args(Place))}",
                do="Mend them",
            )

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index).

        Raises:
            EnvironmentFault: If the split does not exist, or nothing that is drawn belongs to it.
        """
        if split not in SPLITS:
            raise EnvironmentFault(
                "Composition has no such split",
                value=repr(split),
                allowed=", ".join(SPLITS),
                do="Use one of them",
            )
        home, names = SPLITS[split]
        random = generator("problem", "Composition", split, index)
        for _ in range(MAX_ATTEMPTS):
            level = int(random.integers(self.min_level, self.max_level + 1))
            node = self._draw(random, level, names)
            given = _letters(random, 3, 10)
            content = told(node, given) if level == 1 else told(node)
            if home in (None, owner(content_id("Composition", content), SHARES)) and _calls(
                node
            ) - {INTERLACE}:
                values = trace(node, given)
                if values is not None and values[-1][1]:
                    return self._ask(node, given, level, values[-1][1])
        raise EnvironmentFault(
            f"Composition found no problem for split '{split}'",
            value=f"{MAX_ATTEMPTS} draws",
            do="Use fewer levels or joins",
        )

    def _draw(self, random: np.random.Generator, depth: int, names: tuple[str, ...]) -> Node:
        if depth == 0:
            return repr(_letters(random, 3, 6)) if random.random() < self.literal_leaf else "x"
        if random.random() < self.join_share:
            operator = CONCATENATE if random.random() < 0.5 else INTERLACE
            return (
                operator,
                self._draw(random, depth - 1, names),
                self._draw(random, depth - 1, names),
            )
        return names[int(random.integers(len(names)))], self._draw(random, depth - 1, names)

    def _ask(self, node: Node, given: str, level: int, answer: str) -> Problem:
        main = f"def main(x):\n    return {told(node)}"
        used = (
            [DEFINITIONS[name] for name in DEFINITIONS if name in _calls(node)]
            if self.definitions
            else []
        )
        question = "\n\n".join(
            ["Given this code:", *used, main, f'What does main("{given}") return?']
        )
        where = (
            "Give the string in the form <answer>...</answer>."
            if self.answer_in == "tags"
            else "Answer with just the string."
        )
        facts = {
            "composition": told(node),
            "input": given,
            "values": "; ".join(f'{call} is "{value}"' for call, value in trace(node, given) or ()),
        }
        # named by the composition of its input: how it is asked makes no other problem
        return Problem(
            content_id("Composition", told(node, given)),
            "Composition",
            f"{question} {where}",
            answer,
            level,
            facts,
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: the string where it was asked for; tolerant: the string wherever it is, quoted or
        not. Upper and lower case differ.
        """
        text = bounded(text)
        asked = strict(text, self.answer_in)
        strictly, found = asked == problem.answer, find_string(text)
        return Grade(
            correct=strictly or found == problem.answer,
            strict=strictly,
            well_formed=asked is not None and len(asked.split()) == 1,
            answer=asked if found is None else found,  # the same reading whatever the key is
            feedback=problem.facts["values"],
        )

    def oracle(self, problem: Problem) -> str:
        """The string, where it was asked for."""
        return f"<answer>{problem.answer}</answer>" if self.answer_in == "tags" else problem.answer


def told(node: Node, given: str | None = None) -> str:
    """The composition as Python; with the input written in where there is one ``given``.

    >>> told(("func_0", ("+", "x", "'abc'")))
    "func_0(x + 'abc')"
    """
    if isinstance(node, str):
        return node if given is None or node != "x" else repr(given)
    operator, *parts = node
    written = [told(part, given) for part in parts]
    return " + ".join(written) if operator == CONCATENATE else f"{operator}({', '.join(written)})"


def trace(node: Node, given: str) -> list[tuple[str, str]] | None:
    """(call, value) of every node that calls or joins, the innermost first, the whole last; None
    where a value grows too long.
    """
    if isinstance(node, str):
        return [("", given if node == "x" else node[1:-1])]
    parts = [trace(part, given) for part in node[1:]]
    if any(part is None for part in parts):
        return None
    before = [part for part in parts if part is not None]
    arguments = [part[-1][1] for part in before]
    value = FUNCTIONS[node[0]](*arguments) if len(arguments) == 1 else join(node[0], *arguments)
    if len(value) > LONGEST:
        return None
    quoted = [f'"{argument}"' for argument in arguments]
    call = " + ".join(quoted) if node[0] == CONCATENATE else f"{node[0]}({', '.join(quoted)})"
    return [step for part in before for step in part if step[0]] + [(call, value)]


def _calls(node: Node) -> set[str]:
    """Names of the functions in it, ``interlace`` among them."""
    if isinstance(node, str):
        return set()
    below = {name for part in node[1:] for name in _calls(part)}
    return below if node[0] == CONCATENATE else below | {node[0]}


def _letters(random: np.random.Generator, shortest: int, longest: int) -> str:
    return "".join(
        LETTERS[place]
        for place in random.integers(26, size=int(random.integers(shortest, longest + 1)))
    )


def find_string(text: str) -> str | None:
    r"""The string that a completion says comes out; None where it says none.

    In this order: the last answer tag (also one that was never closed), an "output" in JSON, the
    last \boxed{...}, what follows the last "answer is", "output:" or "returns", the last text in
    quotation marks, the last word.

    >>> find_string('I think main("ab") returns "ba".'), find_string("ba")
    ('ba', 'ba')
    """
    if OPEN in text:
        inside = text.rpartition(OPEN)[2].partition("</answer>")[0]
        if inside.strip(DRESS):
            return inside.strip(DRESS)
    for pattern in (OUTPUT, None, PHRASE, QUOTED):
        found = [boxed(text) or ""] if pattern is None else pattern.findall(text)
        if found and found[-1].strip(DRESS):
            return found[-1].strip(DRESS)
    words = text[-1000:].split()
    return (words[-1].strip(DRESS) or None) if words else None
