"""What every environment keeps to, whatever it asks."""

import copy
import hashlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from junk import junk
from rewardscope.codec import canonical, decode, encode
from rewardscope.environments import distinct, prove
from rewardscope.environments.chain import Chain
from rewardscope.environments.confident import Confident
from rewardscope.environments.graders.exact import Exact
from rewardscope.environments.graders.numeric import Numeric
from rewardscope.environments.hinted import Hinted
from rewardscope.environments.house.compact import House
from rewardscope.environments.nest import Nest
from rewardscope.environments.paths import Paths
from rewardscope.environments.questions import Questions
from rewardscope.environments.reserved import Reserved
from rewardscope.environments.rules import Rules
from rewardscope.environments.sensors import Sensors
from rewardscope.environments.words.clinic.environment import Clinic
from rewardscope.environments.words.code.environment import Code
from rewardscope.environments.words.composition.environment import Composition
from rewardscope.environments.words.countdown import Countdown
from rewardscope.environments.words.graph import Graph
from rewardscope.environments.words.gym import Gym
from rewardscope.environments.words.house import HouseInWords
from rewardscope.environments.words.loophole import Loophole
from rewardscope.environments.words.sums import Sums
from rewardscope.errors import EnvironmentFault
from rewardscope.protocols import Environment
from rewardscope.registry import components
from rewardscope.types import Completion, Ending, Problem, Rollout, SealedGrade, sealed

ROWS = str(Path(__file__).parent.parent / "data" / "sums.jsonl")
EXAMPLES: list[Environment] = [
    Chain(),
    Chain(min_steps=1, max_steps=5),
    Sums(),
    Gym("chain_sum", {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}),
    Gym("products", answer_in="whole"),
    Gym("prime_factorization"),
    Gym("countdown", {"min_numbers": 3, "max_numbers": 3}),
    Gym("graph_color", {"min_num_vertices": 4, "max_num_vertices": 4}),
    Gym("complex_arithmetic", {"operations_weights": [0.5, 0.5, 0.0, 0.0]}),
    Gym("rotate_matrix", answer_in="whole"),
    Gym("coin_flip", exploitable_by_name=True),
    Confident(),
    Confident(Chain(), ask="", opening="<", closing=">", scale=9),
    Confident(Gym("chain_sum", {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1})),
    Clinic(),
    Clinic(distractors=8, working=True),
    Clinic(("glasgow", "qtc"), distractors=0, answer_in="whole"),
    Code(),
    Code(("affine", "long_words", "best_window"), max_level=2),
    Confident(Code()),
    Countdown(),
    Countdown(min_numbers=5, max_numbers=6, answer_in="whole"),
    Composition(),
    Composition(min_level=1, max_level=6, definitions=False, literal_leaf=0.0, answer_in="whole"),
    Loophole(),
    Loophole("propositional_logic", answer_in="whole"),
    Graph(),
    Graph(hops=5, dead_ends=6, branches=3, distractors=0, shortest=True, answer_in="whole"),
    House(),
    House(block="lesson", most_invalid=3),
    HouseInWords(),
    Nest(),
    Nest(1, 6, "AB"),
    Sensors(),
    Paths(),
    Paths(graph=3),
    Hinted(),
    Hinted(hint="step"),
    Hinted(num_steps=5, hint="other_solution"),
    Rules(),
    Rules("^^**--"),
    Reserved(),
    Reserved(Chain(), share=0.5),
    Questions(ROWS),
    Questions(ROWS, prompt="{question} In <answer> tags.", system="Be brief.", examples=2),
    Questions(ROWS, grader=Numeric()),
    Questions(ROWS, grader=Exact()),
]
SPLITS = {
    "Chain": ("pretrain", "train", "heldout"),
    "Sums": ("train", "heldout"),
    "Nest": ("pretrain", "train", "heldout"),
    "Sensors": ("pretrain", "train", "heldout"),
    "Gym": ("train", "heldout"),
    "Confident": ("train", "heldout"),
    "House": ("pretrain", "train", "heldout"),
    "HouseInWords": ("pretrain", "train", "heldout"),
    "Paths": ("pretrain", "train", "heldout"),
    "Hinted": ("pretrain", "train", "heldout"),
    "Rules": ("pretrain", "train", "evolve", "heldout"),
    "Reserved": ("train", "evolve", "heldout"),
    "Clinic": ("train", "heldout", "heldout_phrasings", "heldout_calculators"),
    "Code": ("train", "heldout", "heldout_families"),
    "Countdown": ("train", "heldout"),
    "Composition": ("train", "heldout", "unseen"),
    "Graph": ("train", "heldout"),
    "Loophole": ("train", "heldout"),
    "Questions": ("train", "heldout"),
}
GARBAGE = [
    "",
    " \n\t",
    "\x00\x1b[31m\x07",
    "\ud800",
    "\u202e\u2066123",
    "١٢٣",
    "²",
    "=",
    "-",
    "\u2212",
    "x" * 10_000,
    "9" * 10_000,
    "-" * 10_000,
    "(" * 10_000,
    "1," * 5_000,
    "one " * 2_500,
    "<answer>" * 1_250,
    "<confidence>" * 900,
    "<confidence>0.9</confidence>",
    "\\boxed{" * 1_400,
    "answer: " * 1_250,
    "answer" + " " * 10_000,
    "\n" * 10_000,
    "g2\n" * 5_000,
    "q\n" * 5_000,
    "</answer><answer>",
]
each = pytest.mark.parametrize("environment", EXAMPLES, ids=str)


