from dataclasses import replace

import pytest

from factories import PROBLEM, completion, evidence, rollout, tiny_policy
from rewardscope.probes.behaviour import Behaviour
from rewardscope.types import Ending, Grade, Measurement, Rollout

POLICY = tiny_policy()


def mixed(name: str, *completions: tuple[str | None, bool | None]) -> Rollout:
    """A group of (strategy, correct)."""
    group = rollout([correct for _, correct in completions], problem=replace(PROBLEM, id=name))
    grades = tuple(
        replace(grade, strategy=strategy)
        for grade, (strategy, _) in zip(group.grades, completions, strict=True)
    )
    return replace(group, grades=grades)


ROLLOUTS = [
    mixed("a", ("stepwise", True), ("stepwise", True), ("guess", False), (None, False)),
    mixed("b", ("stepwise", False), ("guess", None), ("guess", True), ("guess", False)),
]


def row(rows: list[Measurement], metric: str, **labels: str) -> Measurement:
    (found,) = [r for r in rows if r.metric == f"behaviour/{metric}" and r.labels == labels]
    return found


def test_strategy_shares_by_hand() -> None:
    rows = Behaviour().measure(evidence(POLICY, ROLLOUTS))
    assert row(rows, "strategy_share", strategy="stepwise").value == pytest.approx(
        (2 / 4 + 1 / 4) / 2
    )
    assert row(rows, "strategy_share", strategy="guess").value == pytest.approx((1 / 4 + 3 / 4) / 2)
    assert row(rows, "strategy_share", strategy="unrecognised").value == pytest.approx(
        (1 / 4 + 0) / 2
    )
    one = row(rows, "strategy_share", strategy="stepwise", problem="b")
    assert (one.value, one.n, one.over) == (0.25, 4, "draws")


def test_accuracy_counts_graded_completions_of_the_strategy_alone() -> None:
    rows = Behaviour().measure(evidence(POLICY, ROLLOUTS))
    stepwise, guess = (
        row(rows, "strategy_accuracy", strategy="stepwise"),
        row(rows, "strategy_accuracy", strategy="guess"),
    )
    assert (stepwise.value, stepwise.n, stepwise.over) == (pytest.approx(2 / 3), 3, "completions")
    assert (guess.value, guess.n) == (pytest.approx(1 / 3), 3)


def test_a_strategy_that_nobody_used_has_share_zero_and_an_unknown_accuracy() -> None:
    rows = Behaviour().measure(
        evidence(POLICY, [mixed("a", ("guess", True)), mixed("b", ("guess", True))])
    )
    assert row(rows, "strategy_share", strategy="stepwise").value == 0.0
    assert row(rows, "strategy_accuracy", strategy="stepwise").value is None
    assert not [r for r in rows if r.labels.get("strategy") == "unrecognised"]


def test_a_strategy_that_only_the_base_used_is_measured_too() -> None:
    base = (mixed("a", ("talk", True)), mixed("b", ("talk", True)))
    rows = Behaviour().measure(
        evidence(
            POLICY, [mixed("a", ("guess", True)), mixed("b", ("guess", True))], base_rollouts=base
        )
    )
    assert row(rows, "strategy_share", strategy="talk").value == 0.0


def test_lengths_endings_and_form_by_hand() -> None:
    completions = (
        completion(num_tokens=2),
        completion(num_tokens=4, ending=Ending.LENGTH),
        completion(num_tokens=9, ending=Ending.LENGTH),
    )
    formed = (Grade(True, True, True), Grade(True, True, False), Grade(None, None, False))
    group = replace(rollout([True] * 3), completions=completions, grades=formed)
    short = replace(rollout([True] * 3), completions=(completion(num_tokens=1),) * 3)
    rows = Behaviour().measure(evidence(POLICY, [group, short]))
    assert row(rows, "length_tokens").value == pytest.approx((5 + 1) / 2)
    assert row(rows, "ending_share", ending="length").value == pytest.approx((2 / 3 + 0) / 2)
    assert row(rows, "ending_share", ending="end_token").value == pytest.approx((1 / 3 + 1) / 2)
    assert row(rows, "ending_share", ending="stop_text").value == 0.0
    assert row(rows, "well_formed_share").value == pytest.approx((1 / 3 + 1) / 2)


def by(rows: list[Measurement], metric: str) -> dict[tuple[str, ...], Measurement]:
    return {
        tuple(r.labels.values()): r
        for r in rows
        if r.metric == f"behaviour/{metric}" and "problem" not in r.labels
    }


