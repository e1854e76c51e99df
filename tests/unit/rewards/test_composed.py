"""Rewards made of rewards, and rewards for what a text shows."""

import json
from dataclasses import replace

import pytest

from factories import SMALL_ARM, completion, rollout
from rewardscope import (
    And,
    Boxed,
    Coin,
    Constant,
    Detected,
    Form,
    Inverted,
    MentionsPython,
    Normalised,
    Overlong,
    Plus,
    RepeatedGrams,
    Repetition,
    RewardFunction,
    Times,
    Truth,
)
from rewardscope.codec import decode, encode, signature
from rewardscope.errors import ComponentError
from rewardscope.identity import guests_of
from rewardscope.protocols import Reward
from rewardscope.rewards import Memory, tell
from rewardscope.study.edits import setting_changes
from rewardscope.types import Rollout

ADDRESS = ("train", 0, 1, 2)


def long(completion: str) -> float:
    return float(len(completion) > 5)


def group() -> Rollout:
    """Right and well-formed, right and not, wrong and well-formed, not gradable."""
    told = rollout([True, True, False, None])
    formed = (True, False, True, True)
    grades = tuple(
        replace(grade, well_formed=form) for grade, form in zip(told.grades, formed, strict=True)
    )
    return replace(told, grades=grades)


@pytest.mark.parametrize(
    ("reward", "expected"),
    [
        (And((Truth(), Form())), (1.0, 0.0, 0.0, None)),
        (Times((Truth(), Form(), Constant(3.0))), (3.0, 0.0, 0.0, None)),
        (Plus((Truth(), Form())), (2.0, 1.0, 1.0, None)),
        (Plus((Truth(), Form()), (1.0, -0.25)), (0.75, 1.0, -0.25, None)),
        (Plus((Form(), Plus((Truth(), Form()), (2.0, 1.0)))), (4.0, 2.0, 2.0, None)),
    ],
    ids=["and", "times", "plus", "weighted", "nested"],
)
def test_by_hand_and_unknown_is_not_zero(
    reward: Reward, expected: tuple[float | None, ...]
) -> None:
    assert tell(reward, group(), ADDRESS).rewards == expected


def test_what_each_part_gave_is_a_term_of_its_own() -> None:
    told = tell(Plus((Truth(), Plus((Form(), Form())))), group(), ADDRESS)
    assert told.parts == {
        "truth": (1.0, 1.0, 0.0, None),
        "plus": (2.0, 0.0, 2.0, 2.0),
        "plus/form": (1.0, 0.0, 1.0, 1.0),
        "plus/form 2": (1.0, 0.0, 1.0, 1.0),
    }


def test_coins_beside_each_other_fall_apart() -> None:
    both = Plus((Coin(), Coin(), Plus((Coin(),))))
    told = tell(both, rollout([True] * 64), ADDRESS)
    terms = [told.parts[name] for name in ("coin", "coin 2", "plus/coin")]
    assert len(set(terms)) == 3


def test_a_blind_part_stays_sealed_beside_one_that_reads_the_key() -> None:
    peeks = RewardFunction(long)
    assert Plus((Truth(), peeks)).uses_truth and not peeks.uses_truth
    seen: list[type] = []

    class Watching(Form):
        def __call__(self, view, address):  # type: ignore[no-untyped-def]
            seen.append(type(view))
            return super().__call__(view, address)

    tell(Plus((Truth(), Times((Truth(), Watching())))), group(), ADDRESS)
    assert [each.__name__ for each in seen] == ["SealedRollout"]


@pytest.mark.parametrize(
    ("reward", "uses_truth", "placebo"),
    [
        (And((Coin(), Coin(0.1))), False, True),
        (And((Coin(), Detected(Boxed()))), False, False),
        (And((Coin(), Truth())), True, False),
        (Times((Inverted(), Inverted())), True, False),
        (Plus((Inverted(), Coin())), True, True),
        (Plus((Inverted(), Coin()), (-1.0, 1.0)), True, False),
        (Plus((Coin(), Constant()), (-1.0, 1.0)), False, True),
    ],
    ids=str,
)
def test_what_a_composed_reward_declares(reward: Reward, uses_truth: bool, placebo: bool) -> None:
    assert (reward.uses_truth, reward.placebo) == (uses_truth, placebo)


def test_states_of_parts_move_on_under_their_names() -> None:
    reward = Plus((Form(), Normalised(Truth()), Normalised(Normalised(Coin()))))
    memory = Memory.begin(reward)
    assert set(memory.state) == {"normalised", "normalised 2"}
    alone = Memory.begin(Normalised(Truth()))
    for step in range(3):
        told = tell(reward, group(), ("train", 0, step), memory.state)
        memory.learn([told])
        alone.learn([tell(alone.reward, group(), ("train", 0, step), alone.state)])
    assert memory.state["normalised"] == alone.state
    assert memory.state["normalised 2"]["count"] == 12
    assert told.parts["normalised"] == tell(alone.reward, group(), (), alone.state).rewards


