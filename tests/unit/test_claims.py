import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from factories import measurement
from rewardscope.codec import encode
from rewardscope.errors import RunDirectoryError
from rewardscope.judging.claims import judge, read_claims, values_of
from rewardscope.judging.deciding import decide
from rewardscope.judging.unpaired import Unpaired
from rewardscope.stats import Estimate, paired_contrast, smallest_visible
from rewardscope.types import Claim, Measurement, Outcome, Verdict

CLAIM = Claim(
    sentence="It helps.",
    metric="boundary/pass_at_k",
    labels={"k": "1"},
    treatment="truth",
    control="coin",
)
SUPPORTED, REFUTED, UNDECIDED = Outcome.SUPPORTED, Outcome.REFUTED, Outcome.UNDECIDED


def record(*claims: Claim, seeds: tuple[int, ...] = (0, 1, 2)) -> dict[str, Any]:
    arms = [
        {"name": name, "base": base}
        for name, base in (
            ("truth", "base:planted"),
            ("coin", "base:planted"),
            ("other", "base:barren"),
        )
    ]
    return {"arms": arms, "seeds": list(seeds), "claims": [encode(claim) for claim in claims]}


def rows(arm: str, table: dict[int | None, list[float]], **more: Any) -> list[Measurement]:
    """Per-problem rows: seed -> a value for each problem a, b, c and so on."""
    return [
        measurement(
            arm=arm,
            seed=seed,
            value=value,
            labels={"k": "1", "problem": chr(ord("a") + p)},
            sources=(f"{arm}-{seed}",),
            **more,
        )
        for seed, values in table.items()
        for p, value in enumerate(values)
    ]


def verdict(
    measurements: list[Measurement], claim: Claim = CLAIM, seeds: tuple[int, ...] = (0, 1, 2)
) -> Verdict:
    (found,) = judge(record(claim, seeds=seeds), measurements)
    return found


@pytest.mark.parametrize(
    ("expects", "margin", "lower", "upper", "outcome", "reason"),
    [
        ("greater", 0.0, 0.01, 0.2, SUPPORTED, "the whole interval lies above 0"),
        ("greater", 0.0, -0.2, -0.01, REFUTED, "the whole interval lies below 0"),
        ("greater", 0.0, -0.1, 0.1, UNDECIDED, "the interval contains 0"),
        ("greater", 0.1, 0.05, 0.2, UNDECIDED, "the interval contains 0.1"),
        ("greater", 0.1, 0.11, 0.2, SUPPORTED, "the whole interval lies above 0.1"),
        ("greater", 0.1, 0.01, 0.09, REFUTED, "the whole interval lies below 0.1"),
        ("less", 0.0, -0.2, -0.01, SUPPORTED, "the whole interval lies below 0"),
        ("less", 0.0, 0.01, 0.2, REFUTED, "the whole interval lies above 0"),
        ("less", 0.0, -0.1, 0.1, UNDECIDED, "the interval contains 0"),
        ("less", 0.1, -0.2, -0.11, SUPPORTED, "the whole interval lies below -0.1"),
        ("less", 0.1, -0.09, 0.2, REFUTED, "the whole interval lies above -0.1"),
        ("less", 0.1, -0.2, -0.05, UNDECIDED, "the interval contains -0.1"),
        ("same", 0.1, -0.09, 0.09, SUPPORTED, "the whole interval lies within 0.1 of 0"),
        ("same", 0.1, 0.1, 0.3, REFUTED, "the whole interval lies 0.1 or more from 0"),
        ("same", 0.1, -0.3, -0.1, REFUTED, "the whole interval lies 0.1 or more from 0"),
        ("same", 0.1, 0.05, 0.3, UNDECIDED, "the interval reaches beyond 0.1 from 0"),
        ("same", 0.1, -0.3, 0.3, UNDECIDED, "the interval reaches beyond 0.1 from 0"),
        ("same", 0.0, -0.1, 0.1, UNDECIDED, "the interval reaches beyond 0 from 0"),
    ],
)
def test_the_interval_decides(
    expects: Literal["greater", "less", "same"],
    margin: float,
    lower: float,
    upper: float,
    outcome: Outcome,
    reason: str,
) -> None:
    estimate = Estimate((lower + upper) / 2, lower, upper, "by hand")
    assert decide(replace(CLAIM, expects=expects, margin=margin), estimate) == (outcome, reason)