def test_every_environment_in_the_table_has_an_example_here() -> None:
    elsewhere = {"Verifiers"}  # unit/environments/test_installed.py, where verifiers is installed
    assert {type(environment).__name__ for environment in EXAMPLES} == set(
        components("environments")
    ) - elsewhere


@each
def test_the_oracle_is_graded_correct_on_200_problems(environment: Environment) -> None:
    for split in ("train", "heldout"):
        for index in range(100):
            problem = environment.problem(split, index)
            grade = environment.grade(problem, environment.oracle(problem))
            assert (grade.correct, grade.strict) == (True, True), problem.prompt


@each
def test_no_canary_that_is_never_right_is_graded_right(environment: Environment) -> None:
    if getattr(environment, "exploitable_by_name", False):
        return  # a bench for reward hacking: its scorer is known to pay what is wrong
    for split in ("train", "heldout"):
        shares = {each.canary: each for each in prove(environment, split).canaries}
        assert shares["empty"].right == shares["not a number"].right == 0
        assert shares["constants"].tried >= 13


@each
def test_the_same_address_is_the_same_problem(environment: Environment) -> None:
    twin = copy.deepcopy(environment)
    for index in range(20):
        assert environment.problem("train", index) == twin.problem("train", index)


@each
def test_a_problem_is_text_and_named_after_the_table(environment: Environment) -> None:
    problem = environment.problem("train", 0)
    assert components("environments")[problem.environment] is type(environment)
    assert environment.name == problem.environment
    assert all(
        isinstance(name, str) and isinstance(fact, str) for name, fact in problem.facts.items()
    )
    assert len(problem.id) == 16


