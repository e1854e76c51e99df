"""Truth tables of the other graders: key, completion, tolerant and strict verdict."""

import math
from pathlib import Path

import numpy as np
import pytest

from rewardscope import Choice, Exact, Function, Numeric, Pattern, PythonTests
from rewardscope.environments.graders import Grader
from rewardscope.environments.graders.python_tests import redefined
from rewardscope.errors import ComponentError, EnvironmentFault

TAGS = "Answer in <answer> tags."
TABLE: list[tuple[Grader, str, str, str, bool, bool]] = [
    (Exact(), "", "The Cat", "the  cat", True, True),
    (Exact(), "", "cat", "**cat**.", True, True),
    (Exact(), "", "cat", "The answer is cat", True, False),
    (Exact(), "", "cat", "dog", False, False),
    (Exact(case=True), "", "Cat", "cat", False, False),
    (Exact(), TAGS, "cat", "<answer>cat</answer>", True, True),
    (Exact(), TAGS, "cat", "cat", True, False),
    (Numeric(), "", "4", "4.0", True, True),
    (Numeric(), "", "4", "about 4 apples", True, False),
    (Numeric(), "", "4", "4 or 5", False, False),
    (Numeric(tolerance=0.01), "", "3.14", "3.149", True, True),
    (Numeric(tolerance=0.01), "", "3.14", "3.16", False, False),
    (Numeric(relative=0.01), "", "1000", "1009", True, True),
    (Numeric(relative=0.01), "", "1000", "1011", False, False),
    (Numeric(), "", "1/3", "\\boxed{2/6}", True, True),
    (Numeric(), "", "4", "nan", False, False),
    (Choice(), "", "B", "B", True, True),
    (Choice(), "", "B", "(b)", True, True),
    (Choice(), "", "B", "The answer is B.", True, False),
    (Choice(), "", "B", "A", False, False),
    (Choice(), "", "B", "A, B, C, D", False, False),
    (Choice(), "", "B", "B or C", False, False),
    (Choice(), "", "B. Paris", "B. Paris", True, False),
    (Choice(), "", "B. Paris", "Paris", True, False),
    (Choice(), "", "B. Paris", "Rome", False, False),
    (Choice(), "", "B. Paris", "B. Rome", False, False),
    (Choice(), "Put the letter in \\boxed{}.", "B", "\\boxed{B}", True, True),
    (Choice(), "Put the letter in \\boxed{}.", "B", "B", True, False),
    (Pattern(r"#### (-?\d+)"), "", "4", "so\n#### 4", True, True),
    (Pattern(r"#### (-?\d+)"), "", "4", "#### 5\n#### 4", True, True),
    (Pattern(r"#### (-?\d+)"), "", "4", "4", False, False),
    (Pattern(r"it is (\w+)"), "", "Cat", "it is cat", True, False),
]


@pytest.mark.parametrize(("grader", "prompt", "key", "text", "correct", "strict"), TABLE)
def test_the_truth_table(
    grader: Grader, prompt: str, key: str, text: str, correct: bool, strict: bool
) -> None:
    grade = grader.grade(prompt, text, key)
    assert (grade.correct, grade.strict) == (correct, strict)


def test_a_choice_key_is_made_from_letter_number_or_text() -> None:
    row = {"choices": ["Rome", "Paris", "Bern"]}
    grader = Choice(options="choices")
    assert {grader.key(said, row) for said in ("1", "B", "b)", "Paris")} == {"B. Paris"}
    assert Choice().key("(c)", {}) == "C"
    assert Choice(options="choices", first=1).key("2", row) == "B. Paris"
    with pytest.raises(ComponentError, match="not one of its options"):
        grader.key("D", row)
    with pytest.raises(ComponentError, match="does not list"):
        Choice(options="others").key("A", row)


def test_a_pattern_that_takes_for_ever_finds_nothing() -> None:
    grade = Pattern(r"(?:a+)+b(c)", example="abc{answer}").grade("", "a" * 5000, "c")
    assert grade.correct is False


@pytest.mark.parametrize("regex", ["no group", "(a)(b)", "(unclosed"])
def test_a_pattern_without_one_group_is_refused(regex: str) -> None:
    with pytest.raises(ComponentError):
        Pattern(regex)


def test_a_pattern_that_cannot_write_its_example_asks_for_one() -> None:
    with pytest.raises(ComponentError, match="Give example"):
        Pattern(r"x{3,5}[abc]+ (\w+)").oracle("cat")


