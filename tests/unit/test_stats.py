import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as distributions

from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.stats import (
    Contrast,
    Estimate,
    crossing_over_problems,
    curve_over_problems,
    mean_over_pairs,
    mean_over_problems,
    paired_contrast,
    pass_at_k,
    pass_at_ks,
    problems,
    ratio_over_problems,
    smallest_error,
    smallest_visible,
    statistic_over_problems,
    unseen_share,
)


def test_pass_at_k_by_hand() -> None:
    assert pass_at_k(5, 0, 3) == 0.0
    assert pass_at_k(5, 5, 1) == 1.0
    assert pass_at_k(5, 2, 1) == pytest.approx(2 / 5)
    assert pass_at_k(5, 2, 3) == pytest.approx(
        1 - 1 / 10
    )  # of the 10 triples one has no right draw
    assert pass_at_k(5, 3, 3) == 1.0


@pytest.mark.parametrize("num_draws", [1, 4, 7])
def test_pass_at_k_is_the_share_of_subsets_with_a_right_draw(num_draws: int) -> None:
    for num_correct in range(num_draws + 1):
        draws = [True] * num_correct + [False] * (num_draws - num_correct)
        for k in range(1, num_draws + 1):
            subsets = [any(chosen) for chosen in itertools.combinations(draws, k)]
            assert pass_at_k(num_draws, num_correct, k) == pytest.approx(
                sum(subsets) / len(subsets), abs=1e-12
            )


@pytest.mark.parametrize(
    ("num_draws", "num_correct", "k"), [(4, 1, 5), (4, 1, 0), (4, 5, 2), (4, -1, 2), (0, 0, 1)]
)
def test_pass_at_k_refuses_what_has_no_unbiased_estimate(
    num_draws: int, num_correct: int, k: int
) -> None:
    with pytest.raises(ComponentError, match=f"n={num_draws}, c={num_correct}, k={k}"):
        pass_at_k(num_draws, num_correct, k)


def test_the_mean_over_problems_by_hand() -> None:
    estimate = mean_over_problems([0.0, 0.25, 0.5, 1.0], address="a", bounds=(0.0, 1.0))
    assert estimate.value == 0.4375
    assert estimate.lower is not None and estimate.upper is not None
    assert 0.0 <= estimate.lower < 0.4375 < estimate.upper <= 1.0
    assert estimate.interval == "bootstrap over 4 problems"


def test_few_problems_are_covered_as_often_as_many() -> None:
    """Without the stretch, percentiles of 8 resampled problems cover 0.88."""
    random = generator("few problems")
    covered = 0
    for study in range(600):
        estimate = mean_over_problems(list(random.normal(0.0, 1.0, 8)), address=f"few/{study}")
        assert estimate.lower is not None and estimate.upper is not None
        covered += estimate.lower <= 0.0 <= estimate.upper
    assert 0.93 <= covered / 600 <= 0.975


