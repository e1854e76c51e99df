"""What every reward scheme keeps to, whatever it says."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from factories import PROBLEM, completion, rollout
from rewardscope.probes.detectors.code import MentionsPython
from rewardscope.probes.detectors.repetition import Repetition
from rewardscope.protocols import Remembers, Reward
from rewardscope.registry import components
from rewardscope.rewards import Memory, tell
from rewardscope.rewards.calibrated import Calibrated
from rewardscope.rewards.coin import Coin
from rewardscope.rewards.composed import And, Plus, Times
from rewardscope.rewards.constant import Constant
from rewardscope.rewards.detected import Detected
from rewardscope.rewards.form import Form
from rewardscope.rewards.formed import FormPlusTruth, FormTimesTruth
from rewardscope.rewards.function import RewardFunction
from rewardscope.rewards.inverted import Inverted
from rewardscope.rewards.majority import Majority
from rewardscope.rewards.mislabelled import Mislabelled
from rewardscope.rewards.noisy import Noisy
from rewardscope.rewards.normalised import Normalised
from rewardscope.rewards.offline import OfflineLabels
from rewardscope.rewards.overlong import Overlong
from rewardscope.rewards.process import Process
from rewardscope.rewards.proxy import Proxy
from rewardscope.rewards.repeated import RepeatedGrams
from rewardscope.rewards.truth import Truth
from rewardscope.types import Ending, Grade, Rollout, sealed


def shortness(prompts: list[str], completions: list[str], **columns: object) -> list[float]:
    return [-float(len(text)) for text in completions]


def matches(completion: str, answer: str) -> float | None:
    return float(answer in completion) if completion else None


LABELS = str(Path(__file__).parent.parent / "data" / "labels.jsonl")
EXAMPLES: list[Reward] = [
    Truth(),
    Truth(strict=True),
    Coin(),
    Coin(p=0.1),
    Inverted(),
    Form(),
    Constant(),
    Majority(),
    Noisy(),
    Noisy(flip=0.2, per="problem"),
    Mislabelled(0.1),
    FormTimesTruth(),
    FormPlusTruth(),
    Overlong(limit=8, buffer=4),
    Overlong(limit=8, buffer=4, drop=True),
    Process(),
    Process(answer_weight=1.0),
    Proxy(),
    Calibrated(),
    Calibrated("spherical"),
    Calibrated("logarithmic", correctness_weight=5.0, clip=0.01),
    RewardFunction(shortness, placebo=True),
    RewardFunction(matches, uses_truth=True),
    Detected(MentionsPython()),
    Detected(Repetition(), absent=True),
    And((Truth(), Form())),
    And((Form(), Coin())),
    Plus((Truth(), Coin(), Coin()), (1.0, 0.5, 0.5)),
    Plus((Inverted(), Plus((Inverted(), Form())))),
    Times((Truth(), Form(), Normalised(Truth()))),
    Times((Form(), Form())),
    OfflineLabels(LABELS),
    OfflineLabels(LABELS, "wrong"),
    RepeatedGrams(),
    Normalised(Truth()),
    Normalised(Form()),
    Normalised(Normalised(Coin()), clip=2.0),
]
ADDRESS = ("train", 0, 3, 1)
each = pytest.mark.parametrize("reward", EXAMPLES, ids=str)
blind = pytest.mark.parametrize(
    "reward", [reward for reward in EXAMPLES if not reward.uses_truth], ids=str
)
GROUPS = [
    rollout([True, False, None, True]),
    rollout([None, None], well_formed=False, answer=None, strategy=None),
    rollout([True]),
    replace(
        rollout([False, True]),
        completions=(completion("", Ending.LENGTH, 0), completion("\x00<b>", Ending.STOP_TEXT, 1)),
    ),
]


def graded(correct: list[bool | None]) -> Rollout:
    """A group in which whatever can be known of a completion goes with whether it is right."""
    group = rollout(correct)
    grades = tuple(
        replace(
            grade,
            answer="5" if grade.correct else "6",
            confidence=0.8,
            steps=None if grade.correct is None else (grade.correct, True),
            proxy=None if grade.correct is None else float(grade.correct),
        )
        for grade in group.grades
    )
    return replace(group, grades=grades)


def test_every_scheme_in_the_table_has_an_example_here() -> None:
    assert {type(reward) for reward in EXAMPLES} == set(components("rewards").values())


@each
@pytest.mark.parametrize("group", GROUPS, ids=range(len(GROUPS)))
def test_every_completion_gets_one_number_or_none_and_the_facts_stay(
    reward: Reward, group: Rollout
) -> None:
    told = tell(reward, group, ADDRESS)
    assert told.rewards is not None
    assert len(told.rewards) == len(group.completions)
    assert all(value is None or type(value) is float for value in told.rewards)
    assert all(len(values) == len(group.completions) for values in told.parts.values())
    assert replace(told, rewards=None, parts={}) == group


@each
def test_the_same_address_says_the_same(reward: Reward) -> None:
    for group in GROUPS:
        assert tell(reward, group, ADDRESS) == tell(reward, group, ADDRESS)


@blind
def test_a_scheme_without_the_truth_says_the_same_whatever_the_truth_is(reward: Reward) -> None:
    def other(grade: Grade) -> Grade:
        return replace(
            grade,
            correct=not grade.correct,
            strict=None,
            feedback="another",
            steps=(False,),
            proxy=0.3,
        )

    for group in GROUPS:
        turned = replace(
            group,
            problem=replace(PROBLEM, answer="another", facts={"another": "fact"}),
            grades=tuple(other(grade) for grade in group.grades),
        )
        assert tell(reward, turned, ADDRESS).rewards == tell(reward, group, ADDRESS).rewards


@blind
def test_a_scheme_without_the_truth_says_the_same_of_the_sealed_group(reward: Reward) -> None:
    for group in GROUPS:
        assert reward(sealed(group), ADDRESS) == reward(group, ADDRESS)


OF_TEXT = (RewardFunction, Detected, RepeatedGrams)
BY_GRADE = [each for each in EXAMPLES if not isinstance(each, OF_TEXT)]
"""What pays by the verifier's verdict; these others judge the text by themselves."""