@pytest.mark.parametrize("expects", ["greater", "less", "same"])
def test_without_an_interval_nothing_is_decided(
    expects: Literal["greater", "less", "same"],
) -> None:
    assert decide(replace(CLAIM, expects=expects), Estimate(9.0, None, None, "none: one seed")) == (
        UNDECIDED,
        "none: one seed",
    )


def test_a_contrast_by_hand() -> None:
    truth = {0: [0.6, 0.8], 1: [0.7, 0.9], 2: [0.8, 1.0]}
    coin = {0: [0.5, 0.5], 1: [0.5, 0.4], 2: [0.3, 0.9]}
    found = verdict(rows("truth", truth) + rows("coin", coin))
    difference_SP = np.array([[0.1, 0.3], [0.2, 0.5], [0.5, 0.1]])
    expected = paired_contrast(difference_SP, address="It helps./boundary/pass_at_k")
    assert found.estimate == pytest.approx(1.7 / 6)
    assert (found.treatment_mean, found.control_mean) == (
        pytest.approx(4.8 / 6),
        pytest.approx(3.1 / 6),
    )
    assert expected.upper is not None and expected.upper > 1
    assert (found.lower, found.upper) == (pytest.approx(expected.lower), 1.0), (
        "shares differ by no more than 1"
    )
    assert found.smallest_visible == pytest.approx(smallest_visible(expected, 0.0))
    assert (found.num_seeds, found.num_problems, found.unit, found.interval) == (
        3,
        2,
        "share",
        expected.interval,
    )
    assert found.evidence == ("coin-0", "coin-1", "coin-2", "truth-0", "truth-1", "truth-2")


def test_an_interval_of_shares_does_not_reach_past_what_shares_can_differ() -> None:
    found = verdict(
        rows("truth", {0: [1.0, 0.9, 0.0], 1: [0.1, 0.0, 1.0]})
        + rows("coin", {0: [0.0, 0.0, 1.0], 1: [1.0, 1.0, 0.0]}),
        seeds=(0, 1),
    )
    assert (found.lower, found.upper) == (-1.0, 1.0)
    assert found.smallest_visible is not None and found.smallest_visible > 1, (
        "nothing this study could have seen would have been called"
    )


def test_a_clear_difference_is_supported_and_its_opposite_refuted() -> None:
    high = {seed: [0.9, 0.8, 0.9] * 8 for seed in range(3)}
    low = {seed: [0.1, 0.2, 0.1] * 8 for seed in range(3)}
    assert verdict(rows("truth", high) + rows("coin", low)).outcome is SUPPORTED
    assert verdict(rows("truth", low) + rows("coin", high)).outcome is REFUTED
    assert (
        verdict(rows("truth", high) + rows("coin", low), replace(CLAIM, expects="less")).outcome
        is REFUTED
    )


def test_equal_arms_are_the_same_only_where_enough_problems_say_so() -> None:
    same = replace(CLAIM, expects="same", margin=0.1)
    for count, outcome in ((8, UNDECIDED), (64, SUPPORTED)):
        solved = {seed: [1.0] * count for seed in range(3)}
        assert verdict(rows("truth", solved) + rows("coin", solved), same).outcome is outcome


