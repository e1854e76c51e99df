import json

import pytest

from rewardscope.environments.base import content_id
from rewardscope.environments.words.code.environment import (
    FAMILIES,
    HELD_OUT,
    HIDDEN,
    VISIBLE,
    Code,
    draw_function,
    find_program,
    same,
)
from rewardscope.environments.words.code.sandbox import call
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.seeds import generator
from rewardscope.types import Problem

TESTS = [[n, 3 * n + 1] for n in range(12)]
PROBLEM = Problem(
    "0" * 16,
    "Code",
    "?",
    "def f(n):\n    return 3 * n + 1\n",
    1,
    {"function": "f", "tests": json.dumps(TESTS)},
)
WRONG = "def f(n):\n    return 0\n"
RIGHT = "def f(n):\n    return 3 * n + 1\n"


def block(code: str) -> str:
    return f"```python\n{code}\n```"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_reference_solution_passes_tests_that_were_computed_apart_from_it(name: str) -> None:
    """In the sandbox, with 30 choices of parameters and all wordings; neither the solution nor the
    answer has seen the other.
    """
    family = FAMILIES[name]
    random = generator("test", name)
    for _ in range(30):
        parameters, tests = draw_function(family, random, None)
        outcomes = call(family.source(parameters), name, [[argument] for argument, _ in tests])
        assert [outcome.kind for outcome in outcomes] == ["value"] * (VISIBLE + HIDDEN)
        assert all(
            same(outcome.value, result)
            for outcome, (_, result) in zip(outcomes, tests, strict=True)
        ), parameters
        assert len({json.dumps(argument) for argument, _ in tests}) == VISIBLE + HIDDEN
        for wording in family.wordings:
            told = family.told(wording, parameters)
            assert "{" not in told
            assert all(str(value) in told for value in parameters.values()), told


def test_no_constant_and_no_list_of_the_examples_passes() -> None:
    environment = Code()
    for index in range(100):
        problem = environment.problem("train", index)
        function, tests = problem.facts["function"], json.loads(problem.facts["tests"])
        constant = f"def {function}(x):\n    return {tests[-1][1]!r}\n"
        lookup = (
            f"def {function}(x):\n    for given, result in {tests[:VISIBLE]!r}:\n        if x == "
            "given:\n            return result\n"
        )
        assert environment.grade(problem, block(constant)).correct is False
        grade = environment.grade(problem, block(lookup))
        assert grade.correct is False
        assert grade.steps == (True,) * VISIBLE + (False,) * HIDDEN
        assert grade.feedback == f"the examples pass, {HIDDEN} of {HIDDEN} hidden tests fail"


def test_thousands_of_functions_are_there_and_none_is_in_two_splits() -> None:
    environment = Code()
    asked = {
        split: {
            (p.facts["function"], p.answer)
            for p in (environment.problem(split, index) for index in range(1500))
        }
        for split in ("train", "heldout", "heldout_families")
    }
    assert not asked["train"] & asked["heldout"]
    assert len(asked["train"]) > 1200
    assert {name for name, _ in asked["heldout_families"]} == set(HELD_OUT)
    assert not {name for name, _ in asked["train"] | asked["heldout"]} & set(HELD_OUT)