def test_stateless_parts_have_no_state() -> None:
    memory = Memory.begin(Plus((Truth(), And((Coin(), Form())))))
    memory.learn([tell(memory.reward, group(), ADDRESS, memory.state)])
    assert memory.state == {}


NESTED = And((Form(), Plus((Truth(), Overlong(8, 4), RewardFunction(long)), (1.0, 1.0, 2.0))))


def test_a_nested_reward_survives_study_json_and_names_guests_inside() -> None:
    again = decode(json.loads(json.dumps(encode(NESTED))))
    assert again == NESTED and hash(again) == hash(NESTED)
    assert signature(again) == signature(NESTED)
    assert long in guests_of(NESTED)
    other = replace(NESTED, parts=(Form(), Plus((Truth(), Overlong(8, 3), Form()))))
    assert signature(other) != signature(NESTED)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: And(()), r"And needs a tuple of rewards.*Write And\(\(Truth\(\), Form\(\)\)\)"),
        (lambda: Times([Truth()]), "Times needs a tuple"),  # type: ignore[arg-type]
        (lambda: Plus((Truth(), Form()), (1.0,)), "one weight per reward"),
        (lambda: Plus((Truth(),), (0.0,)), "other than 0"),
        (lambda: Plus((Truth(),), (float("nan"),)), "one weight per reward"),
        (lambda: replace(SMALL_ARM, reward=And((Truth(), long))), "a plain function"),  # type: ignore[arg-type]
        (lambda: replace(SMALL_ARM, reward=And((Truth(), Form))), "each an instance"),  # type: ignore[arg-type]
        (lambda: Detected(Boxed), "needs a detector"),  # type: ignore[arg-type]
    ],
    ids=["empty", "a list", "too few", "zero", "nan", "a function", "a class", "a detector"],
)
def test_a_mistake_in_a_composed_reward_is_refused(make, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ComponentError, match=said):
        make()


def texts(*said: str) -> Rollout:
    return replace(rollout([None] * len(said)), completions=tuple(map(completion, said)))


def test_the_arms_of_spurious_rewards_by_what_a_text_shows() -> None:
    loop = "So it is 7. " * 10
    said = texts("Let me use Python.", r"\boxed{7}", loop, r"python: \boxed{7}", r"\boxed{}")
    python, boxed = Detected(MentionsPython()), Detected(Boxed())
    assert tell(python, said, ADDRESS).rewards == (1.0, 0.0, 0.0, 1.0, 0.0)
    assert tell(boxed, said, ADDRESS).rewards == (0.0, 1.0, 0.0, 1.0, 0.0)
    assert tell(Detected(Repetition(), absent=True), said, ADDRESS).rewards == (
        *(1.0, 1.0, 0.0, 1.0),
        1.0,
    )
    format_and_not_python = And((boxed, Detected(MentionsPython(), absent=True)))
    assert tell(format_and_not_python, said, ADDRESS).rewards == (0.0, 1.0, 0.0, 0.0, 0.0)


def test_repeated_grams_by_hand() -> None:
    said = texts("a b c d", "a b A B a b", "one two", "", "x x x x x")
    told = tell(RepeatedGrams(), said, ADDRESS).rewards
    # no gram twice; aba bab aba bab: 2 of 4; too short, twice; xxx three times: 1 of 3
    assert told == pytest.approx((0.0, -0.5, 0.0, 0.0, -2 / 3))
    assert tell(RepeatedGrams(1), said, ADDRESS).rewards == pytest.approx(
        (0.0, -2 / 3, 0.0, 0.0, -0.8)
    )
    with pytest.raises(ComponentError, match="one word or more"):
        RepeatedGrams(0)


def test_an_edit_inside_a_composed_reward_is_named() -> None:
    before = replace(NESTED, parts=(Form(), Plus((Truth(), Overlong(8, 4)), (1.0, 0.5))))
    other = replace(NESTED, parts=(Form(), Plus((Truth(), Overlong(8, 3)), (1.0, 0.5))))
    fewer = replace(NESTED, parts=(Form(), Plus((Truth(),), (0.5,))))

    def named(after: And) -> list[str]:
        return list(setting_changes("arm.reward", encode(before), encode(after)))

    assert named(other) == ["arm.reward.parts[1].parts[1].buffer went from 4 to 3"]
    assert named(fewer) == [
        "arm.reward.parts[1].parts went from Truth, Overlong to Truth",
        "arm.reward.parts[1].weights went from [1.0, 0.5] to [0.5]",
    ]