def test_pairs_are_made_by_problem_and_seed_and_not_by_the_order_of_rows() -> None:
    truth = rows("truth", {0: [0.6, 0.8], 1: [0.7, 0.9]})
    coin = rows("coin", {0: [0.5, 0.7], 1: [0.6, 0.8]})
    found = verdict([*reversed(coin), *truth], seeds=(0, 1))
    assert found.estimate == pytest.approx(0.1)
    # every pair differs by 0.1, so what is left is the doubt about kinds that were never met
    assert found.interval.startswith("all 2 problems alike")


def test_only_problems_that_every_seed_of_both_arms_has_are_compared() -> None:
    found = verdict(
        rows("truth", {0: [1.0, 1.0, 1.0], 1: [1.0, 1.0]})
        + rows("coin", {0: [0.0, 0.5, 0.5], 1: [0.0, 0.5]}),
        seeds=(0, 1),
    )
    assert (found.num_problems, found.estimate) == (2, pytest.approx(0.75))
    assert found.reason.endswith("; 2 of 3 problems have a number in every cell")


def aggregate(arm: str, seed: int | None, n: int, dropped: int, **more: Any) -> Measurement:
    return measurement(arm=arm, seed=seed, n=n, over="problems", dropped=dropped, **more)


def test_missing_problems_may_have_been_anything_by_hand() -> None:
    """3 of 4: the interval 0.4 to 0.6 becomes 3/4 x 0.4 - 1/4 = 0.05 to 3/4 x 0.6 + 1/4 = 0.7."""
    unpaired, seen = Unpaired(3, 4, (-1.0, 1.0)), Estimate(0.5, 0.4, 0.6, "by hand")
    found = unpaired.widened(seen)
    assert (found.value, found.lower, found.upper) == (0.5, pytest.approx(0.05), pytest.approx(0.7))
    assert found.interval == "by hand; widened to cover any values of the problems without a number"
    # lower' > 0.1 needs 3/4 x lower > 0.1 + 1/4: the three must show 0.35 / 0.75, and 0.1 x (1 +
    # 0.8416 / 1.96) for the noise
    assert unpaired.smallest_visible(seen, 0.1) == pytest.approx(
        0.35 / 0.75 + 0.1 * (1 + 0.841621 / 1.959964)
    )
    differences = Unpaired(3, 4, (-2.0, 2.0)).widened(seen)
    assert (differences.lower, differences.upper) == (pytest.approx(-0.2), pytest.approx(0.95))


def test_an_arm_does_not_win_by_losing_its_hard_problems() -> None:
    """16 problems of 64 have a number in the treatment, all of them right; were the others wrong it
    would lose.
    """
    coin = rows("coin", {seed: [0.5] * 64 for seed in range(3)})
    truth = rows("truth", {seed: [1.0] * 16 for seed in range(3)})
    found = verdict(truth + coin)
    assert (found.outcome, found.estimate, found.num_problems) == (UNDECIDED, 0.5, 16)
    unseen = 0.025 ** (1 / 16)  # all 16 alike: 1 - 0.025^(1 / 16) of all may stand at a bound
    assert found.lower == pytest.approx(0.25 * (0.5 - (1 - unseen) * 1.5) - 0.75)
    assert found.upper == pytest.approx(0.25 * (0.5 + (1 - unseen) * 0.5) + 0.75)
    assert found.reason == "the interval contains 0; 16 of 64 problems have a number in every cell"
    assert (
        verdict(rows("truth", {seed: [1.0] * 64 for seed in range(3)}) + coin).outcome is SUPPORTED
    )


def test_few_missing_problems_do_not_overturn_a_clear_difference() -> None:
    coin, truth = (
        rows("coin", {seed: [0.0] * 64 for seed in range(3)}),
        rows("truth", {seed: [1.0] * 60 for seed in range(3)}),
    )
    found = verdict(truth + coin)
    assert (found.outcome, found.reason) == (
        SUPPORTED,
        "the whole interval lies above 0; 60 of 64 problems have a number in every cell",
    )


