"""Experience: shares by hand, a policy that uses its block and one that does not."""

from dataclasses import replace

import pytest

from factories import PROBLEM, evidence, rollout
from rewardscope import Experience
from rewardscope.policy import Policy
from rewardscope.types import Rollout

PROBLEMS = [replace(PROBLEM, id=f"{number:016x}") for number in range(16)]


def draws(right: int, of: int = 4) -> tuple[Rollout, ...]:
    return tuple(
        rollout([place < right for place in range(of)], problem=problem) for problem in PROBLEMS
    )


def values(
    policy: Policy, whole: tuple[Rollout, ...], **blocks: tuple[Rollout, ...]
) -> dict[str, float | None]:
    rows = Experience().measure(evidence(policy, whole, counterfactual=blocks))
    return {row.metric: row.value for row in rows if "problem" not in row.labels}


def test_by_hand(planted: Policy) -> None:
    assert values(planted, draws(3), without=draws(1), swapped=draws(2)) == {
        "experience/with_block": 0.75,
        "experience/without_block": 0.25,
        "experience/swapped_block": 0.5,
        "experience/lost_without": 0.5,
        "experience/lost_swapped": 0.25,
    }


def test_a_policy_that_does_not_read_its_block_loses_nothing(planted: Policy) -> None:
    found = values(planted, draws(2), without=draws(2), swapped=draws(2))
    assert found["experience/lost_without"] == found["experience/lost_swapped"] == 0.0


def test_differences_are_paired_by_problem(planted: Policy) -> None:
    """Problems differ much and lose about the same: unpaired, the interval would hold 0."""
    whole = tuple(
        rollout([n < 2 + place % 7 for n in range(8)], problem=problem)
        for place, problem in enumerate(PROBLEMS)
    )
    less = tuple(
        rollout([n < place % 7 + place % 2 for n in range(8)], problem=problem)
        for place, problem in enumerate(PROBLEMS)
    )
    rows = Experience().measure(
        evidence(planted, whole, counterfactual={"without": less, "swapped": less})
    )
    (row,) = (row for row in rows if row.metric == "experience/lost_without")
    assert row.value == pytest.approx(0.1875)
    # paired; the lower limit keeps the doubt that 16 problems leave about kinds never met
    assert row.upper is not None and row.upper < 0.4
    assert row.lower is not None and row.lower > -0.1


def test_ungraded_draws_are_left_out_and_a_problem_without_any_is_counted(planted: Policy) -> None:
    mixed = (
        rollout([True, None], problem=PROBLEMS[0]),
        rollout([None, None], problem=PROBLEMS[1]),
        rollout([False, True], problem=PROBLEMS[2]),
    )
    rows = Experience().measure(
        evidence(planted, mixed, counterfactual={"without": mixed, "swapped": mixed})
    )
    (row,) = (r for r in rows if r.metric == "experience/with_block" and "problem" not in r.labels)
    assert (row.value, row.n, row.dropped) == (0.75, 2, 1)


def test_a_policy_without_a_bank_has_no_numbers(planted: Policy) -> None:
    rows = Experience().measure(evidence(planted, draws(2)))
    assert {(row.value, row.n) for row in rows} == {(None, 0)}
