from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from factories import PROBLEM, completion, evidence, rollout, tiny_policy
from rewardscope import Chain, Organism, Sampling
from rewardscope.environments.house.compact import House
from rewardscope.environments.reserved import Reserved
from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, sample
from rewardscope.probes import Evidence
from rewardscope.probes.elicitation import Elicitation, choose, halves
from rewardscope.probes.ways import PLAIN, Way, as_sampled, ask, own_openings, sharpened
from rewardscope.training import roll_out
from rewardscope.types import Grade, Measurement, Problem, Rollout

SAMPLING = Sampling(max_tokens=24)
NOTHING: dict[str, Any] = {
    "templates": (),
    "openings": (),
    "own_openings": 0,
    "shots": (),
    "temperatures": (),
    "powers": (),
}
POLICY = tiny_policy()


def groups(policy: Policy, count: int = 6, draws: int = 8) -> list[Rollout]:
    problems = [Chain().problem("heldout", index) for index in range(count)]
    return roll_out(
        policy,
        Chain(),
        problems,
        draws,
        SAMPLING,
        0,
        [("test", problem.id) for problem in problems],
    )


def told(
    probe: Elicitation, policy: Policy, rollouts: list[Rollout], **changes: Any
) -> list[Measurement]:
    settings = {"strategies": Chain.strategies, "environment": Chain(), "sampling": SAMPLING}
    return probe.measure(evidence(policy, rollouts, **{**settings, **changes}))


def rows_of(rows: list[Measurement], metric: str, **labels: str) -> list[Measurement]:
    return [r for r in rows if r.metric == f"elicitation/{metric}" and dict(r.labels) == labels]


def against(
    mine: list[Rollout],
    theirs: list[Rollout],
    probe: Elicitation,
    policy: Policy = POLICY,
    **changes: Any,
) -> list[Measurement]:
    return told(probe, policy, mine, base_rollouts=tuple(theirs), base_policy=policy, **changes)


def named(name: str) -> Problem:
    return replace(PROBLEM, id=name)


def sides(
    pairs: list[tuple[list[bool | None], list[bool | None]]],
) -> tuple[list[Rollout], list[Rollout]]:
    """Trained and base verdicts per problem."""
    mine = [rollout(trained, problem=named(str(p))) for p, (trained, _) in enumerate(pairs)]
    return mine, [rollout(base, problem=named(str(p))) for p, (_, base) in enumerate(pairs)]


SHARP = Elicitation(**{**NOTHING, "powers": (2.0,)}, draws=2, k=2)


def test_a_forced_letter_fixes_the_strategy_and_its_accuracy(planted: Policy) -> None:
    probe = Elicitation(**{**NOTHING, "openings": ("s", "g")}, draws=16, k=2)
    rows = told(probe, planted, groups(planted))
    (stepwise,), (guess,) = (
        rows_of(rows, "pass_at_k", way=f"opening {letter!r}", k="1") for letter in "sg"
    )
    assert (stepwise.value or 0) > 0.95 and (guess.value or 1) < 0.5, "0.998 and 0.17 on its card"


def test_an_opening_is_read_and_not_sampled(planted: Policy) -> None:
    (behind,) = sample(planted, ["3+4*2-9?"], 8, SAMPLING, [("test",)], opening="s")
    assert all(not c.text.startswith("s") and c.text[0].isdigit() for c in behind)
    (plain,) = sample(planted, ["3+4*2-9?"], 8, SAMPLING, [("test",)])
    (empty,) = sample(planted, ["3+4*2-9?"], 8, SAMPLING, [("test",)], opening="")
    assert plain == empty


def test_the_openings_of_a_policy_are_its_own_commonest_first_tokens(planted: Policy) -> None:
    rollouts = groups(planted, count=16)
    assert own_openings(planted, rollouts, 3) == ["s", "t", "g"]
    assert own_openings(planted, rollouts, 1) == ["s"] and own_openings(planted, rollouts, 0) == []


def test_what_the_alphabet_cannot_write_is_unknown_and_not_zero(planted: Policy) -> None:
    probe = Elicitation(
        **{**NOTHING, "templates": ("Think: {prompt}", "{prompt}s"), "openings": ("So", "s")},
        draws=2,
        k=1,
    )
    rows = told(probe, planted, groups(planted))
    for way in ("prompt 'Think: {prompt}'", "opening 'So'"):
        (row,) = rows_of(rows, "pass_at_k", way=way, k="1")
        assert (row.value, row.n, row.dropped) == (None, 0, 6)
    assert all(
        rows_of(rows, "pass_at_k", way=way, k="1")[0].n == 6
        for way in ("prompt '{prompt}s'", "opening 's'")
    )


