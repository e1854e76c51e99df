import dataclasses
from dataclasses import replace
from pickle import dumps, loads

import pytest

from factories import PROBLEM, rollout
from rewardscope.errors import ComponentError, RewardscopeError, TruthSealed
from rewardscope.types import Grade, Rewards, SealedGrade, SealedProblem, sealed

KEY_OF_PROBLEM = ("answer", "facts")
KEY_OF_GRADE = ("correct", "strict", "feedback", "strategy", "steps", "proxy")
GROUP = rollout([True, None], feedback="the values are 7,4,5", steps=(True, False), confidence=0.25)


@pytest.mark.parametrize("name", KEY_OF_PROBLEM)
def test_the_key_of_a_sealed_problem_raises(name: str) -> None:
    with pytest.raises(TruthSealed, match=f"'problem.{name}' was read.*uses_truth = True"):
        getattr(sealed(GROUP).problem, name)


@pytest.mark.parametrize("name", KEY_OF_GRADE)
def test_what_needs_the_key_raises_in_a_sealed_grade(name: str) -> None:
    with pytest.raises(TruthSealed, match=f"'grade.{name}'"):
        getattr(sealed(GROUP).grades[0], name)


def test_what_needs_no_key_reads_as_before() -> None:
    view = sealed(replace(GROUP, recalled=("a lesson",), policy_step=7))
    assert (view.problem.id, view.problem.environment, view.problem.prompt, view.problem.level) == (
        PROBLEM.id, PROBLEM.environment, PROBLEM.prompt, PROBLEM.level,
    )  # fmt: skip
    assert (view.completions, view.policy_step, view.recalled) == (
        GROUP.completions,
        7,
        ("a lesson",),
    )
    assert [(g.well_formed, g.answer, g.confidence) for g in view.grades] == [(True, "5", 0.25)] * 2


def test_every_field_of_a_grade_is_either_sealed_or_shown() -> None:
    shown = {f.name for f in dataclasses.fields(SealedGrade)}
    assert shown | set(KEY_OF_GRADE) == {f.name for f in dataclasses.fields(Grade)}
    assert not shown & set(KEY_OF_GRADE)
    assert {f.name for f in dataclasses.fields(SealedProblem)} | set(KEY_OF_PROBLEM) == {
        f.name for f in dataclasses.fields(PROBLEM)
    }


def test_a_sealed_rollout_does_not_carry_the_key_in_what_it_prints_or_pickles() -> None:
    secret = replace(GROUP, problem=replace(PROBLEM, answer="SECRET", facts={"also": "SECRET"}))
    secret = replace(secret, grades=tuple(replace(g, feedback="SECRET") for g in secret.grades))
    assert "SECRET" not in repr(sealed(secret))
    assert b"SECRET" not in dumps(sealed(secret))


def test_rewards_told_before_are_not_in_the_sealed_view() -> None:
    told = GROUP.told(Rewards((1.0, None), {"truth": (1.0, None)}))
    assert told.rewards == (1.0, None)
    assert sealed(told) == sealed(GROUP)


def test_telling_leaves_the_facts_as_they_were() -> None:
    told = GROUP.told(Rewards((0.0, 1.0), {"coin": (0.0, 1.0)}))
    assert (told.grades, told.problem, told.parts) == (
        GROUP.grades,
        GROUP.problem,
        {"coin": (0.0, 1.0)},
    )
    assert GROUP.rewards is None


def test_records_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        GROUP.rewards = (1.0, 1.0)  # type: ignore[misc]


def test_an_error_says_what_was_wrong_the_value_what_is_allowed_and_what_to_do() -> None:
    error = ComponentError("It is wrong.", value=0, allowed="1 to 3", do="Mend it")
    assert str(error) == "It is wrong. Got: 0. Allowed: 1 to 3. Mend it."
    assert str(RewardscopeError("It is wrong")) == "It is wrong."


def test_an_error_keeps_its_kind_and_its_words_across_processes() -> None:
    error = loads(dumps(TruthSealed("It is wrong", value=PROBLEM, allowed="a", do="b")))
    assert type(error) is TruthSealed
    assert str(error) == str(TruthSealed("It is wrong", value=PROBLEM, allowed="a", do="b"))
