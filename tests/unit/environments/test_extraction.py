import pytest

from rewardscope.environments.extraction import boxed, last_number, strict, tolerant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<answer>7</answer>", "7"),
        ("<answer>7</answer> no, <answer> 8 </answer>", "8"),
        ("<answer>0 1\n1 0</answer>", "0 1\n1 0"),
        ("<answer>7</answer> </answer>", "7"),
        ("<answer><answer>7</answer>", "7"),
        ("<answer>7", None),
        ("<answer></answer>", None),
        ("</answer>7<answer>", None),
        ("7", None),
        ("", None),
    ],
)
def test_the_strict_reading_is_the_last_closed_answer_tag(text: str, expected: str | None) -> None:
    assert strict(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [(" 7\n", "7"), ("It is 7", "It is 7"), ("   ", None)]
)
def test_the_strict_reading_of_a_whole_completion_is_all_of_it(
    text: str, expected: str | None
) -> None:
    assert strict(text, "whole") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I say 3. <answer>7</answer> since 9 > 8", "7"),
        ("3 and so <answer>7", "7"),
        ("so \\boxed{-3} and 5", "-3"),
        ("the answer is 7 apples, not 9", "7"),
        ("The answer is: **7**.", "7"),
        ("Answer:\n7", "7"),
        ("Therefore 7 - 9 = -2.", "-2"),
        ("x = 1/2", "1/2"),
        ("the matrix:\n0 1\n1 0\n", "0 1\n1 0"),
        ("It is \u22123 degrees", "-3"),
        ("I got 7!\n!!!", "7"),
        ("about 1,234 people", "1234"),
        ("hello\nHELLO", "HELLO"),
        ("  \n ", None),
    ],
)
def test_the_tolerant_reading_takes_the_clearest_place_there_is(
    text: str, expected: str | None
) -> None:
    assert tolerant(text) == expected


def test_a_box_ends_with_its_own_brace() -> None:
    assert boxed("\\boxed{\\frac{1}{2}} }") == "\\frac{1}{2}"
    assert boxed("\\boxed{\\frac{1}{2") == "\\frac{1}{2"
    assert boxed("no box") is None


def test_a_digit_inside_a_word_is_no_number() -> None:
    assert last_number("4 of x7, 8y") == "4"


def test_a_hyphen_between_numbers_is_no_minus_sign() -> None:
    assert last_number("7-9") == "9"
    assert last_number("7 and -9") == "-9"
