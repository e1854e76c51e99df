"""How Clinic grades answers and working, whatever the completion, and what its wrong keys are."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from factories import rollout
from rewardscope import Clinic, Process
from rewardscope.environments.words.clinic.table import CALCULATORS
from rewardscope.seeds import generator
from rewardscope.types import Problem

ALL = tuple(CALCULATORS)


def problems(environment: Clinic, split: str, count: int) -> Iterator[Problem]:
    return (environment.problem(split, index) for index in range(count))


def asked(name: str, answer: str, **settings: Any) -> Problem:
    """A problem of one calculator with another key."""
    return replace(Clinic((name,), **settings).problem("train", 0), answer=answer)


@pytest.mark.parametrize(
    "environment",
    [Clinic(ALL), Clinic(ALL, working=True), Clinic(ALL, 8, "whole")],
    ids=["tags", "working", "whole"],
)
def test_the_oracle_has_full_marks_on_every_calculator(environment: Clinic) -> None:
    met = set()
    for problem in problems(environment, "train", 600):
        grade = environment.grade(problem, environment.oracle(problem))
        assert (grade.correct, grade.strict, grade.well_formed, grade.answer) == (
            True,
            True,
            True,
            problem.answer,
        )
        if environment.working:
            assert grade.steps == (True,) * len(json.loads(problem.facts["parts"]))
        met.add(problem.facts["calculator"])
    assert met == set(CALCULATORS)


@pytest.mark.parametrize(
    ("text", "correct", "strictly", "well_formed"),
    [
        ("<answer>4</answer>", True, True, True),
        ("<answer> 4 points </answer>", True, True, True),
        ("Age 1, urea 1 ...\n<answer>4.0</answer>", True, True, True),
        ("<answer>4/5</answer>", True, True, True),
        ("<answer>4 out of 5</answer>", True, True, True),
        ("<answer>**4**</answer>", True, False, False),
        ("<answer>3</answer>", False, False, True),
        ("<answer>4.1</answer>", False, False, True),
        ("<answer>3.9</answer>", False, False, True),
        ("<answer>-4</answer>", False, False, True),
        ("<answer>4 or 5 points</answer>", False, False, False),
        ("<answer>The CURB-65 score is 4</answer>", True, False, False),
        ("The CURB-65 score is 4.", True, False, False),
        ("The answer is 4, as the patient is 71.", True, False, False),
        ("So the total is \\boxed{4}.", True, False, False),
        ("1 + 1 + 1 + 1 = 4", True, False, False),
        ("The answer is four", True, False, False),
        ("The score is 3, no, 4.", True, False, False),
        ("The score is 4, no, 3.", False, False, False),
        ("CURB-65", False, False, False),
        ("CURB 65", False, False, False),
        ("4 <answer>3</answer>", False, False, True),
        ("", False, False, False),
        ("I cannot say.", False, False, False),
    ],
)
def test_the_truth_table_of_a_score_of_four(
    text: str, correct: bool, strictly: bool, well_formed: bool
) -> None:
    grade = Clinic(("curb65",)).grade(asked("curb65", "4"), text)
    assert (grade.correct, grade.strict, grade.well_formed) == (correct, strictly, well_formed)


@pytest.mark.parametrize(
    ("text", "correct", "strictly"),
    [
        ("<answer>100</answer>", True, True),
        ("<answer>95</answer>", True, True),
        ("<answer>94.99</answer>", False, False),
        ("<answer>105</answer>", True, True),
        ("<answer>105.01</answer>", False, False),
        ("<answer>-100</answer>", False, False),
        ("<answer>100.0 mL/min/1.73 m2</answer>", True, True),
        ("<answer>100 mL/min per 1.73 m²</answer>", True, True),
        ("<answer>100 ml/min/1.73m^2</answer>", True, True),
        ("<answer>about 100</answer>", True, False),
        ("The eGFR is 100 mL/min/1.73 m2.", True, False),
        ("By CKD-EPI 2021 it is 99", True, False),
        ("99 by CKD-EPI (2021)", True, False),
        ("<answer>1,00</answer>", False, False),
        ("<answer>0.1</answer>", False, False),
        ("<answer>nan</answer>", False, False),
        ("<answer>inf</answer>", False, False),
        ("<answer>1/0</answer>", False, False),
        ("one hundred", False, False),
    ],
)
def test_the_truth_table_of_a_formula_of_one_hundred(
    text: str, correct: bool, strictly: bool
) -> None:
    grade = Clinic(("ckd_epi_2021",)).grade(asked("ckd_epi_2021", "100"), text)
    assert (grade.correct, grade.strict) == (correct, strictly)


def test_a_score_has_no_tolerance_and_half_points_count() -> None:
    environment = Clinic(("wells_pe",))
    verdicts = {
        text: environment.grade(asked("wells_pe", "12.5"), f"<answer>{text}</answer>").correct
        for text in ("12.5", "12.6", "12", "13")
    }
    assert verdicts == {"12.5": True, "12.6": False, "12": False, "13": False}


def test_a_fraction_is_a_score_of_its_scale_or_a_number() -> None:
    assert Clinic(("glasgow",)).grade(asked("glasgow", "14"), "<answer>14/15</answer>").correct
    assert not Clinic(("glasgow",)).grade(asked("glasgow", "14"), "<answer>14/7</answer>").correct
    assert Clinic(("bmi",)).grade(asked("bmi", "22.5"), "<answer>45/2</answer>").correct


def test_the_whole_completion_is_the_answer_where_that_was_asked() -> None:
    environment = Clinic(("wells_dvt",), answer_in="whole")
    problem = asked("wells_dvt", "-2", answer_in="whole")
    verdicts = {
        text: (g.correct, g.strict)
        for text in ("-2", "\u22122 points", "It is -2.")
        if (g := environment.grade(problem, text))
    }
    assert verdicts == {
        "-2": (True, True),
        "\u22122 points": (True, True),
        "It is -2.": (True, False),
    }


@pytest.mark.parametrize("settings", [{}, {"working": True}, {"answer_in": "whole"}], ids=str)
def test_repeating_the_prompt_answers_nothing(settings: dict[str, Any]) -> None:
    """Where no place is asked for, the last number of a note is a score's value now and then, by
    accident.
    """
    environment = Clinic(ALL, **settings)
    grades = [
        environment.grade(problem, problem.prompt)
        for problem in problems(environment, "train", 600)
    ]
    assert not any(grade.strict or grade.steps for grade in grades)
    assert sum(grade.correct is True for grade in grades) <= (
        0.02 * 600 if settings.get("answer_in") == "whole" else 0
    )


WORKING = "confusion: 0\nurea: 1\nrespiratory rate: 1\nblood pressure: 0\nage: 1\n"


def curb65_of_three() -> tuple[Clinic, Problem]:
    environment = Clinic(("curb65",), working=True)
    parts = {
        "confusion": 0.0,
        "urea": 1.0,
        "respiratory rate": 1.0,
        "blood pressure": 0.0,
        "age": 1.0,
    }
    problem = environment.problem("train", 0)
    return environment, replace(
        problem, answer="3", facts={**problem.facts, "parts": json.dumps(parts)}
    )


@pytest.mark.parametrize(
    ("working", "steps", "well_formed"),
    [
        (WORKING, (True,) * 5, True),
        (
            "- **Confusion**: 0 points\n2. Urea: 1\n* respiratory rate: 1\n### Blood pressure: "
            "\u22120\nAGE: 1.0",
            (True,) * 5,
            True,
        ),
        (WORKING.replace("urea: 1", "urea: 0"), (True, False, True, True, True), True),
        (WORKING.replace("urea: 1\n", ""), (True, False, True, True, True), False),
        (WORKING.replace("urea: 1", "urea: one"), (True, False, True, True, True), True),
        (WORKING + "urea: 0", (True, False, True, True, True), True),
        ("urea: 0\n" + WORKING, (True, False, True, True, True), True),
        (WORKING + "urea: 1", (True,) * 5, True),
        ("urea: 1", (False, True, False, False, False), False),
        ("I add them up.", None, False),
    ],
)
def test_the_working_is_graded_criterion_by_criterion(
    working: str, steps: tuple[bool, ...] | None, well_formed: bool
) -> None:
    environment, problem = curb65_of_three()
    grade = environment.grade(problem, f"{working}\n<answer>3</answer>")
    assert (grade.correct, grade.steps, grade.well_formed) == (True, steps, well_formed)


def test_working_is_paid_by_its_share_and_only_where_it_was_asked_for() -> None:
    environment, problem = curb65_of_three()
    texts = (WORKING, WORKING.replace("urea: 1", "urea: 0"), "urea: 1", "")
    grades = tuple(environment.grade(problem, f"{text}\n<answer>3</answer>") for text in texts)
    group = replace(rollout([None] * 4, problem=problem), grades=grades)
    assert Process()(group, ()).values == (1.0, 0.8, 0.2, None)
    assert Clinic(("curb65",)).grade(problem, WORKING + "<answer>3</answer>").steps is None


def test_inputs_of_a_formula_may_be_rounded() -> None:
    environment = Clinic(("bmi",), working=True)
    problem = environment.problem("train", 0)
    problem = replace(
        problem,
        answer="25",
        facts={**problem.facts, "parts": json.dumps({"weight": 100.0, "height": 2.0})},
    )
    for weight, right in (
        ("100", True),
        ("99 kg", True),
        ("101", True),
        ("98.9", False),
        ("220 lb", False),
    ):
        assert environment.grade(
            problem, f"weight (in kg): {weight}\nheight: 2\n<answer>25</answer>"
        ).steps == (right, True)


def test_ten_thousand_junk_completions_never_raise_and_are_never_right() -> None:
    environment = Clinic(ALL, working=True)
    pieces = [
        *(
            "<answer>",
            "</answer>",
            "\\boxed{",
            "}",
            "answer is ",
            "age: ",
            "urea: ",
            "\n",
            "=",
            "-",
            "\u2212",
            ",",
            "/",
            ".",
            "(",
            "^",
            "1.73 m2",
        ),
        *(
            "nan",
            "inf",
            "1e999",
            "9" * 400,
            "\u202e",
            "\u0661",
            "\x00",
            "\ud800",
            "0x1F",
            "```python\n",
            "[[[[",
            "<b>",
            "²",
            " out of 15",
            "--",
        ),
    ]
    random = generator("test", "junk")
    subjects = [environment.problem("train", index) for index in range(40)]
    for number in range(10_000):
        if number % 2:
            text = "".join(
                pieces[place]
                for place in random.integers(len(pieces), size=int(random.integers(1, 12)))
            )
        else:
            text = (
                np.asarray(random.integers(256, size=int(random.integers(1, 80))), np.uint8)
                .tobytes()
                .decode("latin-1")
            )
            text = re.sub("[0-9]", "x", text)
        grade = environment.grade(subjects[number % 40], text)
        assert grade.correct is False or re.fullmatch(
            r"0(\.0*)?|-0|[01](/\w+)?", grade.answer or ""
        ), (text, grade)


@pytest.mark.parametrize(
    "text",
    [
        "9",
        "9x",
        "1/",
        "-",
        "^{",
        " 1.73 m",
        "out of ",
        "()",
        "age: 1\n",
        "<answer>",
        "answer is ",
        "\u202e",
        "1e",
        "<answer>9/",
        "[(",
    ],
)
def test_a_megabyte_on_one_line_is_wrong_and_not_slow(text: str) -> None:
    environment = Clinic(("wells_pe", "qtc"), working=True)
    for index in range(2):
        grade = environment.grade(environment.problem("train", index), (text * 10**6)[: 10**6])
        assert (grade.correct, grade.strict) == (False, False)


def test_a_wrong_key_is_plausible_and_wrong() -> None:
    environment = Clinic(ALL)
    for problem in problems(environment, "train", 1500):
        calculator = CALCULATORS[problem.facts["calculator"]]
        wrong, right = float(problem.facts["wrong_answer"]), float(problem.answer)
        assert (
            environment.grade(problem, f"<answer>{problem.facts['wrong_answer']}</answer>").correct
            is False
        )
        if calculator.formula:
            assert 0.599 < wrong / right < 0.881 or 1.135 < wrong / right < 1.668
            assert abs(wrong - right) > 0.05 * (abs(wrong) + abs(right)), (
                "nothing may be within tolerance of both keys"
            )
        else:
            parts = json.loads(problem.facts["parts"])
            reached = {
                right - parts[c.name] + number for c in calculator.criteria for number in c.points
            } - {right}
            assert wrong in reached


def test_wrong_keys_are_known_in_training_only_and_never_graded_by() -> None:
    for split in ("heldout", "heldout_phrasings", "heldout_calculators"):
        assert all("wrong_answer" not in problem.facts for problem in problems(Clinic(), split, 30))
    environment, problem = Clinic(), Clinic().problem("train", 0)
    other = replace(problem, facts={**problem.facts, "wrong_answer": problem.answer})
    assert environment.grade(other, environment.oracle(problem)) == environment.grade(
        problem, environment.oracle(problem)
    )
