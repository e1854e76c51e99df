"""Entries of a bank, the attempts and notes behind them, and the text that may enter a prompt."""

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
"""The category of entries that hold in every category."""
ALL = "all"
"""The category of every problem in an environment without categories."""
WORDINGS = 8
"""Wordings whose votes are kept per entry."""
Ask = Callable[[Sequence[str], int], Sequence[str]]
"""Asks the policy: (prompts, most tokens) -> one completion per prompt."""


def category_of(environment: object, prompt: str) -> str:
    """The category of a problem, from the environment or the one it wraps; ``ALL`` without
    categories.

    Raises:
        ComponentError: If an environment returns the name reserved for general entries.
    """
    teller = next((e for e in unwrapped(environment) if isinstance(e, Categorised)), None)
    category = ALL if teller is None else teller.category(prompt)
    if category == GENERAL:
        raise ComponentError(
            "A category needs a name",
            value=f"'' for {prompt[:60]!r}",
            do="Let the environment's category() return a name",
        )
    return category


@dataclass(frozen=True, slots=True)
class Attempt:
    """One completion as a writer sees it."""

    category: str
    problem: Problem | SealedProblem
    """Sealed unless the writer declares ``uses_truth``."""
    text: str
    won: bool
    """Whether its reward reached the bank's threshold; for a writer that files by truth, whether it
    is correct.
    """


@dataclass(frozen=True, slots=True)
class Note:
    """A writer's note on an attempt."""

    kind: Kind
    category: str
    text: str
    topic: str = ""
    """Two notes of the same kind, category and topic are about the same entry. Empty = notes match
    by similar wording.
    """
    against: bool = False
    """Whether it votes against this wording instead of for it."""
    problem: str = ""
    """Id of the attempted problem."""
    about: str = ""
    """That problem's prompt, used for similarity when recalling."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a bank; new evidence replaces it under the same id."""

    id: int
    """Counts up from 0 over the whole run; never reused."""
    kind: Kind
    category: str
    text: str
    """The wording with the most votes."""
    topic: str
    votes: tuple[tuple[str, int], ...]
    """Wording -> votes for it minus votes against it, most first; each above 0."""
    problem: str
    """Id of the problem behind its first note."""
    about: str
    """That problem's prompt."""
    step: int
    """Step at which it was last written."""

    @property
    def support(self) -> int:
        """Votes for its current wording."""
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