def test_another_wording_is_the_same_function_in_the_same_split() -> None:
    environment = Code(("affine",))
    told: dict[str, set[str]] = {}
    for index in range(1500):
        problem = environment.problem("train", index)
        told.setdefault(problem.answer, set()).add(problem.prompt.partition("\n")[0])
    assert max(map(len, told.values())) == 3
    assert (
        content_id("Code", environment.problem("train", 0).prompt)
        == environment.problem("train", 0).id
    )


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "well_formed"),
    [
        ("right", block(RIGHT), True, True, True),
        (
            "right with prose around",
            f"Here it is:\n{block(RIGHT)}\nIt multiplies.",
            True,
            True,
            True,
        ),
        ("right without a language", f"```\n{RIGHT}```", True, True, True),
        ("right as a lambda", block("f = lambda n: 3 * n + 1"), True, True, True),
        (
            "right with a helper",
            block("def three(n):\n    return 3 * n\n\ndef f(n):\n    return three(n) + 1"),
            True,
            True,
            True,
        ),
        (
            "right with a print",
            block("def f(n):\n    print(n)\n    return 3 * n + 1"),
            True,
            True,
            True,
        ),
        (
            "right with an import",
            block("import math\n\ndef f(n):\n    return 3 * n + 1"),
            True,
            True,
            True,
        ),
        ("right without a block", RIGHT, True, False, False),
        ("right among prose", f"Sure!\n{RIGHT}This returns it.", True, False, False),
        ("right but cut off behind it", f"```python\n{RIGHT}", True, False, False),
        ("right in the second block", f"{block('f(3)')}\n{block(RIGHT)}", True, False, False),
        ("wrong, then right", f"{block(WRONG)}\n{block(RIGHT)}", True, False, False),
        ("right, then wrong", f"{block(RIGHT)}\n{block(WRONG)}", False, False, False),
        ("wrong", block("def f(n):\n    return 3 * n"), False, False, True),
        ("another name", block("def g(n):\n    return 3 * n + 1"), False, False, False),
        ("a float", block("def f(n):\n    return 3.0 * n + 1"), False, False, True),
        ("no return", block("def f(n):\n    3 * n + 1"), False, False, True),
        ("printed", block("def f(n):\n    print(3 * n + 1)"), False, False, True),
        ("syntax error", block("def f(n):\n    return 3 * n +"), False, False, True),
        (
            "error for one argument",
            block("def f(n):\n    return 3 * n + 1 // (n != 7)"),
            False,
            False,
            True,
        ),
        ("no code", "I do not know.", False, False, False),
        ("empty", "", False, False, False),
        (
            "generator, which the sandbox lacks",
            block("def f(n):\n    yield 3 * n + 1"),
            None,
            None,
            True,
        ),
        (
            "del, which the sandbox lacks",
            block("def f(n):\n    x = 3 * n\n    del n\n    return x + 1"),
            None,
            None,
            True,
        ),
    ],
)
def test_the_truth_table(
    case: str, text: str, correct: bool | None, strictly: bool | None, well_formed: bool
) -> None:
    grade = Code().grade(PROBLEM, text)
    assert (grade.correct, grade.strict, grade.well_formed) == (correct, strictly, well_formed), (
        case
    )


@pytest.mark.parametrize(
    ("body", "feedback"),
    [
        ("return 3 * n", "f(0) gave 0; it should return 1"),
        (
            "return 3 * n + 1 // n",
            "f(0) stopped with ZeroDivisionError: division by zero (line 2); it should return 1",
        ),
        (
            "return m",
            "f(0) stopped with NameError: name 'm' is not defined (line 2); it should return 1",
        ),
        (
            "return n.x",
            "f(0) stopped with AttributeError: 'int' object has no attribute 'x' (line 2); it "
            "should return 1",
        ),
        ("return 3 * n + (n < 9)", "the examples pass, 3 of 9 hidden tests fail"),
        ("return 3 * n + 1", "all tests pass"),
    ],
)
def test_feedback_is_the_first_visible_test_that_failed_in_the_words_of_the_runtime(
    body: str, feedback: str
) -> None:
    assert Code().grade(PROBLEM, block(f"def f(n):\n    {body}")).feedback == feedback


def test_steps_are_the_tests_passed() -> None:
    grade = Code().grade(PROBLEM, block("def f(n):\n    return 3 * n + 1 if n % 2 else 0"))
    assert grade.steps == (False, True) * 6


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("", None),
        ("```python\nx = 1\n```", None),
        ("def f(n): return n", "def f(n): return n"),
        ("first\ndef f(n):\n    return n\nlast", "def f(n):\n    return n"),
        (
            "```py\ndef f(n):\n    return 1\n```\n```py\ndef f(n):\n    return 2\n```",
            "def f(n):\n    return 2\n",
        ),
        ("def ff(n):\n    return n", None),
    ],
)
def test_a_program_is_found_where_it_stands(text: str, program: str | None) -> None:
    assert find_program(text, "f") == program


@pytest.mark.parametrize(
    ("found", "expected", "equal"),
    [
        (1, 1, True),
        (True, 1, False),
        (1.0, 1, False),
        ([1, 2], [1, 2], True),
        ((1, 2), [1, 2], False),
        ([1, True], [1, 1], False),
        ("1", 1, False),
        ([], [], True),
        ([1], [1, 2], False),
        (None, 1, False),
        (float("nan"), 1, False),
    ],
)
def test_a_result_counts_with_its_type(found: object, expected: object, equal: bool) -> None:
    assert same(found, expected) is equal


def test_unknown_families_and_levels_are_refused() -> None:
    with pytest.raises(ComponentError, match="affine"):
        Code(("affin",))
    with pytest.raises(ComponentError, match="each once"):
        Code(())
    with pytest.raises(ComponentError, match="this easy"):
        Code(max_level=0)
    with pytest.raises(EnvironmentFault, match="no family left"):
        Code(tuple(FAMILIES)).problem("heldout_families", 0)


def test_a_level_bounds_the_families_that_are_asked() -> None:
    environment = Code(max_level=1)
    assert {environment.problem("train", index).level for index in range(50)} == {1}
