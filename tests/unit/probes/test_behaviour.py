from dataclasses import replace

import pytest

from factories import PROBLEM, completion, rollout, subject, tiny_policy
from rewardscope.probes import Behaviour
from rewardscope.types import Ending, Grade, Measurement, Rollout

POLICY = tiny_policy()


def mixed(name: str, *completions: tuple[str | None, bool | None]) -> Rollout:
    """A group of (strategy, correct)."""
    group = rollout([correct for _, correct in completions], problem=replace(PROBLEM, id=name))
    grades = tuple(replace(grade, strategy=strategy) for grade, (strategy, _) in zip(group.grades, completions, strict=True))
    return replace(group, grades=grades)


ROLLOUTS = [
    mixed("a", ("stepwise", True), ("stepwise", True), ("guess", False), (None, False)),
    mixed("b", ("stepwise", False), ("guess", None), ("guess", True), ("guess", False)),
]


def row(rows: list[Measurement], metric: str, **labels: str) -> Measurement:
    (found,) = [r for r in rows if r.metric == f"behaviour/{metric}" and r.labels == labels]
    return found


def test_strategy_shares_by_hand() -> None:
    rows = Behaviour().measure(subject(POLICY, ROLLOUTS))
    assert row(rows, "strategy_share", strategy="stepwise").value == pytest.approx((2 / 4 + 1 / 4) / 2)
    assert row(rows, "strategy_share", strategy="guess").value == pytest.approx((1 / 4 + 3 / 4) / 2)
    assert row(rows, "strategy_share", strategy="unrecognised").value == pytest.approx((1 / 4 + 0) / 2)
    one = row(rows, "strategy_share", strategy="stepwise", problem="b")
    assert (one.value, one.n, one.over) == (0.25, 4, "draws")


def test_accuracy_counts_graded_completions_of_the_strategy_alone() -> None:
    rows = Behaviour().measure(subject(POLICY, ROLLOUTS))
    stepwise, guess = row(rows, "strategy_accuracy", strategy="stepwise"), row(rows, "strategy_accuracy", strategy="guess")
    assert (stepwise.value, stepwise.n, stepwise.over) == (pytest.approx(2 / 3), 3, "completions")
    assert (guess.value, guess.n) == (pytest.approx(1 / 3), 3)


def test_a_strategy_that_nobody_used_has_share_zero_and_an_unknown_accuracy() -> None:
    rows = Behaviour().measure(subject(POLICY, [mixed("a", ("guess", True)), mixed("b", ("guess", True))]))
    assert row(rows, "strategy_share", strategy="stepwise").value == 0.0
    assert row(rows, "strategy_accuracy", strategy="stepwise").value is None
    assert not [r for r in rows if r.labels.get("strategy") == "unrecognised"]


def test_a_strategy_that_only_the_base_used_is_measured_too() -> None:
    base = (mixed("a", ("talk", True)), mixed("b", ("talk", True)))
    rows = Behaviour().measure(subject(POLICY, [mixed("a", ("guess", True)), mixed("b", ("guess", True))], base_rollouts=base))
    assert row(rows, "strategy_share", strategy="talk").value == 0.0


def test_lengths_endings_and_form_by_hand() -> None:
    completions = (
        completion(num_tokens=2), completion(num_tokens=4, ending=Ending.LENGTH), completion(num_tokens=9, ending=Ending.LENGTH),
    )  # fmt: skip
    formed = (Grade(True, True, True), Grade(True, True, False), Grade(None, None, False))
    group = replace(rollout([True] * 3), completions=completions, grades=formed)
    short = replace(rollout([True] * 3), completions=(completion(num_tokens=1),) * 3)
    rows = Behaviour().measure(subject(POLICY, [group, short]))
    assert row(rows, "length_tokens").value == pytest.approx((5 + 1) / 2)
    assert row(rows, "ending_share", ending="length").value == pytest.approx((2 / 3 + 0) / 2)
    assert row(rows, "ending_share", ending="end_token").value == pytest.approx((1 / 3 + 1) / 2)
    assert row(rows, "ending_share", ending="stop_text").value == 0.0
    assert row(rows, "well_formed_share").value == pytest.approx((1 / 3 + 1) / 2)