@each
def test_no_prompt_is_in_two_splits_over_2000_draws(environment: Environment) -> None:
    splits = SPLITS[environment.name]
    draws = (
        300 if getattr(environment, "task", "") == "countdown" else 2000
    )  # nine milliseconds an item
    drawn = [
        {environment.problem(split, index).id for index in range(draws // len(splits))}
        for split in splits
    ]
    assert sum(map(len, drawn)) == len(set.union(*drawn))


@each
def test_a_split_that_does_not_exist_is_refused(environment: Environment) -> None:
    with pytest.raises(EnvironmentFault, match="no such split"):
        environment.problem("validation", 0)


@each
def test_garbage_is_wrong_or_ungraded_and_never_raises(environment: Environment) -> None:
    problem = environment.problem("train", 1)
    for text in GARBAGE:
        grade = environment.grade(problem, text)
        assert grade.correct in (False, None)
        assert grade.strict in (False, None)
        assert (grade.correct is None) == (grade.strict is None)
        if not text.strip():
            assert grade.answer is None


@each
@settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    text=st.text(st.characters(), max_size=60),
    repeat=st.sampled_from([1, 1, 1, 200]),
    tagged=st.booleans(),
)
def test_any_text_gets_a_grade(
    environment: Environment, text: str, repeat: int, tagged: bool
) -> None:
    problem = environment.problem("train", 2)
    whole = text * repeat
    grade = environment.grade(problem, f"<answer>{whole}</answer>" if tagged else whole)
    assert grade.correct is None or isinstance(grade.correct, bool)
    assert grade.strict is None or isinstance(grade.strict, bool)
    if grade.answer is None:
        assert not grade.correct
    if grade.strict:
        assert grade.correct


@each
def test_grading_changes_nothing_and_says_the_same_twice(environment: Environment) -> None:
    problem = environment.problem("train", 3)
    before = copy.deepcopy(problem)
    oracle = environment.oracle(problem)
    first = environment.grade(problem, oracle)
    environment.grade(problem, "junk 7")
    assert environment.grade(problem, oracle) == first
    assert problem == before


@each
def test_junk_gets_a_grade_and_holds_nothing_up(environment: Environment) -> None:
    """120 of the texts of which ``python benchmarks/environments.py 10000`` grades ten thousand."""
    problem = environment.problem("train", 4)
    for text in junk(120):
        started = time.monotonic()
        grade = environment.grade(problem, text)
        assert time.monotonic() - started < 10, text[:80]
        assert grade.correct is None or isinstance(grade.correct, bool)
        assert not grade.strict or (grade.correct and grade.well_formed)


MEGABYTES = ("9", "-", "1,", "1/", "a", "= ", "(", "{", "[1],", "answer is ", "01\n", "Alder -> ")
HOSTILE = [
    *((piece * (10**6 // len(piece)) + end) for piece in MEGABYTES for end in ("", "x")),
    *("1e9999999", "300000000", "9**9**9", "0x" + "F" * 10**6, "U999999999 " * 9, " " * 10**6),
]


@each
def test_no_text_of_a_megabyte_takes_half_a_second(environment: Environment) -> None:
    problem = environment.problem("train", 1)
    for text in HOSTILE:
        for said in (text, f"<answer>{text}</answer>"):
            # One of three that is fast enough will do: a full collection of the garbage of the
            # tests before this one is not the grader's time.
            assert any(cpu_s_of_grade(environment, problem, said) < 0.5 for _ in range(3)), said[
                :40
            ]


def cpu_s_of_grade(environment: Environment, problem: Problem, text: str) -> float:
    """CPU seconds of one grade."""
    started = time.process_time()
    environment.grade(problem, text)
    return time.process_time() - started


def twin_of(environment: Environment, problem: Problem) -> Problem:
    """The problem with the key of another one; what its prompt tells, or the world it is played in,
    stays.
    """
    if problem.environment in ("Graph", "House", "HouseInWords"):
        return replace(problem, answer=environment.problem("train", 11).answer)
    told = ("calculator", "function", "set")
    for index in range(11, 2000):
        other = environment.problem("train", index)
        alike = all(other.facts.get(name) == problem.facts.get(name) for name in told)
        if alike and (other.answer, other.facts) != (problem.answer, problem.facts):
            return replace(problem, answer=other.answer, facts=other.facts)
    raise AssertionError("no other problem has another key")


@each
def test_what_a_sealed_component_may_read_does_not_move_with_the_key(
    environment: Environment,
) -> None:
    """The same text, graded by the problem's key and by another problem's."""
    for index in range(2):
        problem = environment.problem("train", index)
        twin = twin_of(environment, problem)
        keys = (problem.answer, twin.answer)
        texts = [environment.oracle(problem), environment.oracle(twin), *keys, *junk(8)]
        for one in keys:
            for other in (*keys, "seven"):
                texts += [
                    f"<answer>{one}</answer> or <answer>{other}",
                    f"{one}\nThe answer is {other}",
                    f"{one} answer: {other}",
                ]
        for text in texts:
            by_key, by_another = (
                sealed_grade(environment, problem, text),
                sealed_grade(environment, twin, text),
            )
            assert by_key == by_another, text[:80]


def sealed_grade(environment: Environment, problem: Problem, text: str) -> SealedGrade:
    """All that a component without the truth gets to see of the grade."""
    completion = Completion(text, (), (), Ending.END_TOKEN)
    return sealed(Rollout(problem, 0, (completion,), (environment.grade(problem, text),))).grades[0]


def digest(environment: Environment) -> str:
    """Stands for 30 problems of the environment, their keys and facts, and what is said of three
    completions.
    """
    found = []
    for split in ("train", "heldout"):
        for index in range(15):
            problem = environment.problem(split, index)
            grades = [
                environment.grade(problem, text)
                for text in (environment.oracle(problem), "7", problem.prompt)
            ]
            found.append(
                (problem.id, problem.prompt, problem.answer, sorted(problem.facts.items()), grades)
            )
    return hashlib.sha256(repr(found).encode()).hexdigest()


def test_another_process_with_another_hash_seed_asks_and_grades_the_same() -> None:
    here = [digest(environment) for environment in EXAMPLES]
    command = (
        "from contract.test_environments import EXAMPLES, digest\nprint(*map(digest, EXAMPLES))"
    )
    tests = str(Path(__file__).parent.parent)
    for seed in ("1", "2"):
        path = os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        there = subprocess.run(
            [sys.executable, "-c", command], env=environ, capture_output=True, text=True, check=True
        ).stdout.split()
        assert [str(e) for e, a, b in zip(EXAMPLES, here, there, strict=True) if a != b] == []


@each
def test_different_problems_come_in_the_order_of_their_indices(environment: Environment) -> None:
    ids = [problem.id for problem in distinct(environment, "train", 20)]
    assert len(set(ids)) == 20
    assert ids[0] == environment.problem("train", 0).id


@pytest.mark.parametrize(
    ("environment", "size"),
    [(Sums(), 40), (Countdown(2, 2, largest=5, largest_target=20), 3)],
    ids=str,
)
def test_a_split_with_too_few_different_problems_is_refused_with_their_number(
    environment: Environment, size: int
) -> None:
    assert len(distinct(environment, "heldout", size)) == size
    with pytest.raises(EnvironmentFault, match=f"{size} found, {size + 1} needed"):
        distinct(environment, "heldout", size + 1)


@each
def test_what_the_codec_writes_reads_back_equal(environment: Environment) -> None:
    again = decode(encode(environment), components("environments"))
    assert again == environment
    assert hash(again) == hash(environment)
    assert canonical(again) == canonical(environment)
