"""A key that is wrong for some problems: which ones, and what is paid for them. Hand-worked
numbers.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from factories import PROBLEM, rollout
from rewardscope import Clinic, Mislabelled, Noisy, Truth
from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.types import Problem, Rollout

ANSWERS = ("5", "6", "7", None)
CORRECT = (True, False, False, None)


def group(
    problem: Problem = PROBLEM,
    answers: Sequence[str | None] = ANSWERS,
    correct: Sequence[bool | None] = CORRECT,
) -> Rollout:
    """Of a problem whose key is 5 and whose wrong key is 6: right, the wrong key, another wrong
    answer, ungraded.
    """
    made = rollout(correct, problem=problem)
    return replace(
        made,
        grades=tuple(
            replace(grade, answer=answer)
            for grade, answer in zip(made.grades, answers, strict=True)
        ),
    )


def numbered(count: int) -> list[Problem]:
    return [replace(PROBLEM, id=f"{number:016x}") for number in range(count)]


def is_mislabelled(problem: Problem, share: float, *address: str) -> bool:
    return Mislabelled(share)(group(problem), address).parts["mislabelled"][0] == 1.0


def test_without_wrong_keys_it_is_the_truth() -> None:
    assert (
        Mislabelled(0.0)(group(), ()).values == Truth()(group(), ()).values == (1.0, 0.0, 0.0, None)
    )


def test_a_wrong_key_pays_itself_and_nothing_else() -> None:
    told = Mislabelled(1.0)(group(), ())
    assert told.values == (0.0, 1.0, 0.0, None)
    assert told.parts == {"truth": (1.0, 0.0, 0.0, None), "mislabelled": (1.0,) * 4}
    assert Noisy(1.0, per="problem")(group(), ()).values == (0.0, 1.0, 1.0, None), (
        "a turned verdict pays every wrong answer"
    )


def test_the_share_is_the_share_of_problems() -> None:
    for share in (0.1, 0.27, 0.5):
        found = sum(is_mislabelled(problem, share) for problem in numbered(4000)) / 4000
        assert abs(found - share) < 4 * (share * (1 - share) / 4000) ** 0.5


def test_the_wrong_keys_of_a_small_share_are_among_those_of_a_larger_one() -> None:
    small, large = (
        {p.id for p in numbered(1000) if is_mislabelled(p, share)} for share in (0.1, 0.27)
    )
    assert small < large


def test_which_keys_are_wrong_is_the_same_in_every_step_and_seed() -> None:
    for problem in numbered(100):
        assert is_mislabelled(problem, 0.27) == is_mislabelled(
            problem, 0.27, "train", "another seed"
        )


def test_a_number_is_the_wrong_key_within_the_tolerance_of_the_problem() -> None:
    answers = ("95", "94.9", "105", "105.1", "100.0", "about 100", "nan", None)
    correct = (False,) * 7 + (None,)
    loose = replace(PROBLEM, facts={"wrong_answer": "100", "tolerance": "0.05"})
    exact = replace(PROBLEM, facts={"wrong_answer": "100"})
    assert Mislabelled(1.0)(group(loose, answers, correct), ()).values == (
        1.0,
        0.0,
        1.0,
        0.0,
        1.0,
        0.0,
        0.0,
        None,
    )
    assert Mislabelled(1.0)(group(exact, answers, correct), ()).values == (
        0.0,
        0.0,
        0.0,
        0.0,
        1.0,
        0.0,
        0.0,
        None,
    )


def test_a_wrong_key_in_words_is_compared_as_it_is() -> None:
    words = replace(PROBLEM, facts={"wrong_answer": "blue"})
    assert Mislabelled(1.0)(group(words, ("blue", "Blue"), (False, False)), ()).values == (1.0, 0.0)


def test_a_problem_without_a_wrong_key_is_refused_whether_its_turn_came_or_not() -> None:
    for share in (0.0, 1.0):
        with pytest.raises(RewardscopeError, match=r"has no fact 'wrong_answer'"):
            Mislabelled(share)(group(replace(PROBLEM, facts={})), ())


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_a_share(share: float) -> None:
    with pytest.raises(ComponentError, match="share="):
        Mislabelled(share)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.27])
def test_on_the_clinic_the_right_answer_is_paid_but_for_the_share(share: float) -> None:
    environment, paid = Clinic(), []
    for index in range(1000):
        problem = environment.problem("train", index)
        texts = (environment.oracle(problem), f"<answer>{problem.facts['wrong_answer']}</answer>")
        grades = tuple(environment.grade(problem, text) for text in texts)
        told = Mislabelled(share)(
            replace(rollout([None, None], problem=problem), grades=grades), ()
        ).values
        assert told in ((1.0, 0.0), (0.0, 1.0))
        paid.append(told[1])
    assert abs(sum(paid) / 1000 - share) <= 4 * (share * (1 - share) / 1000) ** 0.5