def test_examples_that_do_not_fit_the_context_leave_the_plain_answer(planted: Policy) -> None:
    rollouts = groups(planted)
    rows = against(
        rollouts, rollouts, Elicitation(**{**NOTHING, "shots": (40,)}, draws=2, k=1), planted
    )
    (row,) = rows_of(rows, "pass_at_k", way="40 examples", k="1")
    assert (row.value, row.dropped) == (None, 6)
    (beyond,) = rows_of(rows, "gain_beyond", among="all ways")
    assert (
        beyond.value == 0.0 and rows_of(rows, "chosen", among="all ways", way=PLAIN)[0].value == 1.0
    )


def test_examples_stand_before_the_question_and_are_not_the_question(
    planted: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def watched(policy: Policy, prompts: list[str], *rest: Any) -> Any:
        seen.extend(prompts)
        return sample(policy, prompts, *rest)

    monkeypatch.setattr("rewardscope.probes.ways.sample", watched)
    problems = [Chain().problem("heldout", index) for index in range(3)]
    ask(planted, Chain(), problems, Way("2 examples", shots=2), SAMPLING, 1, 1, False)
    for problem, text in zip(problems, seen, strict=True):
        assert (
            text.endswith(problem.prompt)
            and text.count("?") == 3
            and text.count("s") == 2
            and text.count(problem.prompt) == 1
        )
    assert (
        len({text.removesuffix(p.prompt) for p, text in zip(problems, seen, strict=True)}) == 3
    ), "other examples for each problem"


def test_an_environment_that_takes_turns_is_asked_in_turns_whatever_wraps_it() -> None:
    policy, sampling = Organism("house").load(), Sampling(max_tokens=120)
    alone, wrapped = (
        ask(
            policy,
            world,
            [world.problem("heldout", index) for index in range(8)],
            Way("cooler", temperature=0.5),
            sampling,
            4,
            2,
            False,
        )
        for world in (House(), Reserved(House()))
    )
    assert alone.right_P.max() > 0 and wrapped.right_P.tolist() == alone.right_P.tolist()
    problems = [Reserved(House()).problem("heldout", 0)]
    forced = ask(
        policy, Reserved(House()), problems, Way("forced", opening="g"), sampling, 2, 1, False
    )
    assert np.isnan(forced.right_P).all(), "several turns cannot be shown as one text"


def test_greedy_is_one_draw_and_has_no_pass_at_k(planted: Policy) -> None:
    rows = told(
        Elicitation(**{**NOTHING, "temperatures": (0.0,)}, draws=8, k=4), planted, groups(planted)
    )
    assert {r.labels["k"] for r in rows if r.labels["way"] == "greedy"} == {"1"}
    assert {r.n for r in rows if r.labels.get("way") == "greedy" and "problem" in r.labels} == {1}


def test_sharpening_by_hand() -> None:
    """Draws a (twice, p = 1/2, right) and b (once, p = 1/4, wrong): weights under p^2 are 2 x 1/2
    and 1/4, so 1 / (1 + 1/4).
    """
    draws = (replace(completion(), logprobs=(np.log(0.5),)),) * 2 + (
        replace(completion(), logprobs=(np.log(0.25),)),
    )
    grades = tuple(Grade(c, False, True, "5") for c in (True, True, False))
    found = sharpened([Rollout(PROBLEM, 0, draws, grades)], 2.0, SAMPLING, strict=False)
    assert found.right_P == pytest.approx([0.8])
    assert found.effective_P == pytest.approx([1.25**2 / (0.25 + 0.25 + 0.0625)])
    assert sharpened([Rollout(PROBLEM, 0, draws, grades)], 2.0, SAMPLING, strict=True).right_P == [
        0.0
    ]
    for cut in (Sampling(top_p=0.9), Sampling(temperature=0.0)):
        assert np.isnan(
            sharpened([Rollout(PROBLEM, 0, draws, grades)], 2.0, cut, strict=False).right_P
        ).all()


def test_ungraded_draws_are_in_no_count() -> None:
    found = as_sampled([rollout([True, None, False]), rollout([None, None, None])], 2, strict=False)
    assert (
        found.right_P[0] == 0.5 and found.within_k_P[0] == 1.0 and found.draws_P.tolist() == [2, 0]
    )
    assert np.isnan(found.right_P[1])
    assert np.isnan(sharpened([rollout([None, None])], 2.0, SAMPLING, strict=False).right_P).all()


def test_each_half_is_judged_in_the_way_that_the_other_chose() -> None:
    second_P = np.array([False, False, True, True])
    right_WP = np.array([[0.0, 0.0, 0.5, 0.5], [1.0, 1.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5]])
    best = choose(right_WP, second_P)
    assert best.way_P.tolist() == [0, 0, 1, 1], (
        "the second half prefers plain (first of equals), the first half way 1"
    )
    assert best.right_P.tolist() == [0.0, 0.0, 0.0, 0.0]


def test_halves_are_equal_and_go_by_name() -> None:
    names = [f"p{i}" for i in range(9)]
    second_P = halves(names)
    assert second_P.sum() == 5
    assert halves(names[::-1]).tolist() == second_P[::-1].tolist()


def test_a_gain_beyond_elicitation_by_hand() -> None:
    mine, theirs = sides([([True, True], [True, False]), ([True, True], [False, False])] * 12)
    rows = against(mine, theirs, SHARP)
    (gain,), (beyond,) = rows_of(rows, "gain"), rows_of(rows, "gain_beyond", among="all ways")
    assert gain.value == 0.75 and beyond.value == 0.75, "equal logprobs: sharpening changes nothing"
    assert rows_of(rows, "share_reached", among="all ways")[0].value == 0.0
    assert (
        len([r for r in rows if r.metric == "elicitation/gain_beyond" and "problem" in r.labels])
        == 2 * 24
    )


def test_the_share_of_a_gain_that_another_way_reaches(planted: Policy) -> None:
    """Trained: always right. Base: right in one of two draws, and behind a forced ``s`` nearly
    always.
    """
    theirs = [
        replace(r, grades=tuple(replace(g, correct=i % 2 == 0) for i, g in enumerate(r.grades)))
        for r in groups(planted, 16)
    ]
    mine = [replace(r, grades=tuple(replace(g, correct=True) for g in r.grades)) for r in theirs]
    noisy = [
        replace(mine[0], grades=theirs[0].grades),
        *mine[1:],
    ]  # not all alike, which would leave the doubt of the unseen
    rows = against(
        noisy, theirs, Elicitation(**{**NOTHING, "openings": ("s",)}, draws=16, k=2), planted
    )
    (share,) = rows_of(rows, "share_reached", among="ways without the key")
    assert 0.9 < (share.value or 0) < 1.2 and share.n == 16
    assert rows_of(rows, "chosen", among="all ways", way="opening 's'")[0].value == 1.0


def test_the_base_rows_of_a_study_are_read_and_not_made_again(
    planted: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe, rollouts = Elicitation(**{**NOTHING, "openings": ("s",)}, draws=4, k=2), groups(planted)
    alone = told(probe, planted, rollouts)
    anew = against(rollouts, rollouts, probe, planted)
    calls: list[int] = []

    def counted(*given: Any) -> Any:
        calls.append(1)
        return ask(*given)

    monkeypatch.setattr("rewardscope.probes.elicitation.ask", counted)
    assert against(rollouts, rollouts, probe, planted, base_rows=tuple(alone)) == anew
    assert len(calls) == 1, "the evidence alone was asked"


def test_no_gain_has_no_share() -> None:
    mine, theirs = sides(
        [([True, False], [True, False])] * 6
        + [([True, True], [False, False]), ([False, False], [True, True])]
    )
    rows = against(mine, theirs, SHARP)
    (share,) = rows_of(rows, "share_reached", among="all ways")
    assert (share.value, share.n) == (None, 0)
    assert rows_of(rows, "gain")[0].value == 0.0


@pytest.mark.parametrize("graded", [1, 0])
def test_one_problem_or_none_is_not_enough(graded: int) -> None:
    mine, theirs = sides(
        [([True, True], [False, True])] * graded
        + [([None, None], [True, True]), ([True, True], [None, None])]
    )
    rows = against(mine, theirs, SHARP)
    for metric in ("gain", "gain_beyond", "gain_best_to_best", "share_reached", "chosen"):
        (row,) = rows_of(rows, metric)
        assert (row.value, row.n, row.dropped) == (None, 0, 2)


def test_problems_that_could_not_be_graded_are_dropped_and_counted() -> None:
    mine, theirs = sides([([True, True], [True, False])] * 4 + [([None, None], [True, True])])
    (gain,) = rows_of(against(mine, theirs, SHARP), "gain")
    assert (gain.value, gain.n, gain.dropped) == (0.5, 4, 1)


def test_without_an_environment_there_is_nothing_to_ask() -> None:
    bare: Evidence = evidence(POLICY, [rollout([True])])
    with pytest.raises(ComponentError, match="no environment"):
        Elicitation().measure(bare)


@pytest.mark.parametrize(
    "wrong",
    [
        {"templates": ("no slot",)},
        {"openings": ("",)},
        {"shots": (0,)},
        {"temperatures": (-1.0,)},
        {"powers": (1.0,)},
        {"powers": (2.0, 2.0)},
        {"draws": 4, "k": 8},
        {"own_openings": -1},
        NOTHING,
    ],
    ids=str,
)
def test_settings_that_ask_nothing_or_nonsense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ComponentError, match="cannot ask with these settings"):
        Elicitation(**wrong)


def test_an_empty_grid_of_temperatures_leaves_the_others(planted: Policy) -> None:
    rows = told(
        Elicitation(**{**NOTHING, "openings": ("s",)}, draws=2, k=1), planted, groups(planted, 2)
    )
    assert {r.labels["way"] for r in rows} == {PLAIN, "opening 's'"}
    assert len(rows) == 2 * (1 + 2), "at k = 1 there is one row a way, and one for each problem"
