from dataclasses import replace

import pytest

from factories import PROBLEM, rollout, subject, tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.probes import Boundary
from rewardscope.types import Measurement, Problem

POLICY = tiny_policy()


def named(name: str) -> Problem:
    return replace(PROBLEM, id=name)


def row(rows: list[Measurement], metric: str, **labels: str) -> Measurement:
    (found,) = [r for r in rows if r.metric == f"boundary/{metric}" and r.labels == labels]
    return found


def test_pass_at_k_by_hand() -> None:
    rollouts = [rollout([True, False, False, False], problem=named("a")), rollout([True, True, False, False], problem=named("b"))]
    rows = Boundary(max_k=4).measure(subject(POLICY, rollouts))
    assert row(rows, "pass_at_k", k="1").value == pytest.approx((1 / 4 + 2 / 4) / 2)
    assert row(rows, "pass_at_k", k="2").value == pytest.approx((1 / 2 + 5 / 6) / 2)
    assert row(rows, "pass_at_k", k="4").value == 1.0
    one = row(rows, "pass_at_k", k="2", problem="b")
    assert (one.value, one.n, one.over, one.unit, one.lower) == (pytest.approx(5 / 6), 4, "draws", "share", None)
    assert {r.labels["k"] for r in rows} == {"1", "2", "4"}


def test_the_aggregate_has_an_interval_over_problems() -> None:
    rollouts = [rollout([p % 2 == 0] * 2, problem=named(str(p))) for p in range(10)]
    found = row(Boundary(max_k=1).measure(subject(POLICY, rollouts)), "pass_at_k", k="1")
    assert found.lower is not None and found.upper is not None
    assert 0.1 <= found.lower < 0.5 < found.upper <= 0.9
    assert (found.n, found.over, found.interval) == (10, "problems", "bootstrap over 10 problems")


def test_an_ungraded_draw_is_in_neither_count() -> None:
    found = row(Boundary(max_k=1).measure(subject(POLICY, [rollout([True, None, False, None])])), "pass_at_k", k="1", problem=PROBLEM.id)
    assert (found.value, found.n) == (0.5, 2)


def test_a_problem_with_fewer_graded_draws_than_k_is_dropped_and_counted() -> None:
    rollouts = [rollout([True, False], problem=named("a")), rollout([True, None], problem=named("b"))]
    found = row(Boundary(max_k=4).measure(subject(POLICY, rollouts)), "pass_at_k", k="2")
    assert (found.value, found.n, found.dropped) == (1.0, 1, 1)
    none = row(Boundary(max_k=4).measure(subject(POLICY, rollouts)), "pass_at_k", k="4")
    assert (none.value, none.n, none.dropped) == (None, 0, 2)


def test_strict_and_tolerant_are_two_metrics() -> None:
    rows = Boundary(max_k=1).measure(subject(POLICY, [rollout([True, True], strict=False)]))
    assert (row(rows, "pass_at_k", k="1").value, row(rows, "pass_at_k_strict", k="1").value) == (1.0, 0.0)


def test_problems_are_won_lost_kept_or_out_of_reach() -> None:
    base = {"kept": [True, False], "lost": [False, True], "won": [False, False], "won too": [None, False], "never": [False, False]}
    trained = {"kept": [False, True], "lost": [False, None], "won": [True, False], "won too": [True, True], "never": [None, None]}
    rollouts = [rollout(draws, problem=named(name)) for name, draws in trained.items()]
    base_rollouts = tuple(rollout(draws, problem=named(name)) for name, draws in base.items())
    rows = Boundary(max_k=2).measure(subject(POLICY, rollouts, base_rollouts=base_rollouts, base_policy=POLICY))
    classes = {r.labels["class"]: (r.value, r.n, r.labels["k"]) for r in rows if r.metric == "boundary/problems"}
    assert classes == {"preserved": (1.0, 5, "2"), "shrunk": (1.0, 5, "2"), "expanded": (2.0, 5, "2"), "out_of_reach": (1.0, 5, "2")}


def test_the_base_itself_has_no_classes() -> None:
    assert not [r for r in Boundary(max_k=1).measure(subject(POLICY, [rollout([True])])) if r.metric == "boundary/problems"]


@pytest.mark.parametrize("max_k", [0, -1, 3, 12])
def test_a_max_k_that_is_no_power_of_two_is_refused(max_k: int) -> None:
    with pytest.raises(ComponentError, match="power of two"):
        Boundary(max_k)
