import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from factories import PROBLEM, evidence, tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, Sampling
from rewardscope.probes.novelty import Novelty
from rewardscope.probes.reach import Traces, reach_of
from rewardscope.probes.sharpening import Draws, matching_power
from rewardscope.types import Completion, Ending, Grade, Measurement, Rollout

V = 22
"""Tokens of the tiny policies."""


@pytest.fixture(scope="module")
def uniform() -> Policy:
    """Every token has probability 1 / 22: a trace of T tokens has log-probability -T log 22."""
    policy = tiny_policy()
    with torch.no_grad():
        policy.model.get_output_embeddings().weight.zero_()
    return policy


def draw(tokens: Sequence[int]) -> Completion:
    return Completion("", tuple(tokens), (-math.log(V),) * len(tokens), Ending.END_TOKEN)


def sure(tokens: Sequence[int]) -> Completion:
    """The same from a policy that writes nothing else."""
    return replace(draw(tokens), logprobs=(0.0,) * len(tokens))


def right(strategy: str = "stepwise", steps: tuple[bool, ...] | None = (True,)) -> Grade:
    return Grade(True, True, True, "5", strategy=strategy, steps=steps)


WRONG = Grade(False, False, True, "6", strategy="guess", steps=(False,))


def group(name: str, found: Sequence[tuple[Completion, Grade]]) -> Rollout:
    completions, grades = zip(*found, strict=True)
    return Rollout(replace(PROBLEM, id=name), 0, completions, grades)


def measured(
    policy: Policy,
    base: Sequence[Rollout],
    trained: Sequence[Rollout],
    probe: Novelty | None = None,
) -> list[Measurement]:
    found = evidence(policy, trained, base_rollouts=tuple(base), base_policy=policy)
    return (probe or Novelty()).measure(found)


def classes(rows: list[Measurement], strategy: str = "any") -> dict[str, float | None]:
    return {
        r.labels["class"]: r.value
        for r in rows
        if r.metric == "novelty/problems" and r.labels["strategy"] == strategy
    }


def one(rows: list[Measurement], metric: str, **labels: str) -> Measurement:
    (found,) = [
        r for r in rows if r.metric == f"novelty/{metric}" and labels.items() <= r.labels.items()
    ]
    return found


def nothing(name: str, draws: int = 8) -> Rollout:
    return group(name, [(draw((7,)), WRONG)] * draws)


@pytest.mark.parametrize(
    ("length", "count", "expected"),
    [
        (3, 8, "activated"),  # 3 log 22 = 9.27 < log 16384 = 9.70
        (4, 8, "created"),  # 4 log 22 = 12.36 > 9.70 + log 10
        (4, 3, "undecided"),  # 3 draws of 8: the base's 0 of 8 leave room for as much
    ],
)
def test_a_find_is_judged_by_the_bases_probability_of_its_trace(
    uniform: Policy, length: int, count: int, expected: str
) -> None:
    trace = sure(range(1, length + 1))
    trained = group("a", [(trace, right())] * count + [(draw((7,)), WRONG)] * (8 - count))
    rows = measured(uniform, [nothing("a")], [trained])
    assert classes(rows) == {
        name: float(name == expected) for name in ("kept", "activated", "created", "undecided")
    }
    found = one(rows, "find", strategy="any")
    assert (found.labels["class"], found.labels["problem"], found.n) == (expected, "a", count)
    assert found.value == pytest.approx(-length * math.log(V), abs=1e-5)


def test_different_traces_add_up_and_equal_ones_do_not(uniform: Policy) -> None:
    trained = group("a", [(sure((1, 2, 3, 4)), right())] * 4 + [(sure((4, 3, 2, 1)), right())] * 4)
    found = one(measured(uniform, [nothing("a")], [trained]), "find", strategy="any")
    assert found.value == pytest.approx(math.log(2) - 4 * math.log(V), abs=1e-5)


def test_paraphrases_that_were_not_drawn_count(uniform: Policy) -> None:
    """Four letters free in each of 8 solutions, drawn evenly: the base's chance is that of the
    first letter, not of the 8 texts.
    """
    free = [
        Completion("", (1, *range(at, at + 4)), (0.0, *(-math.log(V),) * 4), Ending.END_TOKEN)
        for at in range(2, 10)
    ]
    rows = measured(uniform, [nothing("a")], [group("a", [(text, right()) for text in free])])
    assert one(rows, "find", strategy="any").value == pytest.approx(-math.log(V), abs=1e-5)
    assert one(rows, "effective_draws", strategy="any", of="base").value == pytest.approx(8)
    assert classes(rows)["activated"] == 1