@pytest.mark.parametrize("side", ["truth", "coin"])
def test_problems_that_nobody_has_a_number_for_are_counted_by_the_aggregates(side: str) -> None:
    table = rows("truth", {0: [1.0, 0.5], 1: [1.0, 0.5]}) + rows(
        "coin", {0: [0.0, 0.0], 1: [0.0, 0.0]}
    )
    assert (
        "problems have a number"
        not in verdict([*table, aggregate(side, 1, 2, 0)], seeds=(0, 1)).reason
    )
    found = verdict([*table, aggregate(side, 1, 2, 6)], seeds=(0, 1))
    assert found.reason.endswith("2 of 8 problems have a number in every cell")
    assert found.lower == pytest.approx(0.25 * (verdict(table, seeds=(0, 1)).lower or 0) - 0.75)
    unknown = aggregate(side, 1, 0, 8, value=None)
    assert verdict([*table, unknown], seeds=(0, 1)).reason == found.reason, (
        "an aggregate without a number knows its problems too"
    )
    draws = measurement(arm=side, seed=1, n=16, over="draws", dropped=6)
    assert "problems have a number" not in verdict([*table, draws], seeds=(0, 1)).reason


def test_without_bounds_missing_problems_leave_no_interval() -> None:
    claim = replace(CLAIM, metric="behaviour/length_tokens")
    more = {"metric": claim.metric, "unit": "tokens"}
    truth, coin = (
        rows("truth", {0: [9.0, 8.0], 1: [9.0, 7.0]}, **more),
        rows("coin", {0: [1.0] * 3, 1: [1.0] * 3}, **more),
    )
    found = verdict(truth + coin, claim, seeds=(0, 1))
    assert (found.outcome, found.estimate, found.lower, found.upper) == (
        UNDECIDED,
        7.25,
        None,
        None,
    )
    assert found.smallest_visible is None
    assert found.reason == found.interval == "none: 2 of 3 problems have a number in every cell"


def test_one_seed_and_missing_problems_are_both_said() -> None:
    found = verdict(rows("truth", {0: [0.9]}) + rows("coin", {0: [0.1, 0.1]}), seeds=(0,))
    assert (found.outcome, found.lower) == (UNDECIDED, None)
    assert (
        found.reason
        == "none: one seed says nothing about other seeds; 1 of 2 problems have a number in every "
        "cell"
    )


def test_a_missing_seed_is_said() -> None:
    truth = {seed: [0.9, 0.8] * 12 for seed in range(3)}
    coin = {seed: [0.1, 0.1] * 12 for seed in (0, 2)}
    found = verdict(rows("truth", truth) + rows("coin", coin))
    assert found.num_seeds == 2
    assert found.reason == "the whole interval lies above 0; 2 of 3 seeds have rows"


def test_one_seed_gives_an_estimate_and_no_decision() -> None:
    found = verdict(rows("truth", {0: [0.9, 0.9]}) + rows("coin", {0: [0.1, 0.1]}))
    assert (found.outcome, found.lower, found.smallest_visible) == (UNDECIDED, None, None)
    assert found.estimate == pytest.approx(0.8)
    assert found.reason.endswith("1 of 3 seeds have rows")


@pytest.mark.parametrize(
    "measurements",
    [
        [],
        rows("truth", {0: [0.5]}),
        rows("truth", {0: [0.5]}) + rows("coin", {1: [0.5]}),
        rows("truth", {0: [0.5]}) + rows("coin", {0: [0.5]}, metric="boundary/other"),
        [*rows("truth", {0: [0.5]}), measurement(arm="coin", value=None)],
    ],
    ids=[
        "no rows",
        "no control",
        "no common seed",
        "another metric",
        "a value that could not be computed",
    ],
)
def test_a_claim_without_a_pair_was_not_run(measurements: list[Measurement]) -> None:
    found = verdict(measurements)
    assert (found.outcome, found.estimate, found.num_seeds) == (Outcome.NOT_RUN, None, 0)
    assert found.reason == "no row of boundary/pass_at_k {'k': '1'} pairs truth with coin"


