from dataclasses import replace

import pytest

from factories import evidence
from rewardscope.errors import ComponentError
from rewardscope.policy import Policy
from rewardscope.probes.ladder import Ladder, counts
from rewardscope.types import Completion, Ending, Grade, Measurement, Problem, Rollout

RIGHT, LUCKY, AT_ONCE, WRONG = (
    (True, (True, True)),
    (True, (True, False)),
    (True, None),
    (False, (True, True)),
)


def problem_of(
    name: str, level: int, group: str, draws: list[tuple[bool | None, tuple[bool, ...] | None]]
) -> Rollout:
    grades = tuple(Grade(correct, correct, True, "7", steps=steps) for correct, steps in draws)
    problem = Problem(name, "Nest", name, "7", level, {"set": group})
    return Rollout(
        problem, 0, (Completion("7", (1,), (-0.5,), Ending.END_TOKEN),) * len(draws), grades
    )


ROLLOUTS = [
    problem_of("one", 1, "A", [RIGHT, RIGHT, LUCKY, WRONG]),
    problem_of("two", 1, "B", [AT_ONCE, WRONG, WRONG, WRONG]),
    problem_of("three", 2, "A", [WRONG] * 4),
    problem_of("four", 2, "A", [RIGHT, (None, None), WRONG, WRONG]),
]


def value(rows: list[Measurement], metric: str, **labels: str) -> Measurement:
    (found,) = [row for row in rows if row.metric == f"ladder/{metric}" and row.labels == labels]
    return found


def test_each_rung_by_hand(planted: Policy) -> None:
    rows = Ladder((1, 4)).measure(evidence(planted, ROLLOUTS))
    assert value(rows, "pass_at_k", level="1", k="1").value == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert value(rows, "verified_at_k", level="1", k="1").value == pytest.approx((2 / 4 + 0) / 2)
    assert value(rows, "pass_at_k", level="1", k="4").value == pytest.approx(1.0)
    assert value(rows, "verified_at_k", level="1", k="4").value == pytest.approx(0.5)
    assert value(rows, "pass_at_k", level="2", k="1").value == pytest.approx((0 + 1 / 3) / 2)
    assert value(rows, "verified_at_k", level="1", k="1", problem="one").value == pytest.approx(0.5)


def test_a_problem_with_too_few_graded_draws_is_dropped_and_counted(planted: Policy) -> None:
    row = value(Ladder((4,)).measure(evidence(planted, ROLLOUTS)), "pass_at_k", level="2", k="4")
    assert (row.value, row.n, row.dropped) == (0.0, 1, 1)
    none = value(Ladder((8,)).measure(evidence(planted, ROLLOUTS)), "pass_at_k", level="1", k="8")
    assert (none.value, none.n, none.dropped) == (None, 0, 2)


def test_rungs_can_be_told_by_facts_too(planted: Policy) -> None:
    rows = Ladder((1,), by=("level", "set")).measure(evidence(planted, ROLLOUTS))
    assert value(rows, "pass_at_k", level="1", set="B", k="1").value == pytest.approx(0.25)
    assert {tuple(row.labels[name] for name in ("level", "set")) for row in rows} == {
        ("1", "A"),
        ("1", "B"),
        ("2", "A"),
    }


def test_a_right_answer_by_a_wrong_way_or_at_once_is_not_verified() -> None:
    assert counts(ROLLOUTS[0], verified=False) == (4, 3)
    assert counts(ROLLOUTS[0], verified=True) == (4, 2)
    assert counts(ROLLOUTS[1], verified=True) == (4, 0)
    assert counts(
        replace(ROLLOUTS[1], grades=(Grade(True, True, True, steps=()),)), verified=True
    ) == (1, 0)


def test_a_fact_that_no_problem_has_is_refused(planted: Policy) -> None:
    with pytest.raises(ComponentError, match="no such fact"):
        Ladder(by=("colour",)).measure(evidence(planted, ROLLOUTS))


@pytest.mark.parametrize("settings", [{"ks": ()}, {"ks": (0,)}, {"by": ()}, {"by": ("k",)}])
def test_settings_that_tell_no_rungs_are_refused(settings: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ComponentError, match="Ladder needs"):
        Ladder(**settings)  # type: ignore[arg-type]
