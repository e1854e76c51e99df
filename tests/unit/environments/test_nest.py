import itertools

import pytest

from rewardscope.environments.base import content_id
from rewardscope.environments.nest import FUNCTIONS, SETS, Nest, check_steps, facts, write
from rewardscope.errors import ComponentError
from rewardscope.types import Problem

PROMPT = "DBA3142?"
"""A reverses: 2413; B moves the first digit behind: 4132; D adds 1 to each: 5243."""
PROBLEM = Problem(content_id("Nest", PROMPT), "Nest", PROMPT, "5243", 3, {"set": "A"})
RIGHT = "A3142=2413,B2413=4132,D4132=5243:5243"


@pytest.mark.parametrize(
    ("letter", "after"),
    [
        ("A", "2913"), ("B", "1923"), ("C", "1392"), ("D", "4203"), ("E", "6807"), ("F", "6192"),
        ("U", "2319"), ("V", "2193"), ("W", "3129"), ("X", "6425"), ("Y", "4685"), ("Z", "3193"),
    ],
)  # fmt: skip
def test_each_function_by_hand(letter: str, after: str) -> None:
    assert FUNCTIONS[letter]("3192") == after


def test_the_function_beside_the_string_comes_first() -> None:
    assert facts(PROMPT) == [("A", "3142", "2413"), ("B", "2413", "4132"), ("D", "4132", "5243")]
    assert (write(PROMPT), write(PROMPT, at_once=True)) == (RIGHT, ":5243")


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "well_formed", "strategy"),
    [
        ("right, working", RIGHT, True, True, True, "working"),
        ("right, at once", ":5243", True, True, True, "at once"),
        ("right with other formatting", "it is 5243.", True, False, False, None),
        ("right but cut off", "A3142=2413,B2413=4132,D4132=5243", True, False, False, "working"),
        ("wrong", ":5244", False, False, True, "at once"),
        ("five digits are not four", ":15243", False, False, False, "at once"),
        ("empty", "", False, False, False, None),
        ("garbage", "\x00\ud800::", False, False, False, None),
        ("quoted from the prompt", PROMPT, False, False, False, "working"),
        ("digits of another script", ":\u0665\u0662\u0664\u0663", False, False, False, "at once"),
    ],
)
def test_the_truth_table_of_one_nesting(
    case: str, text: str, correct: bool, strictly: bool, well_formed: bool, strategy: str | None
) -> None:
    grade = Nest().grade(PROBLEM, text)
    assert (grade.correct, grade.strict, grade.well_formed, grade.strategy) == (
        correct,
        strictly,
        well_formed,
        strategy,
    ), case


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        (RIGHT, (True, True, True)),
        ("A3142=2413,B2413=4133,D4133=5244:5244", (True, False, True)),
        ("A3142=2413,D2413=3524:3524", (True, False, False)),
        ("A3142=2413:2413", (True, False, False)),
        ("A3142=2413,B2413=4132,D4132=5243,D5243=6354:6354", (True, True, True, False)),
        ("A3142=2413,B2418=4182,D4182=5293:5293", (True, False, True)),
        (":5243", None),
        ("A3142=2413,", None),
    ],
)
def test_a_step_is_one_known_fact_about_what_the_step_before_left(
    text: str, verdicts: tuple[bool, ...] | None
) -> None:
    assert check_steps(PROMPT, text) == verdicts


def test_no_two_functions_of_a_set_make_a_third_of_it() -> None:
    """So a policy that applies one function of two is not right by luck, but where the two undo
    each other, which is alike in both sets.
    """
    texts = [f"{number:04d}" for number in range(0, 10_000, 37)]
    undone = []
    for letters in SETS.values():
        alone = {tuple(map(FUNCTIONS[letter], texts)) for letter in letters}
        pairs = [
            tuple(FUNCTIONS[f](FUNCTIONS[g](text)) for text in texts)
            for f, g in itertools.product(letters, repeat=2)
        ]
        assert len(alone) == 6 and not alone & set(pairs)
        undone.append(pairs.count(tuple(texts)))
    assert undone == [3, 3]


def test_the_index_goes_round_through_levels_and_sets() -> None:
    problems = [Nest(1, 3, "AB").problem("heldout", index) for index in range(12)]
    assert [(p.level, p.facts["set"]) for p in problems[:6]] == [
        (1, "A"),
        (1, "B"),
        (2, "A"),
        (2, "B"),
        (3, "A"),
        (3, "B"),
    ]
    for p in problems:
        assert set(p.prompt[: p.level]) <= set(SETS[p.facts["set"]])


def test_a_prompt_belongs_to_one_split_whatever_the_settings() -> None:
    mixed = {Nest(1, 3, "AB").problem("heldout", index).id for index in range(600)}
    assert not mixed & {
        Nest(level, level, name).problem("train", index).id
        for level in (1, 2, 3)
        for name in "AB"
        for index in range(200)
    }


@pytest.mark.parametrize(
    "settings", [(0, 1, "A"), (3, 2, "A"), (1, 7, "A"), (1, 1, ""), (1, 1, "AA"), (1, 1, "C")]
)
def test_settings_that_make_no_nesting_are_refused(settings: tuple[int, int, str]) -> None:
    with pytest.raises(ComponentError, match="cannot nest"):
        Nest(*settings)