def test_a_claim_whose_labels_no_row_has_is_told_which_there_are() -> None:
    found = verdict(
        rows("truth", {0: [0.5]}) + rows("coin", {0: [0.5]}), replace(CLAIM, labels={"k": "3"})
    )
    assert found.outcome is Outcome.NOT_RUN and found.reason.endswith(
        "pairs truth with coin; its rows have k 1"
    )


def test_the_base_is_paired_with_every_seed() -> None:
    claim = replace(CLAIM, control="base")
    found = verdict(
        rows("truth", {0: [0.6, 0.8], 1: [0.8, 1.0]})
        + rows("base:planted", {None: [0.5, 0.5]}, step=0),
        claim,
        seeds=(0, 1),
    )
    assert found.estimate == pytest.approx((0.1 + 0.3 + 0.3 + 0.5) / 4)
    assert (found.num_seeds, found.control_mean) == (2, 0.5)


def test_each_arm_is_held_against_its_own_base() -> None:
    bases = rows("base:planted", {None: [0.5]}, step=0) + rows("base:barren", {None: [0.1]}, step=0)
    table = rows("truth", {0: [0.6]}) + rows("other", {0: [0.6]}) + bases
    assert verdict(table, replace(CLAIM, control="base")).estimate == pytest.approx(0.1)
    assert verdict(
        table, replace(CLAIM, treatment="other", control="base")
    ).estimate == pytest.approx(0.5)


def test_another_starts_base_is_not_taken() -> None:
    found = verdict(
        rows("truth", {0: [0.6]}) + rows("base:barren", {None: [0.5]}, step=0),
        replace(CLAIM, control="base"),
    )
    assert found.outcome is Outcome.NOT_RUN


def test_only_rows_with_exactly_the_claims_labels_are_read() -> None:
    mine = rows("truth", {0: [0.5]})
    others = [
        measurement(value=0.9, labels={"k": "2", "problem": "a"}),
        measurement(value=0.9, labels={"problem": "a"}),
        measurement(value=0.9, labels={"k": "1", "problem": "a", "strategy": "talk"}),
    ]
    assert values_of("truth", CLAIM, mine + others).by_seed == {0: {"a": 0.5}}


def test_per_problem_rows_go_before_the_aggregate() -> None:
    aggregate = measurement(value=0.99)
    assert values_of("truth", CLAIM, [aggregate, *rows("truth", {0: [0.5, 0.7]})]).by_seed == {
        0: {"a": 0.5, "b": 0.7}
    }


def test_a_metric_without_problems_is_one_number_per_seed() -> None:
    claim = replace(CLAIM, metric="weights/update_norm", labels={"matrix": "all"})
    table = [
        measurement(
            arm=arm,
            seed=seed,
            metric=claim.metric,
            unit="l2",
            value=value,
            labels={"matrix": "all"},
        )
        for arm, values in {"truth": [1.0, 2.0], "coin": [0.5, 0.5]}.items()
        for seed, value in enumerate(values)
    ]
    found = verdict(table, claim, seeds=(0, 1))
    assert (found.estimate, found.num_seeds, found.num_problems, found.unit) == (1.0, 2, 0, "l2")
    assert found.lower is not None and not math.isnan(found.lower)


def test_the_last_step_counts() -> None:
    early, late = rows("truth", {0: [0.1]}, step=2), rows("truth", {0: [0.9]}, step=4)
    assert values_of("truth", CLAIM, late + early).by_seed == {0: {"a": 0.9}}


def test_a_true_zero_is_a_value() -> None:
    assert values_of("truth", CLAIM, rows("truth", {0: [0.0]})).by_seed == {0: {"a": 0.0}}


