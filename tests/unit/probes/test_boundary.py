import itertools
from dataclasses import replace

import numpy as np
import pytest

from factories import PROBLEM, completion, evidence, rollout, tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.probes.boundary import Boundary, vote_at_ks
from rewardscope.stats import unseen_share
from rewardscope.types import Grade, Measurement, Problem, Rollout

POLICY = tiny_policy()


def named(name: str) -> Problem:
    return replace(PROBLEM, id=name)


def row(rows: list[Measurement], metric: str, **labels: str) -> Measurement:
    """The row with these labels; epsilon follows from k and need not be named."""
    (found,) = [
        r
        for r in rows
        if r.metric == f"boundary/{metric}"
        and {n: v for n, v in r.labels.items() if n != "epsilon"} == labels
    ]
    return found


def test_pass_at_k_by_hand() -> None:
    rollouts = [
        rollout([True, False, False, False], problem=named("a")),
        rollout([True, True, False, False], problem=named("b")),
    ]
    rows = Boundary(max_k=4).measure(evidence(POLICY, rollouts))
    assert row(rows, "pass_at_k", k="1").value == pytest.approx((1 / 4 + 2 / 4) / 2)
    assert row(rows, "pass_at_k", k="2").value == pytest.approx((1 / 2 + 5 / 6) / 2)
    assert row(rows, "pass_at_k", k="4").value == 1.0
    one = row(rows, "pass_at_k", k="2", problem="b")
    assert (one.value, one.n, one.over, one.unit, one.lower) == (
        pytest.approx(5 / 6),
        4,
        "draws",
        "share",
        None,
    )
    assert {r.labels["k"] for r in rows} == {"1", "2", "4"}


def test_the_aggregate_has_an_interval_over_problems() -> None:
    rollouts = [rollout([p % 2 == 0] * 2, problem=named(str(p))) for p in range(10)]
    found = row(Boundary(max_k=1).measure(evidence(POLICY, rollouts)), "pass_at_k", k="1")
    assert found.lower is not None and found.upper is not None
    assert 0.1 <= found.lower < 0.5 < found.upper <= 0.9
    assert (found.n, found.over, found.interval) == (10, "problems", "bootstrap over 10 problems")


def test_an_ungraded_draw_is_in_neither_count() -> None:
    found = row(
        Boundary(max_k=1).measure(evidence(POLICY, [rollout([True, None, False, None])])),
        "pass_at_k",
        k="1",
        problem=PROBLEM.id,
    )
    assert (found.value, found.n) == (0.5, 2)


def test_a_problem_with_fewer_graded_draws_than_k_is_dropped_and_counted() -> None:
    rollouts = [
        rollout([True, False], problem=named("a")),
        rollout([True, None], problem=named("b")),
    ]
    found = row(Boundary(max_k=4).measure(evidence(POLICY, rollouts)), "pass_at_k", k="2")
    assert (found.value, found.n, found.dropped) == (1.0, 1, 1)
    assert (found.lower, found.interval) == (None, "none: 1 of 2 problems could not be used"), (
        "who is left is no sample of all"
    )
    none = row(
        Boundary(max_k=4).measure(evidence(POLICY, [rollout([True, None], problem=named("b"))])),
        "pass_at_k",
        k="2",
    )
    assert (none.value, none.n, none.dropped) == (None, 0, 1)


def test_the_curve_goes_as_far_as_the_draws_allow() -> None:
    rollouts = [rollout([p == n for n in range(1024)], problem=named(str(p))) for p in range(3)]
    rows = Boundary().measure(evidence(POLICY, rollouts))
    assert {int(r.labels["k"]) for r in rows} == {1 << power for power in range(11)}
    assert (
        row(rows, "pass_at_k", k="512").value == pytest.approx(0.5)
        and row(rows, "pass_at_k", k="1024").value == 1.0
    )
    few = [replace(r, completions=r.completions[:20], grades=r.grades[:20]) for r in rollouts]
    assert {int(r.labels["k"]) for r in Boundary().measure(evidence(POLICY, few))} == {
        1,
        2,
        4,
        8,
        16,
    }


def test_pass_at_k_equals_enumeration_over_all_subsets() -> None:
    draws = [True, False, False, True, False, False, False]
    rows = Boundary().measure(
        evidence(
            POLICY, [rollout(draws, problem=named("a")), rollout(draws[2:], problem=named("b"))]
        )
    )
    for k in (1, 2, 4):
        every = [
            np.mean([any(chosen) for chosen in itertools.combinations(own, k)])
            for own in (draws, draws[2:])
        ]
        assert row(rows, "pass_at_k", k=str(k)).value == pytest.approx(np.mean(every), abs=1e-12)


def test_strict_and_tolerant_are_two_metrics() -> None:
    rows = Boundary(max_k=1).measure(evidence(POLICY, [rollout([True, True], strict=False)]))
    assert (row(rows, "pass_at_k", k="1").value, row(rows, "pass_at_k_strict", k="1").value) == (
        1.0,
        0.0,
    )


