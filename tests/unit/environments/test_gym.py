import dataclasses
import json
import os
import subprocess
import sys

import pytest

from rewardscope.environments.chain import Chain
from rewardscope.environments.words import gym as module
from rewardscope.environments.words.gym import REFUSED, Gym, constant_floor
from rewardscope.environments.words.sums import Sums
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.types import Problem

SMALL = {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}


def negative(environment: Gym) -> Problem:
    """The first chain sum whose key is below zero."""
    return next(
        p for index in range(200) if int((p := environment.problem("train", index)).answer) < 0
    )


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "well_formed"),
    [
        ("right", "<answer>{}</answer>", True, True, True),
        ("right after working", "let me see ... 99\n<answer> {} </answer>", True, True, True),
        ("wrong", "<answer>77</answer>", False, False, True),
        ("right, then wrong", "<answer>{}</answer><answer>77</answer>", False, False, True),
        ("right without tags", "{}", True, False, False),
        ("right in a sentence", "The answer is {}.", True, False, False),
        ("right in a box", "\\boxed{{{}}}", True, False, False),
        ("right but cut off", "so it is <answer>{}", True, False, False),
        ("empty", "", False, False, False),
        ("garbage", "\x00\ud800 ]] </answer>", False, False, False),
    ],
)
def test_the_truth_table_of_a_negative_sum(
    case: str, text: str, correct: bool, strictly: bool, well_formed: bool
) -> None:
    environment = Gym("chain_sum", SMALL)
    problem = negative(environment)
    grade = environment.grade(problem, text.format(problem.answer))
    assert (grade.correct, grade.strict, grade.well_formed) == (correct, strictly, well_formed), (
        case
    )


def test_an_answer_quoted_from_the_prompt_is_wrong() -> None:
    environment = Gym("chain_sum", SMALL)
    problem = negative(environment)
    assert environment.grade(problem, problem.prompt).correct is False


def test_a_whole_completion_is_read_strictly_when_that_was_asked_for() -> None:
    environment = Gym("chain_sum", SMALL, answer_in="whole")
    problem = negative(environment)
    assert "<answer>" not in problem.prompt
    assert environment.grade(problem, f" {problem.answer}\n").strict is True
    sentence = environment.grade(problem, f"It is {problem.answer}.")
    assert (sentence.correct, sentence.strict) == (True, False)


def test_where_the_answer_is_asked_for_does_not_move_a_question_to_another_split() -> None:
    tagged, whole = Gym("chain_sum", SMALL), Gym("chain_sum", SMALL, answer_in="whole")
    assert [tagged.problem("train", i).id for i in range(20)] == [
        whole.problem("train", i).id for i in range(20)
    ]


def test_a_config_is_the_same_as_a_mapping_or_as_pairs() -> None:
    as_mapping = Gym(
        "complex_arithmetic", {"operations_weights": [1.0, 0.0, 0.0, 0.0], "max_real": 5}
    )
    as_pairs = Gym(
        "complex_arithmetic", (("max_real", 5), ("operations_weights", (1.0, 0.0, 0.0, 0.0)))
    )
    assert as_mapping == as_pairs
    assert hash(as_mapping) == hash(as_pairs)


@pytest.mark.parametrize(
    "task", ["prime_factorization", "game_of_life", "countdown", "knights_knaves"]
)
@pytest.mark.parametrize(
    "junk", ["0", "{}", "null", "[[1]]", '{"a": 1}', "no idea", "9" * 10_000, "(" * 10_000]
)
def test_junk_that_a_scorer_throws_at_is_wrong_and_not_ungraded(task: str, junk: str) -> None:
    environment = Gym(task)
    grade = environment.grade(environment.problem("train", 0), f"<answer>{junk}</answer>")
    assert (grade.correct, grade.strict) == (False, False)


def test_feedback_says_when_the_answer_could_not_be_read() -> None:
    environment = Gym("prime_factorization")
    feedback = environment.grade(
        environment.problem("train", 0), "<answer>two times two</answer>"
    ).feedback
    assert feedback is not None
    assert "ValueError" in feedback


