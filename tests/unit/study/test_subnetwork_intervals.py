"""The intervals of a table of subnetworks are a verdict's."""

import numpy as np
import pytest

from rewardscope.analyses.subnetwork import _over_seeds
from rewardscope.stats import unseen_share


def test_arms_that_never_differ_leave_the_doubt_of_a_few_problems() -> None:
    found = _over_seeds(np.zeros((2, 4)), "alike", -1.0)
    assert (found.lower, found.upper) == (
        pytest.approx(-unseen_share(4)),
        pytest.approx(unseen_share(4)),
    )


def test_a_share_is_between_0_and_1() -> None:
    found = _over_seeds(np.array([[1.0, 0.9, 1.0], [0.2, 0.1, 0.3]]), "shares")
    assert found.lower == 0.0 and found.upper == 1.0
