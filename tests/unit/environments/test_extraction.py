import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rewardscope.environments.extraction import (
    UNITS,
    boxed,
    last_number,
    numerals,
    strict,
    tolerant,
)
from rewardscope.environments.words.clinic.environment import Clinic
from rewardscope.environments.words.countdown import last_expression
from rewardscope.environments.words.sums import spoken

LETTERS = st.text("abegkmstxyzLMH_", min_size=1, max_size=6)
NUMBERS = st.one_of(
    st.integers(0, 10**9).map(str),
    st.integers(0, 10**9).map("{:,}".format),
    st.tuples(st.integers(0, 9999), st.integers(0, 999)).map("{0[0]}.{0[1]}".format),
    st.tuples(st.integers(0, 99), st.integers(1, 99)).map("{0[0]}/{0[1]}".format),
)


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


@given(number=NUMBERS, letters=LETTERS, sign=st.sampled_from(["", "-"]))
@example(number="15", letters="mg", sign="")
@example(number="1,234", letters="km", sign="-")
@example(number="1.5", letters="e", sign="")
def test_a_number_with_letters_behind_it_is_read_whole_or_not_at_all(
    number: str, letters: str, sign: str
) -> None:
    whole = f"{sign}{number}".replace(",", "")
    read = last_number(f"{sign}{number}{letters}")
    assert read == (whole if letters in UNITS else None)
    for before in ("it is ", "answer is "):
        text = f"{before}{sign}{number}{letters}"
        assert tolerant(text) in (whole, text, text.removeprefix("answer is "))


@given(text=st.text("0123456789,./-+eExm )²", max_size=30))
def test_no_number_that_is_read_goes_on_in_the_text(text: str) -> None:
    for numeral in numerals(text):
        before, behind = text[: numeral.start()], text[numeral.end() :]
        assert not re.search(r"[\w.]$", before)
        assert not re.match(r"[\w]|[./][0-9]|,[0-9]{3}(?![0-9])", behind)
        assert numeral["glued"] == "" or numeral["glued"] in UNITS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("39points", "39"),
        ("3 9points9", "3"),
        ("1.5e3", None),
        ("2024/01/15", None),
        ("1.2.3", None),
        ("5²", None),
        ("2½", None),
        ("5m²", "5"),
        ("5mL/min", "5"),
        ("120/80mmHg", "120/80"),
        ("1,2,3", "3"),
        ("1,2345", "2345"),
        ("5k", None),
        ("7th", None),
    ],
)
def test_units_may_be_glued_to_a_number_and_nothing_else(text: str, expected: str | None) -> None:
    assert last_number(text) == expected


def test_a_megabyte_of_digits_is_read_at_once() -> None:
    for piece in ("9", "1,111", "1,", "1/", "1.", "9a", "-1", "1 "):
        text = piece * (10**6 // len(piece)) + "x"
        started = time.process_time()
        last_number(text)
        spoken(text)
        assert time.process_time() - started < 3, piece


def test_clinic_reads_a_unit_behind_the_key_and_no_digit_that_is_not_the_keys() -> None:
    environment = Clinic()
    for index in range(100):
        problem = environment.problem("heldout", index)
        for glued, right in {"mmHg": True, "points": True, "mg/dL": True, " mmHg": True}.items():
            grade = environment.grade(problem, f"<answer>{problem.answer}{glued}</answer>")
            assert (grade.correct, grade.strict) == (right, right)
        exact = "tolerance" not in problem.facts
        for glued in ("e1", "x", "kg9", *(["9points"] if exact else [])):
            grade = environment.grade(problem, f"<answer>{problem.answer}{glued}</answer>")
            assert not grade.correct


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7x", None),
        ("7 mg", "7"),
        ("7,8", "8"),
        ("1.5e3", None),
        ("7 - 8x", None),
        ("1,234", "1234"),
    ],
)
def test_a_number_in_words_is_read_whole_too(text: str, expected: str | None) -> None:
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5+4", None),
        ("3 + 4.5", None),
        ("5+4x", None),
        ("x3+4", None),
        ("3+4.", "3+4"),
        ("is 3 + 4 or 3 + 4.5", "3 + 4"),
    ],
)
def test_an_expression_never_begins_or_ends_inside_a_number(
    text: str, expected: str | None
) -> None:
    assert last_expression(text) == expected