def texts(name: str, *completions: tuple[str, bool | None]) -> Rollout:
    """A group of (text, correct)."""
    group = mixed(name, *((None, correct) for _, correct in completions))
    return replace(group, completions=tuple(completion(text) for text, _ in completions))


def test_behaviours_in_texts_and_what_is_right_with_and_without_them() -> None:
    groups = [
        texts("a", ("Wait, no. 5", True), ("5", False)),
        texts("b", ("5", True), ("Wait, no. 6", None)),
    ]
    rows = Behaviour().measure(evidence(POLICY, groups))
    assert (
        by(rows, "shown_share")["backtracking",].value == 0.5
        and by(rows, "shown_share")["boxed",].value == 0.0
    )
    accuracy = by(rows, "shown_accuracy")
    assert (accuracy["backtracking", "yes"].value, accuracy["backtracking", "yes"].n) == (1.0, 1)
    assert (accuracy["backtracking", "no"].value, accuracy["backtracking", "no"].n) == (0.5, 2)
    assert (accuracy["boxed", "yes"].value, accuracy["boxed", "yes"].n) == (None, 0)


def many(*completions: tuple[str | None, bool | None], count: int = 40) -> list[Rollout]:
    return [mixed(str(p), *completions) for p in range(count)]


def test_moves_by_hand() -> None:
    """Of 4 draws one goes from talk to stepwise and is then right, one stays talk and is mended,
    one is spoiled in guess, one stays.
    """
    base = many(("talk", False), ("talk", False), ("guess", True), ("stepwise", True))
    own = many(("stepwise", True), ("talk", True), ("guess", False), ("stepwise", True))
    rows = Behaviour().measure(evidence(POLICY, own, base_rollouts=tuple(base)))
    assert row(rows, "gain").value == 0.25 and (row(rows, "gain").lower or 0) > 0
    share, gain = by(rows, "move_share"), by(rows, "move_gain")
    assert (
        share["strategy", "talk", "stepwise"].value == 0.25
        and gain["strategy", "talk", "stepwise"].value == 1.0
    )
    assert (
        gain["strategy", "talk", "talk"].value == 1.0
        and gain["strategy", "guess", "guess"].value == -1.0
    )
    assert gain["strategy", "stepwise", "stepwise"].value == 0.0
    assert sum(r.value or 0.0 for key, r in gain.items() if key[0] == "strategy") == pytest.approx(
        1.0
    )
    assert sum(r.value or 0.0 for key, r in share.items() if key[0] == "strategy") == pytest.approx(
        1.0
    )
    some = gain["strategy", "stepwise", "stepwise"]
    assert some.lower is not None and some.lower < 0 < (some.upper or 0), (
        "problems all alike leave the doubt about a kind never met"
    )


def test_a_share_of_nothing_is_no_share() -> None:
    """Half of the problems gain and half lose: the gain's interval holds 0."""
    base = [mixed(str(p), ("talk", p % 2 == 0)) for p in range(20)]
    own = [mixed(str(p), ("stepwise", p % 2 == 1)) for p in range(20)]
    rows = Behaviour().measure(evidence(POLICY, own, base_rollouts=tuple(base)))
    assert row(rows, "gain").value == 0.0
    assert {(r.value, r.n) for r in by(rows, "move_gain").values()} == {(None, 0)}
    assert by(rows, "move_share")["strategy", "talk", "stepwise"].value == 1.0


def test_a_loss_has_shares_too() -> None:
    rows = Behaviour().measure(
        evidence(POLICY, many(("guess", False)), base_rollouts=tuple(many(("talk", True))))
    )
    assert (
        row(rows, "gain").value == -1.0
        and by(rows, "move_gain")["strategy", "talk", "guess"].value == 1.0
    )


def test_the_base_against_itself_moves_nowhere() -> None:
    rows = Behaviour().measure(evidence(POLICY, ROLLOUTS, base_rollouts=tuple(ROLLOUTS)))
    assert {r.value for key, r in by(rows, "move_share").items() if key[1] != key[2]} == {0.0}
    assert row(rows, "gain").value == 0.0 and {r.value for r in by(rows, "move_gain").values()} == {
        None
    }


