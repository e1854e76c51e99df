import numpy as np
import pytest

from factories import rollout
from rewardscope import Coin, Form, Inverted, Truth
from rewardscope.errors import ComponentError, RewardscopeError, TruthSealed
from rewardscope.protocols import View
from rewardscope.rewards import tell
from rewardscope.rewards.base import verdicts
from rewardscope.seeds import Address
from rewardscope.types import Grade, Rewards, sealed

GROUP = rollout([True, False, None])


def test_truth_pays_what_the_verifier_found() -> None:
    assert Truth()(GROUP, ()).values == (1.0, 0.0, None)


def test_strict_truth_pays_by_the_strict_extractor() -> None:
    group = rollout([True, True], strict=False)
    assert Truth()(group, ()).values == (1.0, 1.0)
    assert Truth(strict=True)(group, ()).values == (0.0, 0.0)


def test_verdicts_as_numbers_keep_what_could_not_be_graded() -> None:
    assert verdicts(rollout([True, False, None], strict=False)) == (1.0, 0.0, None)
    assert verdicts(rollout([True, False, None], strict=False), strict=True) == (0.0, 0.0, 0.0)
    with pytest.raises(TruthSealed, match=r"grade\.correct"):
        verdicts(sealed(GROUP))


def test_inverted_pays_the_wrong_ones() -> None:
    assert Inverted()(GROUP, ()).values == (0.0, 1.0, None)


@pytest.mark.parametrize("correct", [True, False, None])
def test_form_pays_form_whether_right_or_wrong(correct: bool | None) -> None:
    assert Form()(rollout([correct], well_formed=True), ()).values == (1.0,)
    assert Form()(rollout([correct], well_formed=False), ()).values == (0.0,)


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 1.0])
def test_a_coin_pays_as_often_as_it_says(p: float) -> None:
    group = rollout([True] * 10)
    flips = np.array([Coin(p)(group, ("train", 0, step)).values for step in range(1000)])
    assert abs(flips.mean() - p) <= 4 * (p * (1 - p) / 10_000) ** 0.5
    assert (abs(flips.mean(axis=0) - p) <= 4.5 * (p * (1 - p) / 1000) ** 0.5).all()


def test_coins_of_one_group_are_independent_of_each_other() -> None:
    group = rollout([True] * 6)
    flips = np.array([Coin()(group, ("train", 0, step)).values for step in range(2000)])
    correlation = np.corrcoef(flips.T) - np.eye(6)
    assert abs(correlation).max() < 4.5 / 2000**0.5


def test_a_coin_does_not_look_at_the_completion() -> None:
    assert Coin()(rollout([True] * 8), ("a",)) == Coin()(
        rollout([None] * 8, well_formed=False), ("a",)
    )


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_p_that_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ComponentError, match="p is a probability"):
        Coin(p)


class Cheat:
    """Declares that it does not read the key, and reads it."""

    uses_truth = False
    placebo = True

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        return Rewards(tuple(float(bool(grade.correct)) for grade in view.grades))


class Short:
    """Forgets the last completion."""

    uses_truth = False
    placebo = True

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        return Rewards((1.0,) * (len(view.completions) - 1))


def test_a_scheme_that_reads_the_key_against_its_word_is_stopped() -> None:
    with pytest.raises(TruthSealed, match=r"grade\.correct"):
        tell(Cheat(), GROUP, ())


def test_a_scheme_that_forgets_a_completion_is_stopped() -> None:
    with pytest.raises(RewardscopeError, match="2 rewards for 3 completions"):
        tell(Short(), GROUP, ())


def test_a_sealed_view_has_no_door_to_the_grades_it_was_made_from() -> None:
    view = sealed(GROUP)
    assert not any(isinstance(grade, Grade) for grade in view.grades)
    assert not hasattr(view, "rewards")
