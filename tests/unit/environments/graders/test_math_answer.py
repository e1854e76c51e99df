"""The truth table of MathAnswer: key, answer in a box, right or wrong."""

import os
import signal

import pytest

from rewardscope.environments.graders.expressions import _workers, same_expression
from rewardscope.environments.graders.math_answer import MathAnswer
from rewardscope.environments.graders.numbers import quantity, undressed

TRUE = [
    ("1/2", "0.5"),
    ("0.5", "\\frac12"),
    ("\\frac{3}{4}", "0.75"),
    ("\\dfrac{3}{4}", "\\tfrac34"),
    ("1\\frac12", "1.5"),
    ("1 1/2", "3/2"),
    ("-\\frac{1}{3}", "-1/3"),
    ("1,234", "1234"),
    ("12", "12."),
    ("5", "5.00"),
    ("1000", "1e3"),
    ("1000", "10^{3}"),
    ("-5", "\u22125"),
    ("50\\%", "50"),
    ("50\\%", "0.5"),
    ("0.5", "50%"),
    ("18", "\\$18"),
    ("18", "18 dollars"),
    ("\\$1,000", "1000"),
    ("5", "5\\text{ cm}"),
    ("5 cm", "5"),
    ("5\\text{ cm}", "5 cm"),
    ("3 apples", "3 apple"),
    ("90^\\circ", "90"),
    ("90", "90°"),
    ("x=5", "5"),
    ("5", "x = 5"),
    ("\\{1,2\\}", "\\{2, 1\\}"),
    ("1,2", "2, 1"),
    ("(1,2)", "(1, 2)"),
    ("[0,1)", "[0, 1)"),
    ("(-\\infty,3)", "\\left(-\\infty, 3\\right)"),
    ("x \\in [-2,7]", "[-2,7]"),
    ("(0,1)\\cup(2,3)", "(2,3)\\cup(0,1)"),
    ("\\sqrt{2}", "2^{1/2}"),
    ("\\sqrt{2}", "sqrt(2)"),
    ("3\\sqrt{13}", "\\sqrt{117}"),
    ("x^2-1", "(x-1)(x+1)"),
    ("\\frac{\\pi}{4}", "\\pi/4"),
    ("2\\pi", "2pi"),
    ("\\text{east}", "East"),
    ("\\text{(A)}", "A"),
    ("6-5i", "-5i+6"),
    ("11_2", "11_2"),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}"),
    ("So it is \\boxed{7}.", "7"),
]
FALSE = [
    ("5", "-5"),
    ("5", "6"),
    ("0.333", "1/3"),
    ("3", "3.0000001"),
    ("\\pi", "3.14159"),
    ("5 cm", "5 m"),
    ("50\\%", "5"),
    ("50", "0.5"),
    ("(1,2)", "(2,1)"),
    ("(1,2)", "1,2"),
    ("[0,1)", "[0,1]"),
    ("\\{1,2\\}", "\\{1,2,3\\}"),
    ("2", "1, 2"),
    ("1", "1 or 2"),
    ("5", "5 or 6"),
    ("5", "5x"),
    ("5", "5 pi"),
    ("\\text{east}", "seat"),
    ("\\text{east}", "west"),
    ("April", "May"),
    ("0", "nan"),
    ("nan", "nan"),
    ("inf", "inf"),
    ("0", ""),
    ("0", "?"),
    ("5", "9^{9^{9^9}}"),
    ("120", "5!"),
    ("2", "1/0"),
    ("x", "y"),
]


@pytest.mark.parametrize(("key", "answer"), TRUE)
def test_the_same_value_is_right(key: str, answer: str) -> None:
    grade = MathAnswer().grade("", f"So it is $\\boxed{{{answer}}}$.", key)
    assert (grade.correct, grade.strict) == (True, True)


@pytest.mark.parametrize(("key", "answer"), FALSE)
def test_another_value_is_wrong(key: str, answer: str) -> None:
    grade = MathAnswer().grade("", f"So it is $\\boxed{{{answer}}}$.", key)
    assert (grade.correct, grade.strict) == (False, False)


@pytest.mark.parametrize(
    ("prompt", "completion", "correct", "strict"),
    [
        ("Put it in \\boxed{}.", "It is \\boxed{4}.", True, True),
        ("Put it in \\boxed{}.", "The answer is 4.", True, False),
        ("Put it in \\boxed{}.", "<answer>4</answer>", True, False),
        ("Put it in \\boxed{}.", "\\boxed{5} no, \\boxed{4}", True, True),
        ("Put it in \\boxed{}.", "\\boxed{4} no, \\boxed{5}", False, False),
        ("Put it in \\boxed{}.", "\\boxed{4", True, False),
        ("In <answer> tags.", "<answer>4</answer>", True, True),
        ("In <answer> tags.", "\\boxed{4}", True, False),
        ("Q: 1+1? A: #### 2\n\nQ: 2 + 2?", "2 + 2 = 4\n#### 4\n\nQ: 9?", True, True),
        ("2 + 2?", "#### 4", True, True),
        ("2 + 2?", "4", True, False),
        ("2 + 2?", "I say four", False, False),
        ("Use \\boxed{} or <answer> tags.", "<answer>4</answer>", True, True),
    ],
)
def test_strict_is_where_the_prompt_asked_and_tolerant_anywhere(
    prompt: str, completion: str, correct: bool, strict: bool
) -> None:
    grade = MathAnswer().grade(prompt, completion, "4")
    assert (grade.correct, grade.strict) == (correct, strict)


def test_a_worker_that_was_killed_is_started_again() -> None:
    assert same_expression("x^2-1", "(x-1)(x+1)") is True
    process = _workers[os.getpid()]._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert same_expression("x^2-1", "(x-1)(x+1)") is True


def test_a_number_is_read_exactly() -> None:
    cases = {"1,234.50": "2469/2", "-1 1/2": "-3/2", ".5": "1/2", "\\frac{3}{4}": "3/4"}
    for text, value in cases.items():
        found = quantity(text)
        assert found is not None
        assert str(found.value) == value
    for text in ("1,23", "1/0", "1.5 1/2", "1/2/3", "5 x", "5 or 6", "nan", "", "9" * 500):
        assert quantity(text) is None
    assert undressed("$\\dfrac12\\text{ cm}$.") == "\\frac{1}{2} cm"