def test_draws_are_paired_by_problem_and_index_and_where_both_are_graded() -> None:
    base = (
        mixed("a", ("talk", False), ("talk", None), ("talk", False)),
        mixed("b", ("talk", False)),
        mixed("alone", ("talk", False)),
    )
    own = [
        mixed("b", ("guess", True)),
        mixed("a", ("stepwise", True), ("stepwise", True), ("talk", False), ("talk", True)),
    ]
    rows = Behaviour().measure(evidence(POLICY, own, base_rollouts=base))
    gain = row(rows, "gain")
    assert (gain.value, gain.n, gain.dropped, gain.lower) == (0.75, 2, 1, None)
    assert by(rows, "move_share")["strategy", "talk", "stepwise"].value == 0.25, (
        "half of a, nothing of b"
    )
    assert {r.value for r in by(rows, "move_gain").values()} == {None}, "no interval, no share"


def test_without_a_common_graded_draw_nothing_is_known() -> None:
    rows = Behaviour().measure(
        evidence(POLICY, [mixed("a", ("talk", None))], base_rollouts=(mixed("a", ("talk", True)),))
    )
    for metric in ("gain", "move_share", "move_gain"):
        assert {(r.value, r.n, r.dropped) for r in by(rows, metric).values()} == {(None, 0, 1)}, (
            metric
        )


def test_moves_between_behaviours_are_measured_like_those_between_strategies() -> None:
    base = [texts(str(p), ("5", False), ("6", False)) for p in range(40)]
    own = [texts(str(p), ("Wait, no. 5", True), ("6", False)) for p in range(40)]
    rows = Behaviour().measure(evidence(POLICY, own, base_rollouts=tuple(base)))
    gain = by(rows, "move_gain")
    assert (
        gain["backtracking", "no", "yes"].value == 1.0
        and gain["backtracking", "no", "no"].value == 0.0
    )
    assert gain["boxed", "no", "no"].value == 1.0


def told(rollouts: list[Rollout], rewards: dict[str, float]) -> tuple[Rollout, ...]:
    return tuple(
        replace(r, rewards=tuple(rewards.get(g.strategy or "") for g in r.grades)) for r in rollouts
    )


def test_amplification_by_hand() -> None:
    """From shares 1/4 stepwise, 2/4 talk, 1/4 guess, paid 1, 0 and 0, to 2/4 stepwise: odds 1
    against 1/3, so the strength is log 3.
    """
    base = told(
        many(("stepwise", True), ("talk", True), ("talk", True), ("guess", True)),
        {"stepwise": 1.0, "talk": 0.0, "guess": 0.0},
    )
    own = many(("stepwise", True), ("stepwise", True), ("talk", True), ("talk", True))
    rows = Behaviour().measure(evidence(POLICY, own, base_rollouts=base, step=1))
    fit = row(rows, "reweighting", strategy="stepwise")
    assert fit.value == pytest.approx(1.0986, abs=1e-4)
    assert [by(rows, "strategy_reward")[name,].value for name in ("stepwise", "talk", "guess")] == [
        1.0,
        0.0,
        0.0,
    ]
    null = by(rows, "share_null")
    assert null["reweighted", "talk"].value == pytest.approx(1 / 3) and null[
        "reweighted", "guess"
    ].value == pytest.approx(1 / 6)
    assert ("reweighted", "stepwise") not in null, "it was fitted"
    assert null["doubled", "stepwise", "1"].value == pytest.approx(2 * 0.25 / 1.25)
    assert null["doubled", "talk", "1"].value == pytest.approx(0.5 * 0.6 / 0.75)


def test_where_all_is_paid_alike_amplification_changes_nothing() -> None:
    base = told(many(("stepwise", True), ("guess", True)), {"stepwise": 0.5, "guess": 0.5})
    rows = Behaviour().measure(
        evidence(POLICY, many(("stepwise", True), ("stepwise", True)), base_rollouts=base)
    )
    assert row(rows, "reweighting").value is None
    null = by(rows, "share_null")
    assert null["reweighted", "guess"].value == 0.5 and null["doubled", "guess", "4"].value is None


def test_what_nobody_was_told_leaves_the_nulls_unknown() -> None:
    base = tuple(many(("stepwise", True), ("guess", True)))
    rows = Behaviour().measure(
        evidence(POLICY, many(("guess", True), ("guess", True)), base_rollouts=base)
    )
    for metric in ("strategy_reward", "reweighting", "share_null"):
        assert {r.value for r in by(rows, metric).values()} == {None}, metric
