from fractions import Fraction
from itertools import permutations

import pytest

from rewardscope.environments.words.countdown import Countdown, last_expression, parse
from rewardscope.errors import ComponentError
from rewardscope.types import Problem

PROBLEM = Problem(
    "0" * 16, "Countdown", "Numbers: 3, 7, 8, 8. Target: 29.\nWrite an expression.", "3 * 7 + 8", 4
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("8 - 3 - 2", 3),
        ("16 / 4 / 2", 2),
        ("1 / 3 + 2 / 3", 1),
        ("7 / 2", Fraction(7, 2)),
        ("-3 + 8", 5),
        ("-(3 - 8) * 2", 10),
        ("((4))", 4),
    ],
)
def test_an_expression_has_the_value_that_arithmetic_gives_it(text: str, value: Fraction) -> None:
    expression = parse(text)
    assert expression is not None
    assert expression.value == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "1 2",
        "(1",
        "1)",
        "1 / 0",
        "1 / (2 - 2)",
        "2 ** 3",
        "1.5",
        "x",
        "1 + a",
        "()",
        "+1",
        "1e3",
        "(" * 30 + "1" + ")" * 30,
        "9" * 300,
    ],
)
def test_what_is_no_expression_has_no_value(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "well_formed"),
    [
        ("right", "<answer>3 * 7 + 8</answer>", True, True, True),
        ("right with every number", "<answer>3 * 7 + 8 * (8 / 8)</answer>", False, False, True),
        ("right in another order", "<answer>8+(7*3)</answer>", True, True, True),
        ("right in other signs", "<answer>3 × 7 + 8</answer>", True, True, True),
        ("right as an equation", "<answer>3 * 7 + 8 = 29</answer>", True, False, False),
        ("right in a sentence", "Easy: 3 * 7 + 8 = 29.", True, False, False),
        ("right in a box", "\\boxed{3 \\times 7 + 8}", True, False, False),
        ("right but cut off", "so <answer>3 * 7 + 8", True, False, False),
        ("right after a try", "3 + 7 = 10, no. 3 * 7 + 8", True, False, False),
        ("a number twice too often", "<answer>3 * 7 + 8 + 8 - 8</answer>", False, False, True),
        ("a number that was not given", "<answer>30 - 1</answer>", False, False, True),
        ("wrong value", "<answer>3 + 7 + 8</answer>", False, False, True),
        ("the target alone", "<answer>29</answer>", False, False, True),
        ("nothing in the tags", "3 * 7 + 8 <answer></answer>", True, False, False),
        ("empty", "", False, False, False),
        ("power", "<answer>3 ** 7</answer>", False, False, False),
        ("division by zero", "<answer>3 / (8 - 8)</answer>", False, False, False),
    ],
)
def test_the_truth_table(
    case: str, text: str, correct: bool, strictly: bool, well_formed: bool
) -> None:
    grade = Countdown().grade(PROBLEM, text)
    assert (grade.correct, grade.strict, grade.well_formed) == (correct, strictly, well_formed), (
        case
    )


@pytest.mark.parametrize(
    ("text", "feedback"),
    [
        ("3 + 7 + 8", "the expression equals 18, not 29"),
        ("3 / 7 + 8", "the expression equals 59/7, not 29"),
        ("3 * 7 + 9", "9 was not given, or not that often"),
        ("3 * 7 + 8", "the expression equals 29, as 29"),
        ("I give up.", "there is no expression"),
    ],
)
def test_feedback_says_what_is_wrong(text: str, feedback: str) -> None:
    assert Countdown().grade(PROBLEM, text).feedback == feedback


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("3 + 7", "sums"),
        ("3 * 7 - 8", "products"),
        ("8 * 7 / 8", "quotients"),
        ("(7)", None),
        ("?", None),
    ],
)
def test_a_strategy_is_the_operations_of_the_answer(text: str, strategy: str | None) -> None:
    assert Countdown().grade(PROBLEM, f"<answer>{text}</answer>").strategy == strategy


def test_a_bracket_that_closes_nothing_is_left_out() -> None:
    assert last_expression("we get (3 + 4) * 2) (see above)") == "(3 + 4) * 2"


def reachable(values: list[Fraction]) -> set[Fraction]:
    """Every value of every expression that uses all of them: a solver that shares nothing with the
    generator.
    """
    if len(values) == 1:
        return set(values)
    found: set[Fraction] = set()
    for first, second, *rest in permutations(values):
        joined = {first + second, first - second, first * second} | (
            {first / second} if second else set()
        )
        for value in joined:
            found |= reachable([value, *rest])
    return found


def test_a_solver_reaches_every_target_that_was_made_by_construction() -> None:
    environment = Countdown(3, 3)
    for index in range(40):
        head = environment.problem("train", index).prompt.partition("\n")[0]
        *numbers, target = (
            Fraction(part)
            for part in head.replace("Numbers: ", "")
            .replace(". Target: ", ", ")
            .rstrip(".")
            .split(", ")
        )
        assert target in reachable(numbers)
        assert target not in numbers


def test_the_level_is_the_count_of_numbers() -> None:
    environment = Countdown(3, 6)
    levels = {environment.problem("train", index).level for index in range(60)}
    assert levels == {3, 4, 5, 6}
    assert {
        len(p.prompt.split(". Target")[0].split(",")) - p.level
        for p in (environment.problem("train", i) for i in range(60))
    } == {0}


@pytest.mark.parametrize(
    "settings",
    [
        {"min_numbers": 1},
        {"min_numbers": 5},
        {"max_numbers": 9},
        {"largest": 2},
        {"largest_target": 5},
        {"answer_in": "box"},
    ],
)
def test_settings_that_make_no_problem_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ComponentError, match="Countdown cannot ask"):
        Countdown(**settings)  # type: ignore[arg-type]
