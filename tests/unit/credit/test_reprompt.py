from dataclasses import replace

import pytest

from factories import PROBLEM
from rewardscope import Reprompt
from rewardscope.errors import ComponentError, TruthSealed
from rewardscope.types import Completion, Ending, Grade, Problem, Rollout, sealed

OTHER = Problem("00000000000000bb", "Chain", "9-9?", "0", 1)
PLAIN = {
    "template": "{prompt}|{solution}|{feedback}",
    "solution_section": "S{solution}",
    "feedback_section": "F{feedback}",
}


def group(texts: str, correct: str, problem: Problem = PROBLEM) -> Rollout:
    """One completion per letter of ``texts``; ``correct`` has 1 and 0."""
    completions = tuple(Completion(text, (1,), (-1.0,), Ending.END_TOKEN) for text in texts)
    grades = tuple(
        Grade(mark == "1", mark == "1", True, feedback=f"not {text}")
        for text, mark in zip(texts, correct, strict=True)
    )
    return Rollout(problem, 0, completions, grades)


def written(
    reprompt: Reprompt, told: list[list[float | None]], *groups: Rollout
) -> list[str | None]:
    return reprompt.texts(groups if reprompt.uses_truth else [sealed(one) for one in groups], told)


def test_a_success_is_taught_by_another_success_and_a_failure_by_the_first() -> None:
    found = written(Reprompt(**PLAIN), [[1.0, 0.0, 1.0]], group("abc", "101"))
    assert found == ["3+4*2-9?|Sc|", "3+4*2-9?|Sa|", "3+4*2-9?|Sa|"]


def test_a_lone_success_is_not_taught_unless_it_may_teach_itself() -> None:
    assert written(Reprompt(**PLAIN), [[0.0, 1.0]], group("ab", "01")) == ["3+4*2-9?|Sb|", None]
    assert written(Reprompt(own_success=True, **PLAIN), [[0.0, 1.0]], group("ab", "01")) == [
        "3+4*2-9?|Sb|",
        "3+4*2-9?|Sb|",
    ]


def test_where_all_fail_there_is_nothing_to_learn_from_but_feedback() -> None:
    failed, told = group("ab", "00"), [[0.0, 0.0]]
    assert written(Reprompt(**PLAIN), told, failed) == [None, None]
    found = written(Reprompt(feedback="without_solution", **PLAIN), told, failed)
    assert found == ["3+4*2-9?||Fnot a", "3+4*2-9?||Fnot b"]


def test_feedback_stands_in_for_a_solution_or_beside_it_and_says_nothing_of_what_is_right() -> None:
    mixed, told = group("abc", "100"), [[1.0, 0.0, 0.0]]
    assert written(Reprompt(feedback="without_solution", **PLAIN), told, mixed) == [
        None,
        "3+4*2-9?|Sa|",
        "3+4*2-9?|Sa|",
    ]
    assert written(Reprompt(feedback="always", **PLAIN), told, mixed)[1] == "3+4*2-9?|Sa|Fnot b"
    assert written(Reprompt("none", "always", **PLAIN), told, mixed) == [
        None,
        "3+4*2-9?||Fnot b",
        "3+4*2-9?||Fnot c",
    ]


def test_a_solution_is_chosen_by_what_was_told_and_not_by_what_is_right() -> None:
    assert written(Reprompt(**PLAIN), [[0.0, 1.0, None]], group("abc", "100")) == [
        "3+4*2-9?|Sb|",
        None,
        "3+4*2-9?|Sb|",
    ]


def test_placebos_are_given_to_the_same_completions() -> None:
    groups, told = (group("abc", "100"), group("de", "10", OTHER)), [[1.0, 0.0, 0.0], [1.0, 0.0]]
    real = written(Reprompt(**PLAIN), told, *groups)
    assert real == [None, "3+4*2-9?|Sa|", "3+4*2-9?|Sa|", None, "9-9?|Sd|"]
    assert written(Reprompt("other", **PLAIN), told, *groups) == [
        None,
        "3+4*2-9?|Sd|",
        "3+4*2-9?|Sd|",
        None,
        "9-9?|Sa|",
    ]
    assert written(Reprompt("empty", **PLAIN), told, *groups) == [
        None,
        "3+4*2-9?||",
        "3+4*2-9?||",
        None,
        "9-9?||",
    ]
    assert written(Reprompt("failed", **PLAIN), told, *groups) == [
        None,
        "3+4*2-9?|Sc|",
        "3+4*2-9?|Sb|",
        None,
        None,
    ]


