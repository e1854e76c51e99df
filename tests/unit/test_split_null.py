"""What a policy loses and wins against a second set of its own draws."""

import itertools

import numpy as np
import pytest

from rewardscope.judging.boundary import Tally
from rewardscope.judging.boundary.split import split_null


def tally(*counts: tuple[int, int]) -> Tally:
    """Of (draws, right ones) of each problem."""
    draws_P, right_P = np.array(counts).T
    names = tuple(str(problem) for problem in range(len(counts)))
    return Tally(names, draws_P, draws_P, right_P, draws_P)


@pytest.mark.parametrize(("draws", "right"), [(4, 2), (6, 1), (6, 3), (8, 0), (8, 8)])
def test_the_null_is_that_of_all_splits_of_the_draws(draws: int, right: int) -> None:
    outcomes = [True] * right + [False] * (draws - right)
    half = draws // 2
    kept = shrunk = out = total = 0
    for first in itertools.combinations(range(draws), half):
        rest = [index for index in range(draws) if index not in first]
        one, other = (any(outcomes[index] for index in part) for part in (first, rest))
        kept, shrunk = kept + (one and other), shrunk + (one and not other)
        out, total = out + (not one and not other), total + 1
    base = tally((draws, right), (draws, right))
    found = split_null(base, base)
    assert found is not None and found.draws == half
    assert found.itself == pytest.approx(
        {
            "preserved": 2 * kept / total,
            "shrunk": 2 * shrunk / total,
            "expanded": 2 * shrunk / total,
            "out_of_reach": 2 * out / total,
        }
    )


def test_a_trained_policy_stands_beside_it_at_the_same_draws() -> None:
    # p(2) = 5 / 6 and p(4) = 1 of a problem with 2 right draws of 4; the trained one has 1 of 4:
    # q(2) = 1 / 2
    found = split_null(tally((4, 2), (4, 2)), tally((4, 1), (4, 1)))
    assert found is not None
    assert found.trained["shrunk"] == pytest.approx(2 * 5 / 6 * 1 / 2)
    assert found.shrunk_more.value == pytest.approx(5 / 12 - 1 / 6)
    assert found.retention_trained is not None and found.retention_itself is not None
    assert found.retention_trained.value == pytest.approx(1 / 2)
    assert found.retention_itself.value == pytest.approx((5 / 6 - 1 / 6) / (5 / 6))


def test_one_draw_has_no_half() -> None:
    assert split_null(tally((1, 1), (1, 0)), tally((1, 1), (1, 0))) is None
