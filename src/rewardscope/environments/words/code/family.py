"""What a family of functions to write is: parameters, wordings, a reference solution, and arguments
to test it with.
"""

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Parameters = Mapping[str, Any]
"""Name -> number, letter or text; written into the wordings as {name} and into the solution as
$name.
"""
Random = np.random.Generator


@dataclass(frozen=True)
class Family:
    """Functions that differ in their parameters alone."""

    name: str
    """Name of the function to write."""
    argument: str
    """Name of its one argument."""
    level: int
    """1 = one expression; 2 = one loop or a condition in it; 3 = a loop that keeps a state, or two
    loops.
    """
    draw: Callable[[Random], Parameters]
    wordings: tuple[str, ...]
    """Ways to say what is returned, behind "returns"."""
    solution: str
    """The function in Python, for the sandbox."""
    answer: Callable[[Parameters, Any], Any]
    """The same in this process's Python, written apart from ``solution``: each is the other's
    check.
    """
    example: Callable[[Random, Parameters], Any]
    """A random argument, often near what the parameters make interesting."""

    def source(self, parameters: Parameters) -> str:
        """The reference solution with its parameters written in."""
        return string.Template(self.solution).substitute(
            {name: repr(value) for name, value in parameters.items()}
        )

    def told(self, wording: str, parameters: Parameters) -> str:
        """The wording with its parameters written in; texts in double quotes."""
        return wording.format(
            **{
                name: f'"{value}"' if isinstance(value, str) else value
                for name, value in parameters.items()
            }
        )


def between(random: Random, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(random.integers(low, high + 1))


def one_of(random: Random, *choices: Any) -> Any:
    """One of the choices, each equally likely."""
    return choices[int(random.integers(len(choices)))]


def numbers(random: Random, low: int = -20, high: int = 20, longest: int = 9) -> list[int]:
    """Up to ``longest`` whole numbers from low to high; empty in one case of ``longest`` + 1."""
    return [
        int(value) for value in random.integers(low, high + 1, size=between(random, 0, longest))
    ]


def letters(random: Random, count: int, alphabet: str = string.ascii_lowercase) -> str:
    """``count`` random letters of the alphabet."""
    return "".join(alphabet[place] for place in random.integers(len(alphabet), size=count))


def distinct_letters(random: Random, count: int) -> tuple[str, ...]:
    """``count`` different lower-case letters."""
    return tuple(string.ascii_lowercase[place] for place in random.permutation(26)[:count])