def against(
    base: dict[str, list[bool | None]], trained: dict[str, list[bool | None]], max_k: int = 2
) -> list[Measurement]:
    rollouts = [rollout(draws, problem=named(name)) for name, draws in trained.items()]
    base_rollouts = tuple(rollout(draws, problem=named(name)) for name, draws in base.items())
    return Boundary(max_k).measure(
        evidence(POLICY, rollouts, base_rollouts=base_rollouts, base_policy=POLICY)
    )


def test_problems_are_won_lost_kept_or_out_of_reach() -> None:
    base: dict[str, list[bool | None]] = {
        "kept": [True, False],
        "lost": [False, True],
        "won": [False, False],
        "never": [False, False],
    }
    trained: dict[str, list[bool | None]] = {
        "kept": [False, True],
        "lost": [False, False],
        "won": [True, False],
        "never": [False, False],
    }
    base |= {"won too": [False, None], "ungraded": [True, True]}
    trained |= {"won too": [True, True], "ungraded": [None, None]}
    rows = against(base, trained)
    classes = {
        r.labels["class"]: (r.value, r.n, r.labels["k"], r.dropped)
        for r in rows
        if r.metric == "boundary/problems"
    }
    assert classes == {
        "preserved": (1.0, 5, "2", 1),
        "shrunk": (1.0, 5, "2", 1),
        "expanded": (2.0, 5, "2", 1),
        "out_of_reach": (1.0, 5, "2", 1),
    }
    found = {
        name: row(rows, name, k="2")
        for name in ("support_retention", "discovery", "support_change")
    }
    assert {name: (r.value, r.n, r.dropped) for name, r in found.items()} == {
        "support_retention": (1 / 2, 2, 1),  # kept of kept and lost
        "discovery": (pytest.approx(2 / 3), 3, 1),  # won of kept and won
        "support_change": (pytest.approx((2 - 1) / 4), 4, 1),
    }


def test_counts_say_which_chances_their_k_can_see() -> None:
    rows = against({"a": [True] * 8, "b": [False] * 8}, {"a": [True] * 8, "b": [True] * 8}, max_k=8)
    found = [
        r
        for r in rows
        if r.metric in ("boundary/problems", "boundary/support_retention", "boundary/discovery")
    ]
    assert {(r.labels["k"], r.labels["epsilon"]) for r in found} == {("8", "0.375")} and len(
        found
    ) == 6


def test_problems_that_one_side_alone_was_given_are_dropped_and_counted() -> None:
    rows = against(
        {"a": [True, False], "b": [False, False], "c": [True, True]},
        {"b": [True, False], "a": [True, True], "d": [True, True]},
    )
    found = row(rows, "difference", k="1")
    assert (found.value, found.n, found.dropped, found.lower) == (0.5, 2, 2, None)
    assert [
        row(rows, "problems", k="2", **{"class": name}).value
        for name in ("preserved", "expanded", "shrunk")
    ] == [1.0, 1.0, 0.0]
    assert (
        row(rows, "support_change", k="2").lower is None
        and row(rows, "sampling_gap", k="2").dropped == 2
    )


def test_base_and_policy_without_a_common_problem_are_refused() -> None:
    with pytest.raises(
        ComponentError, match="1 of the base, 1 of the trained policy, none in common"
    ):
        against({"a": [True]}, {"b": [True]})


def test_unequal_numbers_of_draws_meet_at_the_fewest() -> None:
    rows = against(
        {"a": [True] * 8, "b": [False] * 4}, {"a": [False] * 8, "b": [True] * 8}, max_k=8
    )
    assert {r.labels["k"] for r in rows if r.metric == "boundary/difference"} == {"1", "2", "4"}
    assert {r.dropped for r in rows if r.metric == "boundary/difference"} == {0}
    assert row(rows, "problems", k="8", **{"class": "expanded"}).value == 1.0
    alone = row(rows, "pass_at_k", k="8")
    assert (alone.n, alone.dropped) == (2, 0)


def test_a_problem_graded_none_throughout_is_dropped_and_never_zero() -> None:
    rows = against(
        {"a": [True, False], "b": [True, False]}, {"a": [True, False], "b": [None, None]}
    )
    assert (row(rows, "pass_at_k", k="1").value, row(rows, "pass_at_k", k="1").dropped) == (0.5, 1)
    assert (row(rows, "difference", k="1").n, row(rows, "difference", k="1").dropped) == (1, 1)
    nothing = against({"a": [True, False]}, {"a": [None, None]})
    for metric in (
        "pass_at_k",
        "vote_at_k",
        "difference",
        "crossing_k",
        "crossing_share",
        "sampling_gap",
    ):
        assert {(r.value, r.n) for r in nothing if r.metric == f"boundary/{metric}"} == {
            (None, 0)
        }, metric
    assert {
        r.value
        for r in nothing
        if r.metric in ("boundary/problems", "boundary/discovery", "boundary/support_change")
    } == {None}


def test_an_empty_class_leaves_its_share_unknown() -> None:
    rows = against({"a": [False, False]}, {"a": [True, False]})
    assert (
        row(rows, "support_retention", k="2").value,
        row(rows, "support_retention", k="2").n,
    ) == (None, 0), "the base solves nothing"
    assert (row(rows, "discovery", k="2").value, row(rows, "discovery", k="2").lower) == (
        1.0,
        None,
    ), "one problem has no interval"


