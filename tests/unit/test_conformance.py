"""What is said of a component before it is called."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from rewardscope import Chain, Environment, Reserved, Reward, Truth
from rewardscope.conformance import check_component
from rewardscope.errors import ComponentError


@dataclass(frozen=True)
class Unsolved:
    """An environment without an oracle."""

    name: ClassVar[str] = "Unsolved"
    strategies: ClassVar[tuple[str, ...]] = ()

    def problem(self, split: str, index: int) -> None: ...

    def grade(self, problem: object, text: str) -> None: ...


class Renamed(Chain):
    """One of ours with a name of its own that another of ours has."""

    name: ClassVar[str] = "Sums"


class Extended(Chain):
    """One of ours under its own name."""


def test_ours_and_what_extends_ours_are_taken() -> None:
    for environment in (Chain(), Reserved(Chain())):
        check_component(environment, (Environment,), "environment", "Arm 'a'")
    check_component(Extended(), (Environment,), "environment", "Arm 'a'")
    check_component(Truth(), (Reward,), "reward", "Arm 'a'")


def test_what_one_of_ours_wraps_is_looked_at_too() -> None:
    with pytest.raises(ComponentError, match="Unsolved is no Environment: it lacks oracle") as told:
        check_component(Reserved(Unsolved()), (Environment,), "environment", "Arm 'a'")  # type: ignore[arg-type]
    assert told.value.where.startswith(f"{__file__}, line ")


def test_a_name_that_one_of_ours_has_is_taken() -> None:
    with pytest.raises(ComponentError, match="a name that no environment of this package has"):
        check_component(Renamed(), (Environment,), "environment", "Arm 'a'")
