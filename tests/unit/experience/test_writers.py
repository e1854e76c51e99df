"""Writers: the environment's own words, raw trajectories, the policy, and the uniform ablation."""

from collections.abc import Sequence

import pytest

from experience_makers import WORLD, ask, attempt, group
from rewardscope import Chain, Reserved
from rewardscope.errors import ComponentError, TruthSealed
from rewardscope.experience.entries import Attempt, Note
from rewardscope.experience.writers import ByPolicy, ByRule, Trajectories, Uniform, spread
from rewardscope.types import Problem, SealedProblem


def said(notes: list[Note]) -> list[tuple[str, str, bool]]:
    return [(note.kind, note.text, note.against) for note in notes]


PROMPT = WORLD.problem("train", 0).prompt
KIND = PROMPT[-1]


def test_what_went_well_speaks_for_its_skill_and_against_the_lesson_of_the_same_doing() -> None:
    assert said(ByRule().notes([attempt(PROMPT, "+5", True)], WORLD, ask)) == [
        ("skill", f"{KIND}+;", False), ("lesson", f"{KIND}!+;", True),
    ]  # fmt: skip
    assert said(ByRule().notes([attempt(PROMPT, "+5", False)], WORLD, ask)) == [
        ("skill", f"{KIND}+;", True), ("lesson", f"{KIND}!+;", False),
    ]  # fmt: skip
    assert ByRule().notes([attempt(PROMPT, "5", True)], WORLD, ask) == []  # it names no rule


def test_it_finds_the_words_of_an_environment_that_is_wrapped() -> None:
    assert said(ByRule().notes([attempt(PROMPT, "+5", True)], Reserved(WORLD), ask))[0] == (
        "skill",
        f"{KIND}+;",
        False,
    )


def test_an_environment_without_words_is_refused() -> None:
    with pytest.raises(ComponentError, match="cannot say what a completion teaches"):
        ByRule().notes([attempt(PROMPT, "+5", True)], Chain(), ask)


class Keyed(Chain):
    """An environment whose lessons tell the answer."""

    def skill(self, problem: Problem | SealedProblem, text: str) -> str:
        return "s"

    def lesson(self, problem: Problem | SealedProblem, text: str) -> str:
        return f"it was {problem.answer}"


def test_the_key_is_out_of_reach_of_a_writer_that_declares_none() -> None:
    with pytest.raises(TruthSealed, match=r"problem\.answer"):
        ByRule().notes([attempt(PROMPT, "+5", False)], Keyed(), ask)
    whole = Attempt(KIND, group(0, ["+5"]).problem, "+5", False)
    assert said(ByRule(sees_key=True).notes([whole], Keyed(), ask))[1] == (
        "lesson",
        f"it was {whole.problem.answer}",
        False,
    )


@pytest.mark.parametrize(
    ("writer", "declared"),
    [
        (ByRule(), False),
        (ByRule(sees_key=True), True),
        (ByRule(files_by_truth=True), True),
        (Trajectories(), False),
        (ByPolicy(), False),
        (Uniform(), False),
        (Uniform(ByRule(sees_key=True)), True),
    ],
    ids=str,
)
def test_who_saw_the_key(writer: ByRule, declared: bool) -> None:
    assert writer.uses_truth is declared


def test_trajectories_are_kept_as_they_were() -> None:
    notes = Trajectories("{prompt}{completion};").notes(
        [attempt(PROMPT, "+{prompt}", True), attempt(PROMPT, "-1", False)], WORLD, ask
    )
    assert said(notes) == [
        ("demonstration", f"{PROMPT}+{{prompt}};", False),
        ("demonstration", f"{PROMPT}-1;", True),
    ]
    assert notes[0].topic == notes[0].problem == WORLD.problem("train", 0).id


def test_uniform_treats_failure_as_success() -> None:
    notes = Uniform(ByRule()).notes([attempt(PROMPT, "+5", False)], WORLD, ask)
    assert said(notes) == [("skill", f"{KIND}+;", False), ("lesson", f"{KIND}!+;", True)]


def test_the_policy_is_asked_for_advice_about_good_and_bad_alike() -> None:
    asked: list[str] = []

    def listening(prompts: Sequence[str], max_tokens: int) -> list[str]:
        assert max_tokens == 7
        asked.extend(prompts)
        return ["one", "two"]

    writer = ByPolicy(
        most_tokens=7, success="good {prompt} {completion}", failure="bad {prompt} {completion}"
    )
    notes = writer.notes(
        [attempt(PROMPT, "+\x00{prompt}", True), attempt(PROMPT, "-1", False)], WORLD, listening
    )
    assert asked == [f"good {PROMPT} +{{prompt}}", f"bad {PROMPT} -1"]
    assert said(notes) == [("skill", "one", False), ("lesson", "two", False)]
    assert writer.notes([], WORLD, listening) == []


def test_a_policy_that_answers_too_little_is_an_error() -> None:
    with pytest.raises(ValueError):
        ByPolicy().notes([attempt(PROMPT, "+1", True)], WORLD, lambda prompts, most: [])


@pytest.mark.parametrize(
    "wrong", [{"most_attempts": 0}, {"most_tokens": 0}, {"success": "well done"}], ids=str
)
def test_a_writer_that_cannot_ask_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ComponentError, match="ByPolicy asks about a problem"):
        ByPolicy(**wrong)  # type: ignore[arg-type]


def test_attempts_are_spread_over_categories_outcomes_and_problems() -> None:
    def one(category: str, problem: str, won: bool, text: str) -> Attempt:
        return Attempt(category, SealedProblem(problem, "Rules", f"12{category}", 0), text, won)

    attempts = [
        one("a", "p", True, "1"),
        one("a", "p", True, "2"),
        one("a", "q", True, "3"),
        one("a", "q", False, "4"),
        one("b", "r", False, "5"),
    ]
    assert [a.text for a in spread(attempts, 4)] == ["1", "4", "5", "3"]
    assert [a.text for a in spread(attempts, 99)] == ["1", "4", "5", "3", "2"]
    assert spread([], 3) == []