def test_a_single_problem_is_measured_without_an_interval() -> None:
    rows = against({"a": [True, False]}, {"a": [True, True]})
    for metric in ("pass_at_k", "difference", "sampling_gap"):
        assert all(
            (r.value is not None, r.lower) == (True, None)
            for r in rows
            if r.metric == f"boundary/{metric}"
        ), metric
    assert row(rows, "difference", k="1").interval == "none: fewer than 2 problems"


def test_both_sides_of_a_problem_are_met_with_equally_many_draws() -> None:
    rows = against({"a": [False, True]}, {"a": [False, None]})
    assert row(rows, "problems", k="1", **{"class": "out_of_reach"}).value == 1.0, (
        "the base's second draw has no counterpart"
    )


def test_the_difference_and_where_it_ends_by_hand() -> None:
    """Trained: sure of a, never b. Base: one in four of both. At k = 1 ahead by 1/4, at 2 equal, at
    4 behind by 1/2.
    """
    rare: list[bool | None] = [True, False, False, False]
    rows = against({"a": rare, "b": rare}, {"a": [True] * 4, "b": [False] * 4}, max_k=4)
    assert [row(rows, "difference", k=k).value for k in ("1", "2", "4")] == pytest.approx(
        [1 / 4, 0.0, -1 / 2]
    )
    assert row(rows, "crossing_k", k="4").value == pytest.approx(2.0)
    assert row(rows, "sampling_gap", k="4").value == pytest.approx(1.0 - 1 / 2)


def test_without_a_crossing_there_is_no_place_and_not_zero() -> None:
    rows = against(
        {"a": [False, False], "b": [False, True]}, {"a": [True, True], "b": [True, True]}
    )
    assert row(rows, "crossing_k", k="2").value is None
    assert row(rows, "crossing_share", k="2").value == 0.0, (
        "coming down to zero where both are sure is no crossing"
    )


def test_the_base_against_itself_differs_by_nothing() -> None:
    same: dict[str, list[bool | None]] = {
        str(p): [p % 3 == 0, p % 2 == 0, False, True] for p in range(12)
    }
    rows = against(same, dict(same), max_k=4)
    of_each = [r for r in rows if r.metric.startswith("boundary/difference")]
    assert len(of_each) == 6 * 13 and {r.value for r in of_each} == {0.0}
    found = [r for r in of_each if "problem" not in r.labels]
    assert len(found) == 6 and all(
        r.value == 0.0 and (r.upper, r.lower) == (unseen_share(12), -unseen_share(12))
        for r in found
    )
    assert (
        row(rows, "discovery", k="4").value == 0.0
        and row(rows, "support_change", k="4").value == 0.0
    )


def test_too_few_graded_draws_leave_the_difference_unknown() -> None:
    found = row(against({"a": [True, None]}, {"a": [True, True]}), "difference", k="2")
    assert (found.value, found.n, found.dropped) == (None, 0, 1)


def voters(*answers: tuple[str | None, bool | None], name: str = "v") -> Rollout:
    grades = tuple(Grade(correct, correct, True, answer) for answer, correct in answers)
    return Rollout(named(name), 0, tuple(completion() for _ in answers), grades)


def test_votes_by_hand() -> None:
    split = voters(("5", True), ("5", True), ("6", False), ("7", False))
    assert vote_at_ks(split, [1, 4]) == [0.5, 1.0]
    assert np.isnan(vote_at_ks(split, [8])[0])
    assert vote_at_ks(voters(("5", True), ("6", False)), [2]) == [0.5], "a tie is shared"
    assert vote_at_ks(voters((None, False), (None, False), ("5", True)), [3]) == [1.0], (
        "no answer has no vote"
    )
    assert vote_at_ks(voters((None, False), (None, False)), [1, 2]) == [0.0, 0.0]
    assert np.isnan(vote_at_ks(voters(("5", None), ("5", True)), [2])[0]), (
        "an ungraded draw does not vote"
    )


def test_votes_of_drawn_subsets_are_those_of_all_subsets() -> None:
    split = voters(*[("5", True)] * 5, *[("6", False)] * 7, *[("7", False)] * 4)
    every = []
    for chosen in itertools.combinations([grade.answer for grade in split.grades], 4):
        most = max(map(chosen.count, chosen))
        winners = {answer for answer in chosen if chosen.count(answer) == most}
        every.append(("5" in winners) / len(winners))
    assert vote_at_ks(split, [4])[0] == pytest.approx(
        np.mean(every), abs=4 * np.std(every) / np.sqrt(64)
    )


def test_the_base_itself_has_no_classes() -> None:
    assert not [
        r
        for r in Boundary(max_k=1).measure(evidence(POLICY, [rollout([True])]))
        if r.metric == "boundary/problems"
    ]


@pytest.mark.parametrize("max_k", [0, -1, 3, 12])
def test_a_max_k_that_is_no_power_of_two_is_refused(max_k: int) -> None:
    with pytest.raises(ComponentError, match="power of two"):
        Boundary(max_k)
