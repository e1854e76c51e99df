"""Right and wrong draws of each problem, counted: from rollouts in memory, or from their four
columns on disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rewardscope.stats import pass_at_ks
from rewardscope.store import read_outcomes
from rewardscope.types import Rollout

EXTRACTORS = {"tolerant": "correct", "strict": "strict"}
"""Extractor -> the grade's field that holds its verdict."""


def verdicts(rollout: Rollout, strict: bool) -> list[bool]:
    """What the graded draws of a problem came out as, in order; a draw that could not be graded is
    left out.
    """
    found = [grade.strict if strict else grade.correct for grade in rollout.grades]
    return [verdict for verdict in found if verdict is not None]


@dataclass(frozen=True, eq=False)
class Tally:
    """The draws of P problems under one extractor, counted. A draw that could not be graded is
    stored, and is neither right nor wrong.
    """

    problems: tuple[str, ...]
    """Each once."""
    stored_P: np.ndarray
    graded_P: np.ndarray
    correct_P: np.ndarray
    first_P: np.ndarray
    """Place of the first right draw among the graded ones, from 0; their number where none is
    right.
    """

    @classmethod
    def of(cls, rollouts: Sequence[Rollout], strict: bool) -> "Tally":
        """Of groups in memory; groups of one problem are taken together."""
        stored: dict[str, int] = {}
        graded: dict[str, list[bool]] = {}
        for rollout in rollouts:
            name = rollout.problem.id
            stored[name] = stored.get(name, 0) + len(rollout.grades)
            graded.setdefault(name, []).extend(verdicts(rollout, strict))
        first = [found.index(True) if True in found else len(found) for found in graded.values()]
        counts = (
            list(stored.values()),
            [len(found) for found in graded.values()],
            [sum(found) for found in graded.values()],
            first,
        )
        return cls(tuple(stored), *(np.array(count, dtype=np.int64) for count in counts))

    def chosen(self, problems: Sequence[str]) -> "Tally":
        """These problems alone, in this order."""
        if self.problems == tuple(problems):
            return self
        place = {name: index for index, name in enumerate(self.problems)}
        at_P = np.array([place[name] for name in problems], dtype=np.int64)
        return Tally(
            tuple(problems),
            self.stored_P[at_P],
            self.graded_P[at_P],
            self.correct_P[at_P],
            self.first_P[at_P],
        )

    def pass_at(self, ks: Sequence[int]) -> np.ndarray:
        """pass@k of each problem (P, K); NaN where it has fewer than k graded draws."""
        # problems with the same counts are worked out once: a million have few
        most = int(self.correct_P.max(initial=0)) + 1
        kind_C, kind_P = np.unique(self.graded_P * most + self.correct_P, return_inverse=True)
        return pass_at_ks(kind_C // most, kind_C % most, ks)[kind_P]


def powers_of_two(most: int) -> list[int]:
    """1, 2, 4 ... up to ``most``.

    >>> powers_of_two(100)
    [1, 2, 4, 8, 16, 32, 64]
    """
    return [1 << power for power in range(most.bit_length())]


def read_tallies(path: Path) -> dict[str, Tally]:
    """The tally of stored rollouts by extractor; of the table only problem, policy step and the two
    verdicts are read.

    Args:
        path: A table that :func:`rewardscope.store.write_rollouts` wrote, or a folder of them.

    Raises:
        RunDirectoryError: If there is none, it is no table of rollouts, it is empty, or it holds
            completions of several policies.
    """
    frame = read_outcomes(path)
    names = tuple(frame["problem"].to_list())
    stored_P = frame["stored"].to_numpy().astype(np.int64)
    found = {}
    for extractor, column in EXTRACTORS.items():
        graded_P = frame[f"{column}_graded"].to_numpy().astype(np.int64)
        first_P = (
            frame[f"{column}_first"]
            .fill_null(frame[f"{column}_graded"])
            .to_numpy()
            .astype(np.int64)
        )
        found[extractor] = Tally(
            names, stored_P, graded_P, frame[f"{column}_right"].to_numpy().astype(np.int64), first_P
        )
    return found
