"""What every grader keeps to: the oracle is right, junk is wrong, and no text holds it up."""

import re
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from junk import junk
from rewardscope.codec import decode, encode
from rewardscope.environments.graders import Grader
from rewardscope.environments.graders.choice import Choice
from rewardscope.environments.graders.exact import Exact
from rewardscope.environments.graders.function import Function
from rewardscope.environments.graders.math_answer import MathAnswer
from rewardscope.environments.graders.numeric import Numeric
from rewardscope.environments.graders.pattern import Pattern
from rewardscope.environments.graders.python_tests import PythonTests
from rewardscope.registry import components


def same_text(prompt: str, completion: str, answer: str) -> bool:
    return completion.strip() == answer


TESTS = PythonTests().key(
    "def double(x):\n    return 2 * x", {"test": "assert double(2) == 4\nassert double(-3) == -6"}
)
CASES: list[tuple[Grader, tuple[str, ...]]] = [
    (
        MathAnswer(),
        (
            *(
                "4",
                "-7.5",
                "\\frac{1}{2}",
                "1,234",
                "50\\%",
                "5\\text{ cm}",
                "\\{1, 2\\}",
                "[0, 1)",
            ),
            *("(1, 2)", "x=3", "\\sqrt{2}", "\\text{east}", "\\frac{\\pi}{4}", "2x+1", "\\infty"),
        ),
    ),
    (MathAnswer("tags"), ("4", "\\frac{1}{2}", "(-\\infty, 3]")),
    (MathAnswer("hashes"), ("4", "3.5")),
    (Numeric(), ("4", "-0.25", "1,000", "1/3", "1e3")),
    (Numeric(tolerance=0.01, relative=0.001, answer_in="boxed"), ("3.14", "1000")),
    (Exact(), ("cat", "New  York", "4", "don't")),
    (Exact(case=True, answer_in="tags"), ("Cat",)),
    (Choice(), ("A", "D")),
    (Choice(answer_in="boxed"), ("B. a text",)),
    (Pattern(r"#### (-?\d+)"), ("4", "-12")),
    (Pattern(r"x is (\w+)", example="so x is {answer} now"), ("cat",)),
    (PythonTests(), (TESTS,)),
    (Function(same_text), ("4", "cat")),
]


def called(grader: object) -> str:
    """The grader as a test is called: the same in every process, so without addresses."""
    return re.sub(r"<function (\w+) at 0x\w+>", r"\1", str(grader))[:60]


EACH = [(grader, key) for grader, keys in CASES for key in keys]
each = pytest.mark.parametrize(("grader", "key"), EACH, ids=[called(f"{g}-{k}") for g, k in EACH])
first = pytest.mark.parametrize(
    ("grader", "key"), [(g, k[0]) for g, k in CASES], ids=[called(g) for g, _ in CASES]
)
MEGABYTE = 1_000_000
HOSTILE = [
    "9" * MEGABYTE,
    "\\boxed{" * 140_000,
    "\\boxed{" + "(" * MEGABYTE + "}",
    "\\boxed{" + "x+" * 500_000 + "}",
    "\\boxed{9^{9^{9^{9}}}}",
    "\\boxed{9^9^9^9}",
    "\\boxed{(x+1)^{999}}",
    "\\boxed{(x+y+z)^{500}-(x+y+z)^{499}}",
    "\\boxed{\\sin(\\sin(\\sin(x^7+y^8)))^{90}}",
    "\\boxed{10000000!}",
    "\\boxed{\\sum_{n=1}^{10^9} n}",
    "\\boxed{" + "\\frac{1}{" * 60 + "2" + "}" * 60 + "}",
    "\\boxed{" + "\\sqrt{" * 60 + "}" * 61,
    "answer: " * 125_000,
    "the answer is " * 70_000,
    "#### " * 200_000,
    "1," * 500_000,
    "a1" * 500_000,
    "<answer>" * 125_000,
    "=\n" * 500_000,
    "{" * MEGABYTE,
    "A. " * 330_000,
    "```python\n" * 100_000,
    "```python\ndef double(x):\n" + "    x = x\n" * 100_000 + "```",
    "```python\nwhile True: pass\ndef double(x): return 2 * x\n```",
    " " * MEGABYTE,
    "\u0301" * 500_000,
]
NOTHING = [
    "",
    " \n\t",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "infinity",
    "None",
    "null",
    "n/a",
    "\\boxed{nan}",
    "\\boxed{}",
    "\\boxed{\\text{NaN}}",
    "<answer></answer>",
    "<answer>inf</answer>",
    "#### nan",
    "####",
    "?",
    "\\",
    "$$",
]


