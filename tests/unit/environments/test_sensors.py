import math

import pytest

from rewardscope.environments.base import content_id
from rewardscope.environments.sensors import Sensors, chance_of_yes, decile
from rewardscope.errors import ComponentError
from rewardscope.types import Problem

PROMPT = "6+8-7+?"
"""Odds of yes: 6/4 x 2/8 x 7/3 = 0.875, a chance of 0.875 / 1.875 = 0.46667."""
PROBLEM = Problem(
    content_id("Sensors", PROMPT),
    "Sensors",
    PROMPT,
    "y",
    3,
    {"chance y": "0.46667", "chance n": "0.53333"},
)


def test_the_chance_by_hand() -> None:
    assert chance_of_yes(PROMPT) == pytest.approx(0.875 / 1.875)
    assert chance_of_yes("9+9+9+?") == pytest.approx(729 / 730)
    assert chance_of_yes("6+7-6-7+8+?") == pytest.approx(0.8)
    assert chance_of_yes("7+7-?") == pytest.approx(0.5)


def test_a_decile_holds_its_lower_end() -> None:
    assert [decile(chance) for chance in (0.0, 0.0999, chance_of_yes("6+?"), 0.65, 0.999, 1.0)] == [
        "0",
        "0",
        "6",
        "6",
        "9",
        "9",
    ]


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "confidence", "strategy"),
    [
        ("right", "y4", True, True, 0.45, "unlikelier"),
        ("wrong and surer", "n5", False, False, 0.55, "likelier"),
        ("no confidence", "y", True, False, None, "unlikelier"),
        ("two digits", "y45", True, False, None, "unlikelier"),
        ("confidence first", "4y", True, False, None, "unlikelier"),
        ("answered twice", "y4n5", False, False, None, "likelier"),
        ("in a word", "yes", False, False, None, None),
        ("empty", "", False, False, None, None),
        ("quoted from the prompt", PROMPT, False, False, None, None),
        ("a digit of another script", "y\u0664", True, False, None, "unlikelier"),
    ],
)  # fmt: skip
def test_the_truth_table(
    case: str,
    text: str,
    correct: bool,
    strictly: bool,
    confidence: float | None,
    strategy: str | None,
) -> None:
    grade = Sensors().grade(PROBLEM, text)
    assert (grade.correct, grade.strict, grade.strategy) == (correct, strictly, strategy), case
    assert grade.well_formed == (confidence is not None)
    assert grade.confidence == (None if confidence is None else pytest.approx(confidence))


def test_sensors_that_outweigh_each_other_make_neither_answer_likelier() -> None:
    even = Problem("0" * 16, "Sensors", "7+7-?", "y", 2, {})
    assert [Sensors().grade(even, text).strategy for text in ("y5", "n5", "")] == [
        "even",
        "even",
        None,
    ]


def test_the_key_is_drawn_with_the_chance_that_the_facts_tell() -> None:
    """Over 4,000 problems: of those with a chance in each tenth, as many are yes as their chances
    say, within four deviations.
    """
    problems = [Sensors().problem("train", index) for index in range(4000)]
    assert {p.answer for p in problems} == {"y", "n"}
    for low in range(10):
        chances = [
            (float(p.facts["chance y"]), p.answer)
            for p in problems
            if low <= 10 * float(p.facts["chance y"]) < low + 1
        ]
        expected, deviation = (
            sum(c for c, _ in chances),
            math.sqrt(sum(c * (1 - c) for c, _ in chances)),
        )
        assert abs(sum(answer == "y" for _, answer in chances) - expected) < 4 * deviation
    for p in problems[:50]:
        assert float(p.facts["chance y"]) + float(p.facts["chance n"]) == pytest.approx(1.0)
        assert float(p.facts["chance y"]) == pytest.approx(chance_of_yes(p.prompt))


def test_too_few_sensors_are_refused() -> None:
    with pytest.raises(ComponentError, match="3 to 20"):
        Sensors(2)