SOLUTION = "def double(x):\n    return 2 * x\n"
FORMS = {
    "assert": "assert double(2) == 4\nassert double(0) == 0",
    "list": ["assert double(2) == 4", "assert double(0) == 0"],
    "check": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(0) == 0\n",
    "pairs": [[[2], 4], [[0], 0]],
}


@pytest.mark.parametrize("form", FORMS)
def test_programs_are_run_on_the_tests_of_their_row(form: str) -> None:
    grader = PythonTests()
    key = grader.key(SOLUTION, {"test": FORMS[form]})

    def verdicts(program: str) -> tuple[bool | None, bool | None]:
        grade = grader.grade("", program, key)
        return grade.correct, grade.strict

    assert verdicts(grader.oracle(key)) == (True, True)
    assert verdicts("```python\ndef double(x):\n    return x + x\n```") == (True, True)
    assert verdicts("Sure:\ndef double(x):\n    return x + x") == (True, False)
    assert verdicts("```python\ndef double(x):\n    return 4\n```") == (False, False)
    assert verdicts("```python\ndef double(x):\n    raise ValueError\n```") == (False, False)
    assert verdicts("```python\nimport sys\ndef double(x):\n    sys.exit(0)\n```") == (False, False)
    assert verdicts("```python\ndouble = 4\n```") == (False, False)
    assert (
        verdicts(
            "```python\nclass A:\n    def __eq__(self, other):\n        return True\n"
            "def double(x):\n    return A()\n```"
        )[0]
        is not True
    )


def test_a_program_that_redefines_what_tests_use_is_wrong() -> None:
    grader = PythonTests()
    key = grader.key("def f(x):\n    return sorted(x)", {"test": "assert sum(f([2, 1])) == 3"})
    cheat = "```python\nsum = lambda x: 3\ndef f(x):\n    return []\n```"
    grade = grader.grade("", cheat, key)
    assert grade.correct is False
    assert grade.feedback == "it redefines sum"
    inner = "def f(x):\n    global len\n    len = 3\n"
    assert redefined(inner) == ["len"]
    assert redefined("import os as len") == ["len"]
    assert redefined("def f(max): return max") == []
    assert redefined("for abs in []: pass") == ["abs"]


def test_a_row_without_tests_is_refused() -> None:
    with pytest.raises(ComponentError, match="no tests"):
        PythonTests().key(SOLUTION, {"other": ""})


def half(prompt: str, completion: str, answer: str) -> float:
    return 0.5


def right(prompt: str, completion: str, answer: str) -> object:
    return np.bool_(completion == answer)


def unsure(prompt: str, completion: str, answer: str) -> None:
    return None


def raises(prompt: str, completion: str, answer: str) -> bool:
    raise KeyError("lost")


def words(prompt: str, completion: str, answer: str) -> object:
    return "yes"


def endless(prompt: str, completion: str, answer: str) -> float:
    return math.nan


def two(prompt: str, completion: str) -> bool:
    return True


def test_a_function_gives_verdicts_and_partial_credit() -> None:
    assert Function(right).grade("", "4", "4").correct is True  # type: ignore[arg-type]
    assert Function(right).grade("", "5", "4").correct is False  # type: ignore[arg-type]
    grade = Function(half).grade("", "4", "4")
    assert (grade.correct, grade.proxy) == (False, 0.5)
    grade = Function(unsure).grade("", "4", "4")
    assert (grade.correct, grade.strict, grade.proxy) == (None, None, None)


@pytest.mark.parametrize(
    ("function", "words"),
    [(raises, "raised an error.*KeyError"), (words, "str 'yes'"), (endless, "float nan")],
)
def test_what_is_no_grade_is_told_with_file_and_line(function: object, words: str) -> None:
    with pytest.raises(EnvironmentFault, match=words) as told:
        Function(function).grade("", "4", "4")  # type: ignore[arg-type]
    assert f"{Path(__file__).name}:" in str(told.value)


def test_functions_that_cannot_be_called_or_found_are_refused() -> None:
    with pytest.raises(ComponentError, match=r"prompt, completion, answer.*") as told:
        Function(two)
    assert f"{Path(__file__).name}:" in str(told.value)
    with pytest.raises(ComponentError, match="not a function of a module"):
        Function(lambda prompt, completion, answer: True)
    with pytest.raises(ComponentError, match="not a function"):
        Function(3)  # type: ignore[arg-type]