def test_verdicts_come_in_the_order_of_the_claims() -> None:
    second = replace(CLAIM, sentence="It hurts.", expects="less")
    found = judge(record(CLAIM, second), rows("truth", {0: [0.5]}) + rows("coin", {0: [0.5]}))
    assert [one.claim for one in found] == [CLAIM, second] == read_claims(record(CLAIM, second))


def test_rows_that_contradict_each_other_are_refused() -> None:
    """A later row must not count in silence; a copy of a row may stand."""
    mine = rows("truth", {0: [0.75]})
    assert values_of("truth", CLAIM, [*mine, *mine]).by_seed == {0: {"a": 0.75}}
    with pytest.raises(RunDirectoryError, match=r"(?s)0\.75 and 0\.25 for arm truth, seed 0"):
        values_of("truth", CLAIM, [*mine, *rows("truth", {0: [0.25]})])


def test_errors_of_all_claims_together_are_holms() -> None:
    """Two claims read the same rows, one of them twice as far from its margin."""
    spread = {seed: [0.5 + 0.1 * seed + 0.01 * p for p in range(24)] for seed in range(3)}
    low = {seed: [0.3] * 24 for seed in range(3)}
    claims = (CLAIM, replace(CLAIM, sentence="By 0.3.", margin=0.3))
    verdicts = judge(record(*claims), rows("truth", spread) + rows("coin", low))
    errors = [found.error for found in verdicts]
    assert errors[0] is not None and errors[1] is not None and errors[0] < errors[1]
    assert verdicts[0].error_of_all == pytest.approx(2 * errors[0])
    assert verdicts[1].error_of_all == pytest.approx(max(2 * errors[0], errors[1]))
    for found in verdicts:
        called = found.outcome in (SUPPORTED, REFUTED)
        assert found.error is not None and called == (found.error <= 0.05)


def test_a_seed_that_collapsed_is_named_and_moves_the_mean_alone() -> None:
    fallen = {0: 0.6, 1: 0.62, 2: 0.58, 3: 0.1, 4: 0.61}
    truth = {seed: [level] * 24 for seed, level in fallen.items()}
    coin = {seed: [0.5] * 24 for seed in range(5)}
    found = verdict(rows("truth", truth) + rows("coin", coin), seeds=(0, 1, 2, 3, 4))
    assert found.apart == "3"
    assert found.by_seed["3"] == pytest.approx(-0.4)
    assert found.estimate == pytest.approx(0.002)
    assert found.median == pytest.approx(0.1)
    # sorted: -0.4, 0.08, 0.1, 0.11, 0.12; the quarter cut from each end is 1.25 seeds
    assert found.middle_half == pytest.approx((0.75 * 0.08 + 0.1 + 0.75 * 0.11) / 2.5)
    assert found.improves == pytest.approx(0.8)


def test_equivalence_reads_two_one_sided_tests() -> None:
    same = replace(CLAIM, expects="same", margin=0.1)
    outer, inner = Estimate(0.0, -0.105, 0.105, "95"), Estimate(0.0, -0.09, 0.09, "90")
    outcome, reason = decide(same, outer, inner)
    assert outcome is SUPPORTED
    assert reason == "the 90% interval [-0.09, +0.09] of two one-sided tests lies within 0.1 of 0"
    assert decide(same, outer)[0] is UNDECIDED


def test_a_number_per_seed_says_that_it_is_of_these_problems() -> None:
    kl = replace(CLAIM, metric="losses/kl_to_base", labels={})
    several = {"metric": "losses/kl_to_base", "unit": "nats", "labels": {}, "over": "problems"}
    measurements = [
        measurement(arm=arm, seed=seed, value=value + 0.1 * seed, **several)
        for arm, value in (("truth", 2.0), ("coin", 0.5))
        for seed in range(3)
    ]
    found = verdict(measurements, kl)
    assert found.reason.endswith("; over seeds alone, for these problems and no others")
    weights = [replace(row, over="weights") for row in measurements]
    assert "these problems" not in verdict(weights, kl).reason