@pytest.mark.parametrize(
    "attack",
    [
        "9**9**9**9",
        "9* *9**9",
        "2(3)",
        "(1)(2)",
        "()",
        "__import__('os').abort()",
        "exit()",
        "().__class__",
        "factorial(99999999)",
        "1e999999999",
    ],
)
@pytest.mark.parametrize(
    "task",
    [
        "countdown",
        "puzzle24",
        "binary_matrix",
        "n_queens",
        "spiral_matrix",
        "string_insertion",
        "coin_flip",
    ],
)
def test_an_answer_that_a_scorer_would_run_as_code_never_reaches_it(
    task: str, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = Gym(task, exploitable_by_name=True)
    problem = environment.problem("train", 0)

    def no_scorer(*_: object) -> None:
        raise AssertionError("the scorer was reached")

    monkeypatch.setattr(module, "scorer", no_scorer)
    grade = environment.grade(problem, f"<answer>{attack}</answer>")
    assert (grade.correct, grade.strict) == (False, False)
    assert "not written as one" in str(grade.feedback)


def test_partial_credit_is_not_correct() -> None:
    environment = Gym("countdown")
    problem = environment.problem("train", 0)
    numbers = dict(json.loads(problem.facts["entry"])["dict"])["metadata"]["dict"]
    given = " + ".join(str(n) for n in dict(numbers)["numbers"])
    assert environment.grade(problem, f"<answer>{given}</answer>").correct is False


@pytest.mark.parametrize(
    "task", ["game_of_life_halting", "puzzle24", "coin_flip", "propositional_logic"]
)
def test_a_scorer_that_accepts_wrong_answers_is_taken_only_by_name(task: str) -> None:
    with pytest.raises(ComponentError, match="exploitable_by_name=True"):
        Gym(task)
    assert Gym(task, exploitable_by_name=True).task == task


@pytest.mark.parametrize(
    "task", ["isomorphic_strings", "knight_swap", "ransom_note", "word_ladder"]
)
def test_items_that_change_with_the_hash_seed_are_refused_until_it_is_fixed(
    task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "hash_seed_is_fixed", lambda: False)
    with pytest.raises(ComponentError, match="Start again with PYTHONHASHSEED=0"):
        Gym(task)
    monkeypatch.setattr(module, "hash_seed_is_fixed", lambda: True)
    assert Gym(task).task == task


def test_setting_the_hash_seed_after_the_start_does_not_count() -> None:
    fixed = "import os; from rewardscope.environments.words.gym import hash_seed_is_fixed as fixed"
    code = f"{fixed}; before = fixed(); os.environ['PYTHONHASHSEED'] = '0'; print(before, fixed())"
    rest = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
    said = [
        subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        ).stdout.strip()
        for env in (rest, {**rest, "PYTHONHASHSEED": "0"}, {**rest, "PYTHONHASHSEED": "7"})
    ]
    assert said == ["False False", "True True", "False False"]


@pytest.mark.parametrize("task", sorted(REFUSED))
def test_a_task_whose_scorer_cannot_be_trusted_is_refused_with_its_reason(task: str) -> None:
    with pytest.raises(ComponentError, match="Gym does not take"):
        Gym(task, exploitable_by_name=True)


def test_a_misspelt_task_is_refused_with_the_close_ones() -> None:
    with pytest.raises(ComponentError, match=r"'chainsum'.*chain_sum.*Check the spelling"):
        Gym("chainsum")


def test_a_misspelt_setting_is_refused_with_the_close_one() -> None:
    with pytest.raises(ComponentError, match="Did you mean min_terms"):
        Gym("chain_sum", {"min_term": 2})


@pytest.mark.parametrize(
    "config",
    [{"seed": 1}, {"size": 5}, {"min_terms": 0}, {"min_terms": object()}, {"min_terms": {"a": 1}}],
)
def test_settings_that_the_task_cannot_have_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ComponentError):
        Gym("chain_sum", config)


def test_an_unknown_place_for_the_answer_is_refused() -> None:
    with pytest.raises(ComponentError, match="tags, whole"):
        Gym("chain_sum", answer_in="box")  # type: ignore[arg-type]


def test_the_floor_is_the_share_that_one_constant_answer_earns() -> None:
    keys = [Sums().problem("heldout", index).answer for index in range(40)]
    assert constant_floor(Sums(), "heldout", 40) == ("9", keys.count("9") / 40)
    answer, share = constant_floor(Chain(), "train", 50)
    assert share == [Chain().problem("train", i).answer for i in range(50)].count(answer) / 50
    yes = constant_floor(Gym("syllogism"), "train", 40)
    assert yes[0] in ("Yes", "No")
    assert yes[1] >= 0.5


def test_a_scorer_that_takes_anything_has_a_floor_of_one() -> None:
    assert (
        constant_floor(Gym("game_of_life_halting", exploitable_by_name=True), "train", 10)[1] == 1.0
    )


def test_a_floor_without_problems_is_refused() -> None:
    with pytest.raises(EnvironmentFault, match="count=0"):
        constant_floor(Sums(), "train", 0)


def test_another_gym_with_the_same_settings_grades_what_this_one_asked() -> None:
    problem = Gym("rearc").problem("train", 0)
    again = dataclasses.replace(problem, facts=json.loads(json.dumps(dict(problem.facts))))
    assert Gym("rearc").grade(again, Gym("rearc").oracle(problem)).correct is True