def test_placebos_of_feedback_are_given_to_the_same_completions() -> None:
    groups, told = (group("ab", "01"), group("cd", "10", OTHER)), [[0.0, 1.0], [1.0, 0.0]]
    real = written(Reprompt("none", "always", **PLAIN), told, *groups)
    assert real == ["3+4*2-9?||Fnot a", None, None, "9-9?||Fnot d"]
    assert written(Reprompt("none", "always", "other", **PLAIN), told, *groups) == [
        "3+4*2-9?||Fnot d",
        None,
        None,
        "9-9?||Fnot a",
    ]
    assert written(Reprompt("none", "always", "empty", **PLAIN), told, *groups) == [
        "3+4*2-9?||",
        None,
        None,
        "9-9?||",
    ]


def test_both_placebos_leave_nothing_of_the_problem_but_its_prompt() -> None:
    groups, told = (group("ab", "01"), group("cd", "10", OTHER)), [[0.0, 1.0], [1.0, 0.0]]
    assert written(Reprompt("sibling", "always", **PLAIN), told, *groups)[0] == "3+4*2-9?|Sb|Fnot a"
    assert (
        written(Reprompt("other", "always", "other", **PLAIN), told, *groups)[0]
        == "3+4*2-9?|Sc|Fnot d"
    )
    assert written(Reprompt("empty", "always", "empty", **PLAIN), told, *groups)[0] == "3+4*2-9?||"


@pytest.mark.parametrize("solution", ["failed", "other"])
@pytest.mark.parametrize("feedback", ["without_solution", "always"])
def test_where_a_placebo_finds_no_solution_feedback_does_not_stand_in_for_it(
    solution: str, feedback: str
) -> None:
    """The failure b is taught by a in the real arm; there is no other failure and no other
    problem.
    """
    mixed, told = group("ab", "10"), [[1.0, 0.0]]
    assert written(Reprompt("sibling", feedback, **PLAIN), told, mixed)[1] is not None  # type: ignore[arg-type]
    assert written(Reprompt(solution, feedback, **PLAIN), told, mixed) == [None, None]  # type: ignore[arg-type]
    failed = written(Reprompt(solution, feedback, **PLAIN), [[0.0, 0.0]], group("ab", "00"))  # type: ignore[arg-type]
    assert failed == ["3+4*2-9?||Fnot a", "3+4*2-9?||Fnot b"], (
        "the real arm has no solution here either"
    )


def test_where_a_placebo_finds_no_feedback_a_solution_alone_does_not_do() -> None:
    """All of the one other problem is right, so nothing was said about it."""
    groups, told = (group("ab", "10"), group("c", "1", OTHER)), [[1.0, 0.0], [1.0]]
    assert written(Reprompt("sibling", "always", **PLAIN), told, *groups) == [
        None,
        "3+4*2-9?|Sa|Fnot b",
        None,
    ]
    assert written(Reprompt("sibling", "always", "other", **PLAIN), told, *groups) == [
        None,
        None,
        None,
    ]
    assert written(Reprompt("sibling", "always", "empty", **PLAIN), told, *groups) == [
        None,
        "3+4*2-9?|Sa|",
        None,
    ]


def test_a_placebo_without_another_problem_has_nothing_to_give() -> None:
    assert written(Reprompt("other", **PLAIN), [[1.0, 0.0]], group("ab", "10")) == [None, None]
    assert written(
        Reprompt("none", "always", "other", **PLAIN), [[0.0, 1.0]], group("ab", "01")
    ) == [None, None]


def test_braces_in_a_completion_stay_text() -> None:
    hostile = replace(
        group("ab", "10"),
        completions=tuple(
            Completion(t, (1,), (-1.0,), Ending.LENGTH) for t in ("{feedback}{prompt}", "b")
        ),
    )
    assert written(Reprompt(**PLAIN), [[1.0, 0.0]], hostile)[1] == "3+4*2-9?|S{feedback}{prompt}|"


def test_feedback_reads_the_key_and_says_so() -> None:
    assert not Reprompt().uses_truth and Reprompt(feedback="always").uses_truth
    assert Reprompt(feedback="always", feedback_of="empty").uses_truth, (
        "which completions are wrong is the key too"
    )
    with pytest.raises(TruthSealed):
        Reprompt(feedback="always").texts([sealed(group("ab", "00"))], [[0.0, 0.0]])


@pytest.mark.parametrize(
    "settings",
    [
        {"solution": "none"},
        {"template": "no place"},
        {"solution_section": "none"},
        {"feedback_section": "none"},
    ],
)
def test_a_reprompt_that_says_nothing_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(
        ComponentError, match="A reprompt needs the problem, and a solution or feedback"
    ):
        Reprompt(**settings)  # type: ignore[arg-type]