@pytest.mark.parametrize("centred", [False, True])
def test_any_statistic_of_few_problems_is_covered_as_often_as_a_mean(
    centred: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the stretch, these 600 studies of 8 problems are covered 0.90 of the time by
    percentiles and 0.91 by standard errors.
    """
    monkeypatch.setattr(problems, "SLOW_DRAWS", 400)
    random, covered = generator("few problems"), 0
    for study in range(600):
        value_P = random.normal(0.0, 1.0, 8)
        estimate = statistic_over_problems(
            8,
            lambda w_SP, x_P=value_P: w_SP @ x_P / w_SP.sum(axis=1),
            address=f"{study}",
            centred=centred,
        )
        assert estimate is not None and estimate.lower is not None and estimate.upper is not None
        covered += estimate.lower <= 0.0 <= estimate.upper
    assert 0.93 <= covered / 600 <= 0.975


def test_the_stretch_of_a_statistic_by_hand() -> None:
    """Two problems, 0 and 1: resamples are 0, 1/2 and 1, so the raw ends are 0 and 1; sqrt(2 / 1) x
    t(1) / z = 9.1678 stretches them.
    """

    def mean(weight_SP: np.ndarray) -> np.ndarray:
        return np.asarray(weight_SP[:, 1] / 2)

    found = statistic_over_problems(2, mean, address="a")
    stretch = math.sqrt(2) * 12.706205 / 1.959964
    assert found is not None and (found.lower, found.upper) == (
        pytest.approx(0.5 - stretch / 2),
        pytest.approx(0.5 + stretch / 2),
    )
    kept = statistic_over_problems(2, mean, address="a", bounds=(0.0, 1.0))
    assert kept == Estimate(0.5, 0.0, 1.0, "bootstrap over 2 problems")


def test_a_statistic_that_no_resample_has_is_a_value_without_an_interval() -> None:
    found = statistic_over_problems(
        2, lambda w_SP: np.where(np.arange(len(w_SP)) + len(w_SP) == 1, 0.5, np.nan), address="a"
    )
    assert found == Estimate(0.5, None, None, "none: no resample of the problems has such a value")


def test_the_bootstrap_over_problems_finds_the_quantiles_of_the_normal_limit() -> None:
    value_P = generator("normal limit").normal(2.0, 3.0, 400)
    estimate = mean_over_problems(list(value_P), address="a")
    half = 1.96 * value_P.std() / math.sqrt(400)
    assert estimate.lower == pytest.approx(value_P.mean() - half, abs=0.08 * half)
    assert estimate.upper == pytest.approx(value_P.mean() + half, abs=0.08 * half)


def test_equal_problems_leave_no_doubt() -> None:
    estimate = mean_over_problems([0.5, 0.5, 0.5], address="a")
    assert (estimate.lower, estimate.upper) == (0.5, 0.5)


def test_equal_problems_between_bounds_leave_the_doubt_of_what_was_not_met() -> None:
    """0 of 64: a share of 0.056 would be missed by all 64 problems with probability (1 - 0.056)^64
    = 0.025.
    """
    assert (1 - unseen_share(64)) ** 64 == pytest.approx(0.025)
    solved = mean_over_problems([1.0] * 64, address="a", bounds=(0.0, 1.0))
    assert (solved.value, solved.upper) == (1.0, 1.0) and solved.lower == pytest.approx(
        1 - 0.0560, abs=1e-4
    )
    assert solved.interval == "all 64 problems alike; a kind met 0 times in 64 may be 5.6% of all"
    right = ratio_over_problems([2.0, 0.0, 3.0], [2.0, 0.0, 3.0], address="a", bounds=(0.0, 1.0))
    assert (right.value, right.upper) == (1.0, 1.0) and right.lower == pytest.approx(
        math.sqrt(0.025)
    )  # two problems have a say
    apart = mean_over_problems([0.0, 1.0], address="a", bounds=(0.0, 1.0))
    assert (apart.lower, apart.upper) == (0.0, 1.0), "no interval leaves the bounds"


def test_no_difference_between_bounds_leaves_doubt_on_both_sides() -> None:
    estimate = paired_contrast(np.zeros((3, 64)), address="a", bounds=(-1.0, 1.0))
    assert estimate.value == 0.0
    assert (estimate.lower, estimate.upper) == (
        pytest.approx(-0.0560, abs=1e-4),
        pytest.approx(0.0560, abs=1e-4),
    )
    per_seed = paired_contrast(np.zeros((3, 1)), address="a", bounds=(-1.0, 1.0))
    assert (
        per_seed.upper == pytest.approx(1 - 0.025 ** (1 / 3))
        and "all 3 seeds alike" in per_seed.interval
    )


def test_one_problem_has_a_mean_and_no_interval() -> None:
    for estimate in (
        mean_over_problems([0.3], address="a"),
        ratio_over_problems([0.6], [2.0], address="a"),
    ):
        assert estimate == Estimate(0.3, None, None, "none: fewer than 2 problems")


def test_a_ratio_weighs_problems_by_their_denominator() -> None:
    estimate = ratio_over_problems([1.0, 0.0, 3.0], [1.0, 4.0, 5.0], address="a", bounds=(0.0, 1.0))
    assert estimate.value == pytest.approx(4 / 10)  # the mean of the three ratios would be 0.53
    assert estimate.lower is not None and estimate.upper is not None
    assert 0.0 <= estimate.lower < 0.4 < estimate.upper <= 1.0


def test_a_ratio_leaves_out_draws_with_an_empty_denominator() -> None:
    estimate = ratio_over_problems([1.0, 0.0, 0.0], [1.0, 0.0, 0.0], address="a")
    assert (estimate.value, estimate.lower, estimate.upper) == (1.0, 1.0, 1.0)


def test_a_ratio_over_nothing_is_refused() -> None:
    with pytest.raises(ComponentError, match="nothing in its denominator"):
        ratio_over_problems([0.0, 0.0], [0.0, 0.0], address="a")


def test_the_same_rows_under_the_same_address_give_the_same_interval() -> None:
    value_P = list(generator("rows").random(20))
    assert mean_over_problems(value_P, address="a") == mean_over_problems(value_P, address="a")
    assert mean_over_problems(value_P, address="a") != mean_over_problems(value_P, address="b")
    difference_SP = generator("table").normal(size=(3, 20))
    assert paired_contrast(difference_SP, address="a") == paired_contrast(
        difference_SP, address="a"
    )
    assert paired_contrast(difference_SP, address="a") != paired_contrast(
        difference_SP, address="b"
    )


def test_a_contrast_by_hand_when_only_seeds_differ() -> None:
    """One resampling of three seeds in 27 is the lowest alone: more than 2.5 %, so the raw ends are
    the extremes.
    """
    difference_SP = np.repeat(np.array([[0.0], [1.0], [5.0]]), 4, axis=1)
    estimate = paired_contrast(difference_SP, address="a")
    stretch = math.sqrt(3 / 2) * 4.302653 / 1.959964  # t(2) over z at 97.5 %
    assert estimate.value == 2.0
    assert estimate.lower == pytest.approx(2.0 - 2.0 * stretch, abs=1e-5)
    assert estimate.upper == pytest.approx(2.0 + 3.0 * stretch, abs=1e-5)
    assert estimate.interval == "bootstrap over 3 seeds x 4 problems, small-sample stretch 2.69"


def test_one_number_per_seed_is_a_resampling_of_seeds() -> None:
    estimate = paired_contrast(np.array([[0.0], [1.0], [5.0]]), address="a")
    stretch = math.sqrt(3 / 2) * 4.302653 / 1.959964
    assert (estimate.lower, estimate.upper) == (
        pytest.approx(2 - 2 * stretch, abs=1e-5),
        pytest.approx(2 + 3 * stretch, abs=1e-5),
    )


def test_from_five_seeds_on_the_interval_is_the_two_way_analysis_of_variance() -> None:
    """By hand: seeds differ by 0, 1, 2, 3, 4 and two problems by 0 and 1, without a rest. MS of
    seeds = 2 x 10 / 4 = 5, of problems = 5 x 0.5 / 1 = 2.5, T = 7.5; degrees = 7.5^2 / (25 / 4 +
    6.25) = 4.5; standard error = sqrt(7.5 / 10).
    """
    difference_SP = np.arange(5.0)[:, None] + np.arange(2.0)[None]
    estimate = paired_contrast(difference_SP, address="a")
    half = float(distributions.t.ppf(0.975, 4.5)) * math.sqrt(0.75)
    assert estimate.value == 2.5
    assert (estimate.lower, estimate.upper) == (
        pytest.approx(2.5 - half),
        pytest.approx(2.5 + half),
    )
    assert estimate.interval == (
        "analysis of variance, 5 seeds x 2 problems, 4.5 degrees of freedom"
    )


def test_one_draw_that_differs_does_not_end_the_doubt() -> None:
    """All of 64 problems alike leave 0.056; one draw of 49,152 that differs leaves as much."""
    difference_SP = np.zeros((3, 64))
    equal = paired_contrast(difference_SP, address="a", bounds=(-1.0, 1.0))
    difference_SP[0, 5] = -1 / 256
    nearly = paired_contrast(difference_SP, address="a", bounds=(-1.0, 1.0))
    assert equal.upper == pytest.approx(unseen_share(64))
    assert nearly.upper == pytest.approx(equal.upper, rel=0.1)
    assert nearly.lower == pytest.approx(equal.lower, rel=0.1)
    mean = mean_over_problems([0.0] * 63 + [1 / 256], address="a", bounds=(0.0, 1.0))
    assert mean.upper == pytest.approx(unseen_share(64), rel=0.1)


def test_what_is_to_show_no_difference_always_keeps_the_doubt() -> None:
    """Every problem differs by a little: a rise is read from the spread, sameness is not."""
    random = np.random.default_rng(0)
    difference_SP = random.choice([-1, 1], (5, 64)) / 256
    rise = Contrast(difference_SP, "a", (-1.0, 1.0)).estimate()
    none = Contrast(difference_SP, "a", (-1.0, 1.0), shows_none=True).estimate()
    assert rise.upper is not None and rise.upper < 0.002
    assert none.upper == pytest.approx(unseen_share(64), rel=0.1)
    assert none.lower == pytest.approx(-unseen_share(64), rel=0.1)


def test_pass_at_k_of_no_right_draw_is_exactly_none() -> None:
    rates_PK = pass_at_ks(np.array([64, 63, 7]), np.array([0, 0, 0]), [1, 2, 7])
    assert (rates_PK == 0).all()
    share_PK = pass_at_ks(np.array([64, 48]), np.array([16, 12]), [1])
    assert (share_PK == 0.25).all(), "the same share of other numbers of draws is the same number"


def test_rounding_is_no_difference() -> None:
    difference_SP = np.full((3, 64), 1.8e-14)
    difference_SP[0, 0] = 0.0
    estimate = paired_contrast(difference_SP, address="a", bounds=(-1.0, 1.0))
    assert estimate.lower is not None and estimate.lower < -0.05


def test_the_smallest_error_is_the_p_value_of_the_interval() -> None:
    def estimate(level: float) -> Estimate:
        half = float(distributions.norm.ppf((1 + level) / 2))
        return Estimate(2.0, 2.0 - half, 2.0 + half, "normal, standard error 1")

    found = smallest_error(lambda made: made.lower is not None and made.lower > 0, estimate)
    assert found == pytest.approx(2 * float(distributions.norm.sf(2.0)), rel=1e-4)
    assert smallest_error(lambda made: made.upper is not None and made.upper < 0, estimate) == 1.0


def test_one_seed_has_no_interval() -> None:
    estimate = paired_contrast(np.array([[0.0, 1.0]]), address="a")
    assert (estimate.value, estimate.lower, estimate.upper) == (0.5, None, None)
    assert "one seed says nothing" in estimate.interval


def test_no_difference_anywhere_is_a_point() -> None:
    estimate = paired_contrast(np.zeros((3, 8)), address="a")
    assert (estimate.value, estimate.lower, estimate.upper) == (0.0, 0.0, 0.0)


NUM_SEEDS, NUM_PROBLEMS = 3, 64
REPLICATES = 1000
MIXES = {
    "seeds alone": (1.0, 0.0, 0.0),
    "problems alone": (0.0, 1.0, 0.0),
    "noise alone": (0.0, 0.0, 1.0),
    "seeds and problems": (1.0, 1.0, 0.0),
    "all three": (1.0, 1.0, 1.0),
    "mostly problems": (0.3, 1.0, 0.3),
}
"""What seeds, problems and noise each add to the grand mean's standard deviation, in equal units.
"""


def coverage(mix: tuple[float, float, float]) -> tuple[float, float]:
    """Share of intervals that hold the true mean 0, with the small-sample stretch and without
    it.
    """
    of_seeds, of_problems, of_noise = mix
    held = raw_held = 0
    for replicate in range(REPLICATES):
        random = generator("coverage", *mix, replicate)
        difference_SP = (
            of_seeds * math.sqrt(NUM_SEEDS) * random.normal(size=(NUM_SEEDS, 1))
            + of_problems * math.sqrt(NUM_PROBLEMS) * random.normal(size=(1, NUM_PROBLEMS))
            + of_noise
            * math.sqrt(NUM_SEEDS * NUM_PROBLEMS)
            * random.normal(size=(NUM_SEEDS, NUM_PROBLEMS))
        )
        estimate = paired_contrast(difference_SP, address=f"{replicate}")
        assert estimate.lower is not None and estimate.upper is not None
        stretch = float(estimate.interval.rsplit(" ", 1)[1])
        held += estimate.lower <= 0 <= estimate.upper
        raw_held += (
            (estimate.lower - estimate.value) / stretch
            <= -estimate.value
            <= (estimate.upper - estimate.value) / stretch
        )
    return held / REPLICATES, raw_held / REPLICATES


@pytest.mark.parametrize("mix", MIXES)
def test_the_interval_holds_the_truth_as_often_as_it_says(
    mix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rewardscope.stats.contrast.DRAWS", 500)
    stretched, raw = coverage(MIXES[mix])
    error = math.sqrt(0.95 * 0.05 / REPLICATES)
    assert stretched > 0.94 - 3 * error
    assert stretched > raw
    if mix == "seeds alone":
        # three seeds lie on both sides of the truth with probability 1 - 2 / 8, and the raw
        # interval is from the lowest to the highest
        assert raw == pytest.approx(0.75, abs=0.05)
        assert stretched < 0.95 + 4 * error


def test_the_smallest_visible_contrast_is_called_with_the_promised_power() -> None:
    """A mean of known standard error 1 against the margin 0.5, called when its whole normal
    interval lies above.
    """
    visible = smallest_visible(Estimate(0.0, -1.959964, 1.959964, "normal"), 0.5)
    assert visible == pytest.approx(0.5 + 1.959964 + 0.841621, abs=1e-5)
    observed = visible + generator("power").normal(size=200_000)
    assert (observed - 1.959964 > 0.5).mean() == pytest.approx(0.8, abs=0.004)


def test_without_an_interval_nothing_is_known_about_what_is_visible() -> None:
    assert smallest_visible(Estimate(0.0, None, None, "none"), 0.5) is None


@given(st.integers(1, 40), st.data())
def test_pass_at_many_ks_is_pass_at_each(count: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, count))
    found = pass_at_ks(np.array([count]), np.array([correct]), [*range(1, count + 1), count + 1])[0]
    assert found[:-1] == pytest.approx(
        [pass_at_k(count, correct, k) for k in range(1, count + 1)], abs=1e-10
    )
    assert np.isnan(found[-1])


def test_a_band_covers_the_whole_curve_at_once() -> None:
    """400 simulated studies of 64 problems x 5 points; the points of a problem go together, as
    those of a pass@k curve do.
    """
    random = generator("band coverage")
    whole = pointwise = 0.0
    for study in range(400):
        value_PK = np.cumsum(random.normal(0.0, 1.0, (64, 5)), axis=1)
        inside = [
            (e.lower or 0) <= 0 <= (e.upper or 0)
            for e in curve_over_problems(value_PK, address=f"band/{study}")
        ]
        whole += all(inside) / 400
        pointwise += np.mean(inside) / 400
    assert 0.915 <= whole <= 0.975
    assert pointwise > whole, "each point alone is covered more often"


def test_a_curve_of_one_problem_has_no_band_and_one_of_equal_problems_no_width() -> None:
    assert curve_over_problems(np.array([[0.1, 0.2]]), address="a")[0].lower is None
    assert [
        (e.value, e.lower, e.upper) for e in curve_over_problems(np.full((4, 2), 0.5), address="a")
    ] == [(0.5, 0.5, 0.5)] * 2


def test_a_crossing_is_found_between_its_points_and_its_interval_covers_it() -> None:
    place, share = crossing_over_problems(np.array([[1.0, -1.0], [1.0, -1.0]]), [1, 4], address="a")
    assert place is not None and (place.value, share) == (pytest.approx(2.0), 1.0)
    covered = 0
    random = generator("crossing coverage")
    for study in range(200):
        value_PK = (
            np.array([0.3, 0.1, -0.1, -0.3])
            + random.normal(0, 0.2, (64, 1))
            + random.normal(0, 0.05, (64, 4))
        )
        place, _ = crossing_over_problems(value_PK, [1, 2, 4, 8], address=f"crossing/{study}")
        assert place is not None and place.lower is not None and place.upper is not None
        covered += place.lower <= 2**1.5 <= place.upper
    assert 0.90 <= covered / 200 <= 0.985


def test_a_curve_of_one_point_has_nowhere_to_fall() -> None:
    """Boundary(max_k=1) asks for one."""
    assert crossing_over_problems(np.array([[1.0], [0.5], [-0.5]]), [1], address="a") == (None, 0.0)


def test_a_curve_that_starts_behind_never_falls() -> None:
    assert crossing_over_problems(np.array([[-1.0, -2.0], [-1.0, -0.5]]), [1, 2], address="a") == (
        None,
        0.0,
    )
    level = np.array(
        [[0.5, 0.5 - 1e-9, 0.5], [0.25, 0.25, 0.25]]
    )  # nearly level curves must not overflow on the way
    assert crossing_over_problems(level, [1, 16, 256], address="a") == (None, 0.0)


def test_a_mean_over_pairs_by_hand() -> None:
    """Pairs 1, 2, 6 of three units: without a unit one pair is left, the variance is 2/3 of the sum
    of squares about 3.
    """
    value = np.array([[0, 1.0, 2.0], [1.0, 0, 6.0], [2.0, 6.0, 0]])
    found = mean_over_pairs(value)
    assert found.value == pytest.approx(3.0)
    half = 4.302653 * math.sqrt(2 / 3 * (4 + 1 + 9))
    assert (found.lower, found.upper) == (pytest.approx(3 - half), pytest.approx(3 + half))
    assert mean_over_pairs(value[:2, :2]).lower is None


@pytest.mark.parametrize("own", [0.0, 1.0])
def test_the_interval_over_pairs_holds_the_mean_where_units_differ_and_where_pairs_do(
    own: float,
) -> None:
    """1,000 sets of 3 units whose pairs are sums of the units' numbers (exact: 0.95) and have noise
    of their own (too wide).
    """
    held = 0
    for study in range(1000):
        random = generator("pairs", study)
        unit = random.normal(size=3)
        value = unit[:, None] + unit[None] + own * np.triu(random.normal(size=(3, 3)), 1)
        value = np.triu(value, 1) + np.triu(value, 1).T
        found = mean_over_pairs(value)
        held += (
            found.lower is not None and found.upper is not None and found.lower <= 0 <= found.upper
        )
    assert 0.93 <= held / 1000 <= (0.97 if own == 0 else 1.0)


def test_many_problems_are_resampled_by_kind_in_the_same_distribution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The two ways differ by their random digits alone: 2 % of a half width is the Monte Carlo
    error of 4,000 draws.
    """
    random = np.random.default_rng(7)
    right_P = random.binomial(8, random.beta(0.5, 1.5, 4000))
    value_PK = pass_at_ks(np.full(4000, 8), right_P, [1, 2, 4, 8])
    less_PK = value_PK - np.array([0.1, 0.15, 0.4, 0.8])
    seeds_SP = random.binomial(4, 0.5, (3, 4000)) / 4

    def intervals() -> list[Estimate | None]:
        return [
            mean_over_problems(value_PK[:, 0], address="a"),
            ratio_over_problems(value_PK[:, 0], value_PK[:, 3], address="a"),
            *curve_over_problems(value_PK, address="a"),
            crossing_over_problems(less_PK, [1, 2, 4, 8], address="a")[0],
            paired_contrast(seeds_SP, address="a"),
        ]

    each = intervals()
    monkeypatch.setattr("rewardscope.stats.resampling.MANY", 100)
    by_kind = intervals()
    monkeypatch.setattr("rewardscope.stats.resampling.WEIGHTS", 50)
    assert intervals() == by_kind  # in blocks of few draws
    for one, other in zip(each, by_kind, strict=True):
        assert one is not None and other is not None
        assert one.value == pytest.approx(other.value) and one.interval == other.interval
        assert one.lower is not None and one.upper is not None
        assert (one.lower, one.upper) != (other.lower, other.upper)
        apart = 0.08 * (one.upper - one.lower)
        assert (other.lower, other.upper) == pytest.approx((one.lower, one.upper), abs=apart)


def test_the_standard_error_of_resampling_by_kind_is_that_of_the_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rewardscope.stats.resampling.MANY", 1)
    value_P = np.repeat([0.0, 1.0], [750, 250])
    estimate = mean_over_problems(value_P, address="by kind")
    assert estimate.lower is not None and estimate.upper is not None
    half = 1.96 * np.sqrt(0.25 * 0.75 / 1000)
    assert (estimate.upper - estimate.lower) / 2 == pytest.approx(half, rel=0.05)
