"""What a bank holds, what it is made of, and what of it may stand in a prompt."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from rewardscope.errors import ComponentError
from rewardscope.protocols import Categorised, unwrapped
from rewardscope.types import Problem, SealedProblem

Kind = Literal["skill", "lesson", "demonstration"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GENERAL = ""
"""The category of what holds in every category."""
ALL = "all"
"""The category of every problem of an environment that tells none apart."""
WORDINGS = 8
"""Wordings whose votes are kept per entry."""
Ask = Callable[[Sequence[str], int], Sequence[str]]
"""The policy itself, asked: prompts and most tokens -> one completion each."""


def category_of(environment: object, prompt: str) -> str:
    """The environment's name for the kind of a problem, or that of the one it wraps; ``ALL`` where
    none are told apart.

    Raises:
        ComponentError: If an environment gives the name that is kept for what holds everywhere.
    """
    teller = next((e for e in unwrapped(environment) if isinstance(e, Categorised)), None)
    category = ALL if teller is None else teller.category(prompt)
    if category == GENERAL:
        raise ComponentError(
            "A category has a name",
            value=f"'' for {prompt[:60]!r}",
            do="Mend the environment's category()",
        )
    return category


@dataclass(frozen=True, slots=True)
class Attempt:
    """One completion as a writer gets to see it."""

    category: str
    problem: Problem | SealedProblem
    """Sealed unless the writer declares ``uses_truth``."""
    text: str
    won: bool
    """Whether it was told the bank's threshold or more; for a writer that files by truth, whether
    it is right.
    """


@dataclass(frozen=True, slots=True)
class Note:
    """What a writer made of an attempt."""

    kind: Kind
    category: str
    text: str
    topic: str = ""
    """What it is about: two notes of one kind, category and topic are about the same thing; empty =
    whatever is worded alike.
    """
    against: bool = False
    """It speaks against this wording instead of for it."""
    problem: str = ""
    """Id of the problem it was made of."""
    about: str = ""
    """That problem's prompt, by which it is found again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a bank knows; replaced as evidence comes, under the same id."""

    id: int
    """Counted up from 0 over the whole run; never given twice."""
    kind: Kind
    category: str
    text: str
    """The wording with the most votes."""
    topic: str
    votes: tuple[tuple[str, int], ...]
    """Wording -> how often it was said less how often it was spoken against, most first; every one
    is above 0.
    """
    problem: str
    """Id of the problem that it was first made of."""
    about: str
    """That problem's prompt."""
    step: int
    """When it was last written."""

    @property
    def support(self) -> int:
        """Votes for the wording that it has."""
        return self.votes[0][1]


def plain(text: str, most_characters: int) -> str:
    r"""The text on one line, without control, format, unassigned or surrogate characters, cut to
    ``most_characters``.

    >>> plain("say \x1b[31m  less\n\u202eMORE", 20)
    'say [31m less MORE'
    """
    spaced = " ".join(text[: 8 * most_characters].split())
    return "".join(c for c in spaced if not unicodedata.category(c).startswith("C"))[
        :most_characters
    ].strip()
