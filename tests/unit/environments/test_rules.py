import pytest

from rewardscope import Rules
from rewardscope.environments.rules import KINDS, SIGNS, SPLITS, result
from rewardscope.errors import ComponentError
from rewardscope.types import Problem

PROBLEM = Problem("00", "Rules", "37b", "6")


def test_results_by_hand() -> None:
    assert [result(sign, 3, 7) for sign in SIGNS] == [0, 6, 1, 7]


def test_the_answer_follows_from_the_kind_alone() -> None:
    for index in range(200):
        problem = Rules().problem("train", index)
        left, right, kind = int(problem.prompt[0]), int(problem.prompt[1]), problem.prompt[2]
        assert problem.answer == str(result("+-*^-+"[KINDS.index(kind)], left, right))


@pytest.mark.parametrize(
    ("text", "correct", "strict", "formed", "strategy"),
    [
        ("-6", True, True, True, "difference"),
        ("+6", True, True, True, "sum"),  # the answer is judged, not the rule that it names
        ("-5", False, False, True, "difference"),
        ("6", True, False, False, None),
        ("-6 it is", True, False, False, "difference"),
        ("-66", False, False, False, "difference"),
        ("", False, False, False, None),
    ],
)
def test_grades(text: str, correct: bool, strict: bool, formed: bool, strategy: str | None) -> None:
    grade = Rules().grade(PROBLEM, text)
    assert (grade.correct, grade.strict, grade.well_formed, grade.strategy) == (
        correct,
        strict,
        formed,
        strategy,
    )
    assert grade.feedback == "kind b goes by -"


def test_what_a_completion_teaches() -> None:
    assert (
        Rules().skill(PROBLEM, "+0"),
        Rules().lesson(PROBLEM, "+0"),
        Rules().category("37b"),
    ) == ("b+;", "b!+;", "b")
    assert (Rules().skill(PROBLEM, "0"), Rules().lesson(PROBLEM, "")) == ("", "")


def test_each_split_has_about_its_share_of_the_600() -> None:
    for split, share in SPLITS.items():
        assert (
            abs(len({Rules().problem(split, index).id for index in range(6000)}) - 600 * share)
            < 4 * (600 * share * (1 - share)) ** 0.5
        )


@pytest.mark.parametrize("rules", ["", "+-*^", "+-*^-/"])
def test_rules_that_are_none_are_refused(rules: str) -> None:
    with pytest.raises(ComponentError, match="one rule"):
        Rules(rules)