def test_every_grader_in_the_table_has_a_case_here() -> None:
    assert {type(grader) for grader, _ in CASES} == set(components("graders").values())


@each
def test_the_oracle_is_right_in_both_forms(grader: Grader, key: str) -> None:
    grade = grader.grade("", grader.oracle(key), key)
    assert (grade.correct, grade.strict, grade.well_formed) == (True, True, True) or (
        isinstance(grader, Function) and grade.correct is True
    )


@first
def test_nothing_is_never_right(grader: Grader, key: str) -> None:
    for text in NOTHING:
        assert grader.grade("", text, key).correct is not True, text
    for text in junk(60):
        grade = grader.grade("", text, key)
        assert grade.correct is not True or key in text, text[:80]


@first
def test_nothing_is_not_right_even_where_it_is_the_key(grader: Grader, key: str) -> None:
    if isinstance(grader, (PythonTests, Function, Choice, Pattern)):
        pytest.skip("its keys are programs, options, or somebody else's to compare")
    for text in ("nan", "inf", "", "?"):
        assert grader.grade("", grader.oracle(text), text).correct is not True


@first
def test_every_option_at_once_is_wrong(grader: Grader, key: str) -> None:
    wrong = {"4": "5", "cat": "dog", "A": "B", "3.14": "4"}.get(key, "7")
    for text in (f"{key} or {wrong}", f"{key}, {wrong}", f"{wrong}, {key} or so, {wrong}"):
        grade = grader.grade("", text, key)
        assert grade.strict is not True, text


def load() -> float:
    """How many times longer than alone everything takes on this machine now."""
    began, worked = time.monotonic(), time.process_time()
    while time.process_time() - worked < 0.05:
        pass
    return max((time.monotonic() - began) / 0.05, 1.0)


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:16].strip() for text in HOSTILE])
def test_no_text_holds_a_grader_up(text: str) -> None:
    for grader, keys in CASES:
        grader.grade("", "7", keys[0])  # what it starts, it starts here
        took = []
        for _ in range(3):  # a busy machine may stall one of them
            started = time.monotonic()
            grade = grader.grade("", text, keys[0])
            took.append(time.monotonic() - started)
            assert grade.correct is not True
            if took[-1] < 0.5:
                break
        limit = 1.5 if isinstance(grader, PythonTests) else 0.5  # the sandbox's own bounds
        assert min(took) < limit * load(), (grader, took)


@first
@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    text=st.text(st.characters(), max_size=60),
    form=st.sampled_from(["{}", "\\boxed{{{}}}", "<answer>{}</answer>", "#### {}"]),
)
def test_any_text_gets_a_grade(grader: Grader, key: str, text: str, form: str) -> None:
    grade = grader.grade("", form.format(text), key)
    assert grade.correct is None or isinstance(grade.correct, bool)
    assert not grade.strict or grade.correct


@first
def test_what_is_read_does_not_depend_on_the_key(grader: Grader, key: str) -> None:
    if isinstance(grader, PythonTests):
        pytest.skip("the function to look for is part of the key, and of the prompt")
    other = "B" if isinstance(grader, Choice) else "99"
    for text in [*junk(20), grader.oracle(key), f"{key} or {other}", f"#### {key}\n{other}"]:
        one, two = grader.grade("", text, key), grader.grade("", text, other)
        assert (one.answer, one.well_formed) == (two.answer, two.well_formed)


@first
def test_a_thread_grades_as_the_main_one_does(grader: Grader, key: str) -> None:
    found: list[object] = []
    text = grader.oracle(key)
    thread = threading.Thread(target=lambda: found.append(grader.grade("", text, key)))
    thread.start()
    thread.join(60)
    assert found == [grader.grade("", text, key)]


@first
def test_what_the_codec_writes_reads_back_equal(grader: Grader, key: str) -> None:
    assert decode(encode(grader)) == grader
