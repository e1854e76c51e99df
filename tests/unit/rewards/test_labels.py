"""Schemes that bend the label: by vote, by noise, by form, by length, by working, by confidence.
Hand-worked numbers.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from factories import completion, rollout
from rewardscope import (
    Calibrated,
    Constant,
    FormPlusTruth,
    FormTimesTruth,
    Majority,
    Noisy,
    Overlong,
    Process,
    Truth,
)
from rewardscope.errors import ComponentError
from rewardscope.rewards.calibrated import RULES
from rewardscope.types import Ending, Rollout


def answers(*found: str | None) -> Rollout:
    group = rollout([None] * len(found))
    return replace(
        group,
        grades=tuple(
            replace(g, answer=answer) for g, answer in zip(group.grades, found, strict=True)
        ),
    )


def test_a_constant_is_constant() -> None:
    assert Constant(0.25)(rollout([True, False, None]), ()).values == (0.25, 0.25, 0.25)


def test_the_majority_pays_the_commonest_answer_and_the_first_of_equals() -> None:
    assert Majority()(answers("5", "6", "6", None), ()).values == (0.0, 1.0, 1.0, 0.0)
    assert Majority()(answers("6", "5", "5", "6"), ()).values == (1.0, 0.0, 0.0, 1.0)


def test_without_any_answer_there_is_no_vote() -> None:
    assert Majority()(answers(None, None), ()).values == (None, None)


def test_noise_of_a_verifier_turns_each_verdict_on_its_own() -> None:
    told = np.array(
        [Noisy(0.3)(rollout([True, False] * 4), ("a", step)).values for step in range(2000)]
    )
    turned = abs(told - np.array([1.0, 0.0] * 4))
    assert abs(turned.mean() - 0.3) < 4 * (0.21 / 16_000) ** 0.5
    assert set(turned.sum(axis=1)) > {1, 2, 3}


def test_noise_of_a_key_turns_all_verdicts_of_a_group() -> None:
    group = rollout([True, False, None])
    problems = [replace(group, problem=replace(group.problem, id=f"{n:016x}")) for n in range(2000)]
    told = [Noisy(0.3, per="problem")(problem, ("a", 0)) for problem in problems]
    assert {rewards.values for rewards in told} == {(1.0, 0.0, None), (0.0, 1.0, None)}
    assert told == [
        Noisy(0.3, per="problem")(problem, ("b", step)) for step, problem in enumerate(problems)
    ], "a wrong key stays wrong"
    more = [Noisy(0.5, per="problem")(problem, ("a", 0)) for problem in problems]
    assert all(
        often.values[0] == 0.0
        for once, often in zip(told, more, strict=True)
        if once.values[0] == 0.0
    )
    assert (
        abs(np.mean([rewards.values[0] == 0.0 for rewards in told]) - 0.3)
        < 4 * (0.21 / 2000) ** 0.5
    )
    assert told[0].parts["truth"] == (1.0, 0.0, None)


def test_the_ends_of_the_noise_dial() -> None:
    assert Noisy(0.0)(rollout([True, False]), ()).values == (1.0, 0.0)
    assert Noisy(1.0)(rollout([True, False]), ()).values == (0.0, 1.0)


def test_form_gates_or_adds() -> None:
    group = rollout([True, False, True, None])
    group = replace(
        group, grades=tuple(replace(g, well_formed=i < 2) for i, g in enumerate(group.grades))
    )
    assert FormTimesTruth()(group, ()).values == (1.0, 0.0, 0.0, None)
    assert FormPlusTruth(0.25)(group, ()).values == (1.25, 0.25, 1.0, None)
    assert FormPlusTruth()(group, ()).parts == {
        "truth": (1.0, 0.0, 1.0, None),
        "form": (1.0, 1.0, 0.0, 0.0),
    }


def test_length_is_punished_linearly_over_the_buffer() -> None:
    group = rollout([True, True, False, True, True])
    lengths = (
        completion(num_tokens=6),
        completion(num_tokens=8),
        completion(num_tokens=9),
        completion(num_tokens=12),
    )
    group = replace(group, completions=(*lengths, completion(ending=Ending.LENGTH)))
    soft = Overlong(limit=10, buffer=4)(group, ())
    assert soft.values == (1.0, 0.5, -0.75, 0.0, 0.0)
    assert soft.parts["length"] == (0.0, -0.5, -0.75, -1.0, -1.0)
    assert Overlong(limit=10, buffer=4, drop=True)(group, ()).values == (1.0, 1.0, 0.0, 1.0, None)


def test_working_is_paid_by_the_share_of_right_steps() -> None:
    group = rollout([True, False, True])
    steps = ((True, True), (True, False, False, False), None)
    group = replace(
        group,
        grades=tuple(replace(g, steps=found) for g, found in zip(group.grades, steps, strict=True)),
    )
    assert Process()(group, ()).values == (1.0, 0.25, None)
    assert Process(answer_weight=0.5)(group, ()).values == (1.5, 0.25, None)


def stated(correct: bool | None, confidence: float | None) -> Rollout:
    return rollout([correct], confidence=confidence)


@pytest.mark.parametrize(
    ("rule", "confidence", "right", "wrong"),
    [
        ("brier", 0.8, 1 - 0.04, -0.64),
        ("brier", 1.0, 1.0, -1.0),
        ("spherical", 0.6, 1 - (1 - 0.6 / math.sqrt(0.52)), -(1 - 0.4 / math.sqrt(0.52))),
    ],
)
def test_calibrated_by_hand(rule: str, confidence: float, right: float, wrong: float) -> None:
    reward = Calibrated(rule)  # type: ignore[arg-type]
    assert reward(stated(True, confidence), ()).values == (pytest.approx(right),)
    assert reward(stated(False, confidence), ()).values == (pytest.approx(wrong),)
    assert reward(stated(None, confidence), ()).values == (None,)


@pytest.mark.parametrize("confidence", [None, float("nan"), float("inf")])
@pytest.mark.parametrize("correct", [True, False])
def test_a_completion_without_a_confidence_is_paid_as_confidently_wrong(
    confidence: float | None, correct: bool
) -> None:
    assert Calibrated()(stated(correct, confidence), ()).values == (-1.0,)


@pytest.mark.parametrize(
    "reward",
    [
        Calibrated(),
        Calibrated("spherical"),
        Calibrated("logarithmic", correctness_weight=5.0, clip=0.01),
    ],
    ids=str,
)
def test_inside_the_theorem_honesty_pays_best_and_more_for_a_likelier_answer(
    reward: Calibrated,
) -> None:
    """Expected reward of report q at probability p, over a grid: highest at q = p, and its height
    grows with p.
    """
    grid = np.linspace(0.02, 0.98, 49)

    def expected(p: float, q: float) -> float:
        right, wrong = (reward(stated(correct, q), ()).values[0] for correct in (True, False))
        assert right is not None and wrong is not None
        return p * right + (1 - p) * wrong

    heights = []
    for p in grid[::6]:
        rewards = [expected(p, q) for q in grid]
        assert grid[int(np.argmax(rewards))] == pytest.approx(p)
        heights.append(max(rewards))
    assert (np.diff(heights) > 0).all()


def test_outside_the_theorem_being_wrong_on_purpose_pays() -> None:
    """At lambda = 0.5 an honest answer with p = 0.3 earns 0.15 - 0.21, a surely wrong one with
    confidence 0 earns 0.
    """
    reward = Calibrated(correctness_weight=0.5, outside_theorem=True)
    right, wrong = (reward(stated(correct, 0.3), ()).values[0] for correct in (True, False))
    assert 0.3 * (right or 0) + 0.7 * (wrong or 0) == pytest.approx(-0.06)
    assert reward(stated(False, 0.0), ()).values == (0.0,)


def test_the_bound_of_the_theorem_is_the_largest_gap_of_the_score() -> None:
    grid = np.linspace(0.01, 0.99, 99)
    for rule, clip in (("brier", 0.01), ("spherical", 0.01), ("logarithmic", 0.01)):
        gaps = [RULES[rule](q, True) - RULES[rule](q, False) for q in grid]
        reward = Calibrated(rule, correctness_weight=9.0, clip=clip)  # type: ignore[arg-type]
        assert reward.least_weight == pytest.approx(max(gaps))
    assert Calibrated().least_weight == 1.0
    assert Calibrated("logarithmic", 9.0, 0.01).least_weight == pytest.approx(math.log(99))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Calibrated(correctness_weight=0.9), "outside the theorem"),
        (lambda: Calibrated("logarithmic"), "infinite at confidences of 0 and 1"),
        (lambda: Calibrated("logarithmic", 1.0, 0.01), r"correctness_weight >= 4\.595"),
        (lambda: Calibrated("linear"), "rule one of brier, logarithmic, spherical"),  # type: ignore[arg-type]
        (lambda: Calibrated(clip=0.5), "clip < 0.5"),
        (lambda: Noisy(1.5), "flip"),
        (lambda: Noisy(0.1, per="token"), "per one of completion, problem"),  # type: ignore[arg-type]
        (lambda: Overlong(limit=4, buffer=5), "buffer within its limit"),
        (lambda: FormPlusTruth(-1.0), "0 or more"),
        (lambda: Process(-1.0), "0 or more"),
    ],
)
def test_settings_without_sense_are_refused(make: object, message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        make()  # type: ignore[operator]


def test_the_truth_itself_is_untouched_by_any_of_this() -> None:
    assert Truth()(rollout([True, False, None]), ()).values == (1.0, 0.0, None)
