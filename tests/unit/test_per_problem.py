"""Statistics that are no mean over problems, as one number per problem."""

import numpy as np
import pytest

from rewardscope.stats import pseudo_values, ratio_values


def test_pseudo_values_of_a_mean_are_the_numbers_themselves() -> None:
    value_P = np.array([0.0, 0.25, 1.0, 0.5])

    def mean(weight_SP: np.ndarray) -> np.ndarray:
        return np.asarray(weight_SP @ value_P / weight_SP.sum(axis=1))

    found_P = pseudo_values(4, mean)
    assert found_P is not None
    assert found_P == pytest.approx(value_P)


def test_pseudo_values_spread_as_the_statistic_does() -> None:
    """The standard deviation of logarithms of means over 4,000 samples of 40 problems, against what
    the pseudo-values of one sample say.
    """
    random = np.random.default_rng(0)
    sample_BP = random.gamma(2.0, 1.0, (4000, 40))
    true = np.log(sample_BP.mean(axis=1)).std()
    errors = []
    for value_P in sample_BP[:200]:
        found_P = pseudo_values(40, lambda w, v=value_P: np.log(w @ v / w.sum(axis=1)))
        assert found_P is not None
        assert found_P.mean() == pytest.approx(np.log(value_P.mean()))
        errors.append(found_P.std(ddof=1) / np.sqrt(40))
    assert np.mean(errors) == pytest.approx(true, rel=0.05)


def test_a_statistic_that_one_problem_decides_has_none() -> None:
    def only_first(weight_SP: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(weight_SP[:, 0] / weight_SP[:, 0])

    assert pseudo_values(3, only_first) is None
    assert pseudo_values(1, lambda w: w.sum(axis=1)) is None


def test_values_of_a_ratio_have_it_as_their_mean() -> None:
    top_P, bottom_P = np.array([1.0, 0.0, 3.0]), np.array([2.0, 4.0, 4.0])
    value_P = ratio_values(top_P, bottom_P)
    assert value_P.mean() == pytest.approx(0.4)
    # r + (1 - 0.4 x 2) / (10 / 3)
    assert value_P[0] == pytest.approx(0.4 + 0.2 / (10 / 3))
