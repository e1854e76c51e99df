import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import PROBLEM, evidence, tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.probes.calibration import Calibration, weighted_vote
from rewardscope.probes.forecasts import Forecasts
from rewardscope.seeds import generator
from rewardscope.types import Completion, Ending, Grade, Measurement, Problem, Rollout

POLICY = tiny_policy()
ONCE = np.ones((1, 1))
PAIRS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=12
)


def group(
    pairs: Sequence[tuple[float | None, bool | None]],
    *,
    name: str = "p",
    answers: Sequence[str] | None = None,
) -> Rollout:
    said = answers or ["5"] * len(pairs)
    grades = tuple(
        Grade(c, c, True, answer, confidence=q) for (q, c), answer in zip(pairs, said, strict=True)
    )
    completions = tuple(
        Completion("x", (1, 2), (math.log(0.5), math.log(0.125)), Ending.END_TOKEN) for _ in pairs
    )
    return Rollout(replace(PROBLEM, id=name), 0, completions, grades)


def measured(
    rollouts: Sequence[Rollout], view: str = "stated", bins: int = 10
) -> dict[str, Measurement]:
    rows = Calibration(bins).measure(evidence(POLICY, rollouts))
    return {row.metric.split("/")[1]: row for row in rows if row.labels == {"view": view}}


def forecaster(
    name: str, problems: int = 64, draws: int = 16, too_sure: float = 0.0
) -> list[Rollout]:
    """Each problem has a known chance, the outcome is drawn from it, and the chance (plus what is
    too much) is stated.
    """
    random = generator("forecaster", name)
    chance_P = random.uniform(0.1, 0.7, problems)
    drawn_PN = random.random((problems, draws)) < chance_P[:, None]
    return [
        group([(float(chance) + too_sure, bool(c)) for c in drawn], name=str(p))
        for p, (chance, drawn) in enumerate(zip(chance_P, drawn_PN, strict=True))
    ]


def test_scores_by_hand() -> None:
    found = measured([group([(0.8, True), (0.8, False), (0.2, False)])])
    assert found["brier"].value == pytest.approx((0.04 + 0.64 + 0.04) / 3)
    assert found["log_score"].value == pytest.approx(
        (math.log(0.8) + 2 * math.log(0.2) - math.log(0.2) + math.log(0.8)) / 3
    )
    assert found["overconfidence"].value == pytest.approx((1.8 - 1.0) / 3)
    assert found["reliability"].value == pytest.approx(2 / 3 * 0.3**2 + 1 / 3 * 0.2**2)
    assert found["resolution"].value == pytest.approx(
        2 / 3 * (1 / 2 - 1 / 3) ** 2 + 1 / 3 * (1 / 3) ** 2
    )
    assert found["uncertainty"].value == pytest.approx(2 / 9)
    assert found["auroc"].value == pytest.approx(3 / 4)  # over the two wrong ones: a tie and a win
    assert found["risk_area"].value == pytest.approx((2 * 1 / 2 + 1 * 2 / 3) / 3)


@given(PAIRS)
def test_murphys_parts_make_the_brier_score_where_each_forecast_has_its_bin(
    pairs: list[tuple[float, bool]],
) -> None:
    f = Forecasts.of([pairs], 10)
    parts = f.reliability(ONCE) - f.resolution(ONCE) + f.uncertainty(ONCE)
    assert float(parts[0]) == pytest.approx(float(f.brier(ONCE)[0]), abs=1e-12)


@given(PAIRS)
def test_auroc_is_the_share_of_pairs_in_order(pairs: list[tuple[float, bool]]) -> None:
    right, wrong = [q for q, c in pairs if c], [q for q, c in pairs if not c]
    found = float(Forecasts.of([pairs], 10).auroc(ONCE)[0])
    if not right or not wrong:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(
            np.mean([(a > b) + (a == b) / 2 for a in right for b in wrong])
        )


def test_a_forecaster_who_knows_the_chance_pays_p_times_one_minus_p_and_errs_by_nothing() -> None:
    rollouts = forecaster("known", problems=400)
    found = measured(rollouts)
    p = np.array([r.grades[0].confidence for r in rollouts], dtype=float)
    assert found["brier"].lower is not None and found["brier"].upper is not None
    assert found["brier"].lower <= (p * (1 - p)).mean() <= found["brier"].upper
    assert found["error"].lower == 0.0
    assert found["error_plug_in"].value is not None and found["error"].value is not None
    assert found["error"].value < found["error_plug_in"].value, "the plug-in takes noise for error"


def test_the_expected_calibration_error_of_papers_by_hand() -> None:
    """Ten bins of equal width: 0.95 and 1.0 share the last, 0.1 has the second."""
    found = measured([group([(0.95, True), (1.0, False), (0.1, False), (0.1, True)])])
    # |0.95 + 1.0 - 1| / 4 + |0.1 + 0.1 - 1| / 4
    assert found["ece"].value == pytest.approx(0.95 / 4 + 0.8 / 4)


