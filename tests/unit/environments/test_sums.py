import pytest

from rewardscope.environments.words.sums import Sums, spoken
from rewardscope.errors import EnvironmentFault
from rewardscope.types import Problem


def minus_two() -> Problem:
    prompt = "What is seven minus nine? Answer with just the number in digits."
    return next(
        p
        for split in ("train", "heldout")
        for i in range(160)
        if (p := Sums().problem(split, i)).prompt == prompt
    )


def test_the_pool_is_two_hundred_problems_and_each_is_in_one_split() -> None:
    train = {Sums().problem("train", index).prompt for index in range(160)}
    heldout = {Sums().problem("heldout", index).prompt for index in range(40)}
    assert (len(train), len(heldout), len(train & heldout)) == (160, 40, 0)
    assert (Sums().size("train"), Sums().size("heldout")) == (160, 40)


def test_indices_go_round() -> None:
    assert Sums().problem("train", 163) == Sums().problem("train", 3)
    assert Sums().problem("heldout", 43) == Sums().problem("heldout", 3)


def test_the_split_is_the_one_it_always_was() -> None:
    assert Sums().problem("train", 0).prompt.startswith("What is five plus five?")
    assert Sums().problem("heldout", 0).prompt.startswith("What is seven minus four?")


def test_an_unknown_split_is_refused_with_the_splits_there_are() -> None:
    with pytest.raises(EnvironmentFault, match="train, heldout"):
        Sums().problem("test", 0)


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "well_formed"),
    [
        ("right", "-2", True, True, True),
        ("right with a full stop", " -2.\n", True, True, True),
        ("right with a typographic minus", "\u22122", True, True, True),
        ("wrong", "2", False, False, True),
        ("right in words", "minus two", True, False, False),
        ("right in other words", "Negative two.", True, False, False),
        ("right in a sentence", "Seven minus nine is -2.", True, False, False),
        ("right after the working", "7 - 9 = \u22122", True, False, False),
        ("right with markdown", "**-2**", True, False, False),
        ("right twice, in lines", "-2\n-2", True, False, False),
        ("right but cut off", "The answer is -2, bec", True, False, False),
        (
            "right, then cut off inside the question",
            "The answer is -2, because seven min",
            False,
            False,
            False,
        ),
        ("cut off before the answer", "Seven minus nine", False, False, False),
        ("changed its mind", "-2, no, 3", False, False, False),
        ("a longer number", "-21", False, False, True),
        ("a decimal", "-2.5", False, False, False),
        ("empty", "", False, False, False),
        ("garbage", "\x00 \ud800 %$ -", False, False, False),
        (
            "quoted from the prompt",
            "What is seven minus nine? Answer with just the number in digits.",
            False,
            False,
            False,
        ),
    ],
)
def test_the_truth_table_of_seven_minus_nine(
    case: str, text: str, correct: bool, strictly: bool, well_formed: bool
) -> None:
    grade = Sums().grade(minus_two(), text)
    assert (grade.correct, grade.strict, grade.well_formed) == (correct, strictly, well_formed), (
        case
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sixteen", "16"),
        ("Twenty-one", "21"),
        ("one hundred", "100"),
        ("1,234", "1234"),
        ("007", "7"),
        ("-0", "0"),
        ("7.0", "7"),
        ("someone", None),
        ("x7", None),
        ("zero plus three", None),
        ("five - that is it", "5"),
    ],
)
def test_numbers_are_read_in_digits_and_in_words(text: str, expected: str | None) -> None:
    assert spoken(text) == expected


def test_repeating_the_question_earns_nothing_on_any_problem() -> None:
    for split in ("train", "heldout"):
        for index in range(Sums().size(split)):
            problem = Sums().problem(split, index)
            assert Sums().grade(problem, problem.prompt).correct is False
