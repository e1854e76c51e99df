"""Nulls of amplification against worked numbers."""

import numpy as np
import pytest

from rewardscope.judging.amplification import amplified, doubled, fitted_strength, reweighted


def test_doubling_doubles_the_odds() -> None:
    share = 0.2
    for rounds in range(1, 6):
        share = 2 * share / (1 + share)
        assert float(doubled(0.2, rounds)) == pytest.approx(share)
    assert float(doubled(0.0, 30)) == 0.0 and float(doubled(1.0, 3)) == 1.0
    assert float(doubled(1e-9, 5000)) == 1.0


def test_reweighting_by_hand() -> None:
    found = reweighted(
        np.array([[0.5, 0.3, 0.2]]), np.array([[1.0, 0.0, np.log(2)]]), np.array([1.0])
    )
    weight = np.array([0.5 * np.e, 0.3, 0.4])
    assert found[0] == pytest.approx(weight / weight.sum())
    assert reweighted(np.array([[0.5, 0.5]]), np.array([[0.7, 0.7]]), np.array([900.0]))[
        0
    ] == pytest.approx([0.5, 0.5])


def test_what_was_never_there_stays_away_whatever_it_would_be_paid() -> None:
    found = reweighted(np.array([[0.0, 0.6, 0.4]]), np.array([[np.nan, 1.0, 0.0]]), np.array([3.0]))
    assert found[0, 0] == 0.0 and found[0].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("strength", [-3.0, -0.1, 0.0, 0.5, 8.0])
def test_the_strength_of_a_reweighting_is_found_again(strength: float) -> None:
    share, reward = np.array([[0.2, 0.5, 0.3]]), np.array([[0.9, 0.4, 0.1]])
    after = reweighted(share, reward, np.array([strength]))
    assert fitted_strength(share, reward, 0, after[:, 0]) == pytest.approx([strength], abs=1e-9)
    assert amplified(share, reward, 0, after[:, 0]) == pytest.approx(after)


@pytest.mark.parametrize(
    ("share", "reward", "reached"),
    [
        ([0.0, 1.0], [np.nan, 0.5], 0.5),
        ([1.0, 0.0], [0.5, np.nan], 0.5),
        ([0.5, 0.5], [0.3, 0.3], 0.7),
        ([0.5, 0.5], [0.3, 0.6], 0.7),
        ([0.5, 0.5], [0.6, 0.3], 0.0),
    ],
)
def test_where_no_strength_fits_there_is_none(
    share: list[float], reward: list[float], reached: float
) -> None:
    given = np.array([share]), np.array([reward])
    assert np.isnan(fitted_strength(*given, 0, np.array([reached]))).all()
    assert np.isnan(amplified(*given, 0, np.array([reached]))).all()


def test_where_all_was_reached_nothing_is_left_to_the_others() -> None:
    assert amplified(
        np.array([[0.5, 0.5]]), np.array([[0.6, 0.3]]), 0, np.array([1.0])
    ).tolist() == [[1.0, 0.0]]