def test_a_chance_that_rests_on_few_draws_creates_nothing(uniform: Policy) -> None:
    """One of 8 solutions is 400 times as unlikely as the others under the policy that drew it."""
    odd = [sure((1, 2, 3, 4, 5))] * 7 + [replace(sure((5, 4, 3, 2, 1)), logprobs=(-1.2,) * 5)]
    rows = measured(uniform, [nothing("a")], [group("a", [(text, right()) for text in odd])])
    assert (one(rows, "effective_draws", strategy="any", of="base").value or 0) < 2
    assert classes(rows)["undecided"] == 1


def test_the_chance_by_hand() -> None:
    """Two traces, drawn 3 times and once of 8 draws: (3 x 0.02 / 0.3 + 0.01 / 0.1) / 8."""
    traces = Traces(np.log([0.02, 0.01]), np.log([0.3, 0.1]), np.array([3, 1]), 4 / 8)
    reach = reach_of(traces)
    assert math.exp(reach.summed) == pytest.approx(0.03)
    assert math.exp(reach.weighted) == pytest.approx((3 * 0.02 / 0.3 + 0.01 / 0.1) / 8)
    weights = [0.02 / 0.3] * 3 + [0.1]
    assert reach.effective == pytest.approx(sum(weights) ** 2 / sum(w**2 for w in weights))
    assert reach.draws == 4 and reach.effective < 4
    assert reach.estimate(1.0) == reach.summed
    assert reach.estimate(0.9) == max(reach.summed, reach.weighted)


def test_what_lies_between_covered_and_clearly_not_is_undecided(uniform: Policy) -> None:
    trained = group("a", [(sure((1, 2, 3, 4)), right())] * 8)
    assert (
        classes(measured(uniform, [nothing("a")], [trained], Novelty(tries=50_000)))["undecided"]
        == 1
    )  # log 50,000 = 10.8, + 2.3 = 13.1


def test_what_the_base_draws_too_is_kept(uniform: Policy) -> None:
    trained = group("a", [(sure((1, 2, 3, 4)), right())] * 8)
    base = group("a", [(sure((1, 2, 3, 4)), right()), *[(draw((7,)), WRONG)] * 7])
    rows = measured(uniform, [base], [trained])
    assert classes(rows)["kept"] == 1
    assert one(rows, "find", strategy="any").value is None
    assert one(rows, "reached_share", strategy="any").value == 1.0


def test_only_as_many_draws_as_both_have_are_compared(uniform: Policy) -> None:
    late = group("a", [(draw((7,)), WRONG)] * 4 + [(sure((1, 2, 3, 4)), right())] * 4)
    trained = group("a", [(sure((1, 2, 3, 4)), right())] * 4)
    assert classes(measured(uniform, [late], [trained]))["created"] == 1


def test_a_right_answer_with_a_wrong_or_unshown_step_finds_nothing(uniform: Policy) -> None:
    for steps in ((True, False), None):
        trained = group("a", [(sure((1, 2, 3, 4)), right(steps=steps))] * 8)
        rows = measured(uniform, [nothing("a")], [trained])
        assert set(classes(rows).values()) == {0.0}
        assert one(rows, "verdict", strategy="any").labels["verdict"] == "nothing_found"
        assert one(rows, "reached_share", strategy="any").value is None


def test_where_an_environment_checks_no_steps_the_answer_alone_counts(uniform: Policy) -> None:
    wrong = replace(WRONG, steps=None)
    base, trained = (
        group("a", [(draw((7,)), wrong)] * 8),
        group("a", [(sure((1, 2, 3, 4)), right(steps=None))] * 8),
    )
    assert classes(measured(uniform, [base], [trained]))["created"] == 1


def test_a_problem_solved_before_can_be_newly_solved_in_a_strategy(uniform: Policy) -> None:
    base = group("a", [(draw((9, 9)), right("guess"))] * 8)
    trained = group("a", [(sure((1, 2, 3, 4)), right("stepwise"))] * 8)
    rows = measured(uniform, [base], [trained])
    assert classes(rows)["kept"] == 1
    assert classes(rows, "stepwise")["created"] == 1
    assert set(classes(rows, "guess").values()) == {0.0}


@pytest.mark.parametrize(("length", "verdict"), [(2, "activated"), (4, "created")])
def test_a_strategy_gets_the_verdict_that_most_of_its_problems_have(
    uniform: Policy, length: int, verdict: str
) -> None:
    names = [str(i) for i in range(20)]
    trained = [group(name, [(sure(range(1, length + 1)), right())] * 8) for name in names]
    found = one(
        measured(uniform, [nothing(name) for name in names], trained),
        "verdict",
        strategy="stepwise",
    )
    assert (found.labels["verdict"], found.n) == (verdict, 20)


def test_few_problems_leave_the_verdict_open(uniform: Policy) -> None:
    trained = [group("a", [(sure((1, 2, 3, 4)), right())] * 8)]
    assert (
        one(measured(uniform, [nothing("a")], trained), "verdict", strategy="any").labels["verdict"]
        == "undecided"
    )