def test_calibration_error_covers_zero_and_the_overconfidence_that_was_planted() -> None:
    zero = planted = 0
    for study in range(100):
        zero += measured(forecaster(f"null {study}"))["error"].lower == 0.0
        shifted = measured(forecaster(f"shift {study}", too_sure=0.2))["overconfidence"]
        assert shifted.lower is not None and shifted.upper is not None
        planted += shifted.lower <= 0.2 <= shifted.upper
    assert zero >= 92
    assert 89 <= planted <= 99


def test_an_overconfident_forecaster_is_found() -> None:
    found = measured(forecaster("sure", too_sure=0.2))
    assert found["error"].lower is not None and found["error"].lower > 0.1
    assert found["error"].value == pytest.approx(0.2, abs=0.05)
    assert found["overconfidence"].lower is not None and found["overconfidence"].lower > 0.1


def test_a_constant_at_the_rate_is_calibrated_and_useless() -> None:
    found = measured(
        [
            replace(r, grades=tuple(replace(g, confidence=0.4) for g in r.grades))
            for r in forecaster("constant", 400)
        ]
    )
    assert found["error"].value == pytest.approx(0.0, abs=0.03)
    assert (found["auroc"].value, found["resolution"].value) == (0.5, 0.0)


def test_the_chance_of_the_completion_is_the_geometric_mean_of_its_tokens() -> None:
    found = measured([group([(None, True)])], view="sequence")
    assert found["brier"].value == pytest.approx((0.25 - 1) ** 2)


def test_the_diagram_goes_from_low_to_high() -> None:
    rows = Calibration(2).measure(
        evidence(POLICY, [group([(0.1, False), (0.2, False), (0.7, True), (0.9, False)])])
    )
    bins = {
        (r.metric.split("_")[-1], r.labels["bin"]): (r.value, r.n)
        for r in rows
        if "bin" in r.labels and r.labels["view"] == "stated"
    }
    assert bins == {
        ("forecast", "1"): (pytest.approx(0.15), 2), ("accuracy", "1"): (0.0, 2),
        ("forecast", "2"): (pytest.approx(0.8), 2), ("accuracy", "2"): (0.5, 2),
    }  # fmt: skip


def test_votes_weigh_by_confidence() -> None:
    assert weighted_vote([(0.2, False, "6"), (0.2, False, "6"), (0.9, True, "5")]) == 1.0
    assert weighted_vote([(0.5, False, "6"), (0.5, True, "5")]) == 0.5
    assert weighted_vote([(0.5, False, None)]) is None


def test_what_was_not_stated_or_not_graded_is_dropped_and_nothing_stated_is_unknown() -> None:
    found = measured([group([(0.5, True), (None, True), (0.5, None)])])
    assert (found["brier"].n, found["brier"].dropped) == (1, 2)
    silent = measured([group([(None, True), (None, False)])])
    assert all(row.value is None and row.n == 0 for row in silent.values())
    assert silent["brier"].dropped == 2


def test_all_right_leaves_the_order_unknown() -> None:
    assert measured([group([(0.5, True), (0.9, True)])])["auroc"].value is None


def test_one_bin_is_refused() -> None:
    with pytest.raises(ComponentError, match="bins"):
        Calibration(1)


def test_the_distance_to_a_known_chance_needs_no_outcome() -> None:
    """Problem one: |0.75 - 0.7| and |0.25 - 0.3|, mean 0.05. Problem two: |0.9 - 0.6| = 0.3. The
    third's chances are not known.
    """

    def told(name: str, facts: dict[str, str], draws: list[tuple[str, float | None]]) -> Rollout:
        grades = tuple(Grade(True, True, True, answer, confidence=q) for answer, q in draws)
        return Rollout(
            Problem(name, "Sensors", name, "y", 1, facts),
            0,
            (Completion("y", (1,), (-0.5,), Ending.END_TOKEN),) * len(draws),
            grades,
        )

    rollouts = [
        told(
            "one", {"chance y": "0.7", "chance n": "0.3"}, [("y", 0.75), ("n", 0.25), ("y", None)]
        ),
        told("two", {"chance y": "0.6", "chance n": "0.4"}, [("y", 0.9)]),
        told("three", {}, [("y", 0.9)]),
    ]
    rows = Calibration().measure(evidence(POLICY, rollouts))
    of_stated = [
        row
        for row in rows
        if row.metric == "calibration/distance" and row.labels["view"] == "stated"
    ]
    found = {row.labels.get("problem", "all"): row for row in of_stated}
    assert {name: row.value for name, row in found.items()} == pytest.approx(
        {"all": 0.175, "one": 0.05, "two": 0.3}
    )
    assert (found["all"].n, found["all"].dropped, found["one"].n) == (2, 1, 2)