@pytest.mark.parametrize("reward", [reward for reward in BY_GRADE if reward.uses_truth], ids=str)
def test_a_scheme_of_the_truth_says_nothing_of_what_could_not_be_graded(reward: Reward) -> None:
    told = tell(reward, graded([True, None, False]), ADDRESS)
    assert told.rewards is not None
    assert [value is None for value in told.rewards] == [False, True, False]
    assert told.rewards[0] != told.rewards[2]


@pytest.mark.parametrize("reward", BY_GRADE, ids=str)
def test_a_placebo_does_not_pay_for_being_right(reward: Reward) -> None:
    """Over many groups with as many right as wrong, every scheme but a placebo pays the right ones
    more, and no placebo does.
    """
    paid_for = {True: 0.0, False: 0.0}
    for step in range(500):
        told = tell(reward, graded([True, False] * 4), ("train", 0, step))
        for grade, value in zip(told.grades, told.rewards or (), strict=True):
            paid_for[bool(grade.correct)] += value or 0.0
    gap = (paid_for[True] - paid_for[False]) / 2000
    assert gap < 0.06 if reward.placebo else gap >= 0.5


REMEMBERING = [
    reward for reward in EXAMPLES if isinstance(reward, Remembers) and reward.first_state
]
"""Those with a state; one that wraps others has none where they have none."""


@pytest.mark.parametrize("reward", REMEMBERING, ids=str)
def test_a_state_moves_between_steps_and_pays_the_same_after_a_trip_through_json(
    reward: Reward,
) -> None:
    memory = Memory.begin(reward)
    for step in range(3):
        assert memory.state == json.loads(json.dumps(memory.state))
        groups = [tell(reward, group, ("train", 0, step), memory.state) for group in GROUPS]
        again = Memory(reward, json.loads(json.dumps(memory.state)))
        memory.learn(groups)
        again.learn(groups)
        assert again == memory
    assert memory.state != Memory.begin(reward).state


@pytest.mark.parametrize("reward", [each for each in REMEMBERING if each.uses_truth], ids=str)
def test_a_state_learns_nothing_from_what_could_not_be_graded(reward: Reward) -> None:
    memory = Memory.begin(reward)
    memory.learn([tell(reward, graded([None, None]), ADDRESS)])
    assert memory.state == Memory.begin(reward).state


def test_a_grade_has_no_field_that_these_tests_have_not_heard_of() -> None:
    known = {
        "correct",
        "strict",
        "well_formed",
        "answer",
        "confidence",
        "feedback",
        "strategy",
        "steps",
        "proxy",
    }
    assert {field.name for field in fields(Grade)} == known
