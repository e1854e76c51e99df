import pytest

from rewardscope.environments.base import content_id
from rewardscope.environments.chain import Chain, check_steps, running_values, write
from rewardscope.errors import ComponentError
from rewardscope.types import Problem

PROMPT = "3+4*2-9?"
"""3+4 = 7, 7*2 = 14 -> 4, 4-9 = -5 -> 5."""
PROBLEM = Problem(content_id("Chain", PROMPT), "Chain", PROMPT, "5", 3)


def test_values_run_from_left_to_right_modulo_ten() -> None:
    assert running_values(PROMPT) == [7, 4, 5]


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "well_formed"),
    [
        ("right, stepwise", "s3+4=7,7*2=4,4-9=5:5", True, True, True),
        ("right, talk", "t4>7,2>4,9>5:5", True, True, True),
        ("right, guess", "g:5", True, True, True),
        ("wrong", "g:4", False, False, True),
        ("right with other formatting", "the answer is 5.", True, False, False),
        ("right but cut off", "s3+4=7,7*2=4,4-9=5", True, False, False),
        ("cut off before the answer", "s3+4=7,7*2=4,", False, False, False),
        ("negative where digits are asked for", "g:-5", True, False, False),
        ("empty", "", False, False, False),
        ("garbage", "\x00\ud800::", False, False, False),
        ("quoted from the prompt", PROMPT, False, False, False),
    ],
)
def test_the_truth_table_of_one_chain(
    case: str, text: str, correct: bool, strictly: bool, well_formed: bool
) -> None:
    grade = Chain().grade(PROBLEM, text)
    assert (grade.correct, grade.strict, grade.well_formed) == (correct, strictly, well_formed), (
        case
    )


def test_the_first_letter_names_the_strategy() -> None:
    assert [Chain().grade(PROBLEM, text).strategy for text in ("s3", "t4", "g:5", "x", "")] == [
        "stepwise",
        "talk",
        "guess",
        None,
        None,
    ]


def test_a_step_is_judged_on_the_value_it_was_given() -> None:
    assert check_steps(PROMPT, "s3+4=8,8*2=6,6-9=7:7") == (False, True, True)
    assert check_steps(PROMPT, "t4>7,2>4:4") == (True, True, False)
    assert check_steps(PROMPT, "g:5") is None


def test_each_format_is_written_as_its_own_check_reads_it() -> None:
    assert write("s", PROMPT, [7, 4, 5]) == "s3+4=7,7*2=4,4-9=5:5"
    assert write("t", PROMPT, [7, 4, 5]) == "t4>7,2>4,9>5:5"
    assert write("g", PROMPT, [7, 4, 5]) == "g:5"


def test_lengths_that_make_no_chain_are_refused() -> None:
    with pytest.raises(ComponentError, match="min_steps=3, max_steps=2"):
        Chain(min_steps=3, max_steps=2)
