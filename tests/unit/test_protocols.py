from dataclasses import dataclass
from typing import ClassVar

from rewardscope.environments.confident import Confident
from rewardscope.environments.house.compact import House
from rewardscope.environments.reserved import Reserved
from rewardscope.environments.rules import Rules
from rewardscope.environments.words.sums import Sums
from rewardscope.experience import category_of
from rewardscope.protocols import Environment, turn_taker, unwrapped
from rewardscope.types import Grade, Problem


@dataclass(frozen=True)
class Beside:
    """Somebody's own environment that keeps another one under the name ``base``."""

    base: Environment = House()

    name: ClassVar[str] = "Beside"
    strategies: ClassVar[tuple[str, ...]] = ()

    def problem(self, split: str, index: int) -> Problem:
        return self.base.problem(split, index)

    def grade(self, problem: Problem, text: str) -> Grade:
        return self.base.grade(problem, text)

    def oracle(self, problem: Problem) -> str:
        return self.base.oracle(problem)


@dataclass(frozen=True)
class Before(Beside):
    """The same, and it says that it forwards."""

    name: ClassVar[str] = "Before"

    @property
    def inner(self) -> Environment:
        return self.base


@dataclass(frozen=True)
class Sorted(Before):
    """A wrapper with a category of its own."""

    name: ClassVar[str] = "Sorted"

    def category(self, prompt: str) -> str:
        return "mine"


def test_a_field_that_happens_to_be_called_base_forwards_nothing() -> None:
    assert turn_taker(Beside()) is None
    assert list(unwrapped(Beside())) == [Beside()]
    assert category_of(Beside(Rules()), "37b") == "all"


def test_a_wrapper_that_declares_what_is_inside_speaks_with_its_voice() -> None:
    assert turn_taker(Before()) == House()
    assert turn_taker(Before(Reserved(House()))) == House()
    assert turn_taker(Before(Sums())) is None
    assert category_of(Before(Rules()), "37b") == "b"


def test_what_a_wrapper_says_itself_comes_first() -> None:
    assert category_of(Sorted(Rules()), "37b") == "mine"
    assert category_of(Reserved(Sorted(Rules())), "37b") == "mine"


def test_our_wrappers_forward() -> None:
    assert list(unwrapped(Reserved(Confident(Rules())))) == [
        Reserved(Confident(Rules())),
        Confident(Rules()),
        Rules(),
    ]