def test_ungraded_problems_are_dropped_and_counted(uniform: Policy) -> None:
    unknown = group("b", [(draw((7,)), Grade(None, None, False))] * 8)
    rows = measured(uniform, [nothing("a"), unknown], [nothing("a"), unknown])
    assert {(r.n, r.dropped) for r in rows if r.metric == "novelty/problems"} == {(1, 1)}
    rows = measured(uniform, [unknown], [unknown])
    assert {(r.value, r.n, r.dropped) for r in rows if r.metric == "novelty/problems"} == {
        (None, 0, 1)
    }
    assert one(rows, "sharpening_power").value is None


@pytest.mark.parametrize(
    "cut", [Sampling(top_p=0.9), Sampling(temperature=0.0)], ids=["top_p", "greedy"]
)
def test_draws_from_a_cut_say_nothing_of_what_is_within_reach(
    uniform: Policy, cut: Sampling
) -> None:
    trained = group("a", [(sure((1, 2, 3, 4)), right())] * 8)
    rows = Novelty().measure(
        evidence(
            uniform, [trained], base_rollouts=(nothing("a"),), base_policy=uniform, sampling=cut
        )
    )
    assert {(r.value, r.n, r.dropped) for r in rows if r.metric == "novelty/problems"} == {
        (None, 0, 1)
    }
    assert {r.value for r in rows} == {None}
    assert one(rows, "verdict", strategy="any").labels["verdict"] == "unknown"
    assert np.isnan(Draws.of([trained], cut).sharpened(2.0)[0]).all()


def test_what_a_bank_recalled_is_not_shown_to_the_base() -> None:
    policy, trained = tiny_policy(), group("a", [(sure((1, 2, 3, 4)), right())] * 8)
    behind = (
        measured(policy, [nothing("a")], [replace(trained, recalled=block)])
        for block in ((), ("1+2?s3",))
    )
    bare, recalled = (one(rows, "find", strategy="any").value for rows in behind)
    assert bare is not None and bare == recalled


def test_settings_that_cannot_judge_are_refused() -> None:
    with pytest.raises(ComponentError, match="tries, traces and slack of 1 or more; effective"):
        Novelty(slack=0.5)


LOGPROB_N = np.log(np.array([0.5, 0.3, 0.2]))
DRAWS = Draws(
    (np.repeat(LOGPROB_N, [500, 300, 200]),), (np.repeat([1.0, 0.0, 0.0], [500, 300, 200]),)
)
"""1,000 draws of three completions in just their shares; the likeliest is right."""


def test_the_sharpened_pass_rate_is_that_of_the_powered_distribution() -> None:
    for power in (1.0, 2.0, 5.0):
        p = np.array([0.5, 0.3, 0.2]) ** power
        assert DRAWS.sharpened(power)[0][0] == pytest.approx(p[0] / p.sum())


def test_the_sharpened_probability_of_a_trace_is_that_of_the_powered_distribution() -> None:
    for place in range(3):
        p = np.array([0.5, 0.3, 0.2]) ** 3
        one_trace = Traces(LOGPROB_N[[place]], np.zeros(1), np.array([4]), 1.0)
        reach = reach_of(one_trace, 3.0, DRAWS.log_normaliser(0, 3.0))
        assert reach.summed == reach.weighted == pytest.approx(math.log(p[place] / p.sum()))


def test_the_matching_power_is_the_first_that_reaches_the_pass_rate() -> None:
    power, rates_P = matching_power(DRAWS, 0.8)
    assert rates_P.mean() >= 0.8 > DRAWS.sharpened(power / 1.1)[0].mean()
    assert matching_power(DRAWS, 0.4)[0] == 1.0


def test_a_pass_rate_out_of_reach_of_sharpening_gets_the_nearest() -> None:
    wrong = Draws(DRAWS.logprob_PN, (np.repeat([0.0, 1.0, 0.0], [500, 300, 200]),))
    power, rates_P = matching_power(wrong, 0.9)
    assert power == 1.0 and rates_P.mean() == pytest.approx(0.3)


def test_sharpening_can_reach_what_the_base_does_not(uniform: Policy) -> None:
    """A trace of the base's mode that it happened not to draw among eight: sharpened, its
    probability is near 1.
    """
    base = group("a", [(Completion("", (7,), (-20.0,), Ending.END_TOKEN), WRONG)] * 8)
    trained = group("a", [(sure((1, 2, 3, 4)), right())] * 8)
    known = group(
        "b", [(Completion("", (7,), (-0.1,), Ending.END_TOKEN), right()), (draw((7, 7, 7)), WRONG)]
    )
    rows = measured(uniform, [base, known], [trained, group("b", [(draw((7,)), right())] * 2)])
    assert (one(rows, "sharpening_power").value or 0) > 1
    assert one(rows, "log_probability", strategy="any", of="sharpened").value == pytest.approx(
        0.0, abs=1e-3
    )
    assert classes(rows)["activated"] == 1
