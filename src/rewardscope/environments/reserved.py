"""Any environment's problems, with a share of its training split set aside for experience to learn
from.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from rewardscope.environments.base import MAX_ATTEMPTS, owner
from rewardscope.environments.words.sums import Sums
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.protocols import Environment
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

EVOLVE, TRAIN = "evolve", "train"


@dataclass(frozen=True)
class Reserved:
    """The problems of ``base``, a ``share`` of whose split ``train`` is the split ``evolve``
    instead.

    Which of the two owns a problem is a function of its content. Every arm of a study is given this
    environment, with a bank or without, so that all train on the same problems. An index whose
    problem is owned by the other split leads to one drawn at its address.
    """

    base: Environment = Sums()
    share: float = 0.2

    name: ClassVar[str] = "Reserved"

    def __post_init__(self) -> None:
        if not 0 < self.share < 1 or isinstance(self.base, Reserved):
            raise ComponentError(
                "Reserved sets a share of an environment's training split aside, once",
                value=self,
                allowed="0 < share < 1",
                do="Correct it in the study file",
            )

    @property
    def inner(self) -> Environment:
        """The base: its turns, its categories and its words for what a completion teaches hold."""
        return self.base

    @property
    def strategies(self) -> tuple[str, ...]:
        """Those of the base."""
        return self.base.strategies

    def problem(self, split: str, index: int) -> Problem:
        """The base's problem at (split, index), or, where the index leads to the other share of
        ``train``, one drawn at its address.

        Raises:
            EnvironmentFault: If there is no such split, or nothing in it.
        """
        if split not in (TRAIN, EVOLVE):
            return replace(self.base.problem(split, index), environment=self.name)
        shares, random = (
            {EVOLVE: self.share, TRAIN: 1 - self.share},
            generator("reserved", self.base.name, split, index),
        )
        indices = (
            index if attempt == 0 else int(random.integers(2**40))
            for attempt in range(MAX_ATTEMPTS)
        )
        for candidate in indices:
            problem = self.base.problem(TRAIN, candidate)
            if (
                owner(problem.id[::-1], shares) == split
            ):  # reversed: the base's own splits were drawn from the first digits
                return replace(problem, environment=self.name)
        raise EnvironmentFault(
            f"Reserved found no problem for split '{split}'",
            value=self,
            do="Raise its share, or take an environment with more problems",
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """The base's grade."""
        return self.base.grade(self._of_base(problem), text)

    def oracle(self, problem: Problem) -> str:
        """The base's oracle."""
        return self.base.oracle(self._of_base(problem))

    def _of_base(self, problem: Problem) -> Problem:
        return replace(problem, environment=self.base.name)
