import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from factories import SMALL_ARM
from rewardscope import Coin, KLInReward, Learner, Oracle, Organism
from rewardscope.analyses.clip_bias import CLIP_SHARE, CLIPPED, NORM, UNCLIPPED, clip_bias, kinds
from rewardscope.errors import ComponentError
from rewardscope.probes.clip_bias import (
    BINS,
    ENTROPY,
    MASS,
    SAMPLED,
    SAMPLED_LOGPROB,
    TOP,
    WHOLE,
    ClipBias,
    changes,
    drifts,
    means,
)
from rewardscope.training import Arm

ARM = replace(
    SMALL_ARM,
    start=Organism("formats-planted"),
    learner=Learner(learning_rate=3e-3, minibatches=2, epochs=2),
)


def drift(found: ClipBias, kind: str, quantity: str, prior: str = WHOLE) -> float:
    (value,) = [d.mean for d in found.arms[kind] if (d.quantity, d.prior) == (quantity, prior)]
    assert value is not None
    return value


def test_changes_by_hand() -> None:
    """Two places. First: 0.65, 0.25, 0.1 become 0.55, 0.35, 0.1, the second token was sampled.
    Second: nothing changes.
    """
    before = torch.tensor([[0.65, 0.25, 0.1], [0.6, 0.22, 0.18]]).log()
    after = torch.tensor([[0.55, 0.35, 0.1], [0.6, 0.22, 0.18]]).log()
    record = means([changes(before, after, torch.tensor([1, 0]))])
    assert record[TOP, WHOLE] == pytest.approx(-0.1 / 2, abs=1e-6)
    assert record[SAMPLED, WHOLE] == pytest.approx(0.1 / 2, abs=1e-6)
    assert record[SAMPLED_LOGPROB, "0.2 to 0.5"] == pytest.approx(math.log(0.35 / 0.25), abs=1e-5)
    assert record[SAMPLED, "0.5 to 0.8"] == 0.0
    assert math.isnan(record[SAMPLED, "0.8 to 0.95"]), (
        "no sampled token was so probable: unknown, not 0"
    )
    assert record[MASS, "0.5 to 0.8"] == pytest.approx(-0.1 / 2, abs=1e-6)
    assert record[MASS, "0.2 to 0.5"] == pytest.approx(0.1 / 2, abs=1e-6)
    assert sum(record[MASS, name] for name in BINS) == pytest.approx(0.0, abs=1e-6)
    entropy = [-sum(p * math.log(p) for p in row) for row in ((0.55, 0.35, 0.1), (0.65, 0.25, 0.1))]
    assert record[ENTROPY, WHOLE] == pytest.approx((entropy[0] - entropy[1]) / 2, abs=1e-5)


def test_a_prior_of_one_is_in_the_last_bin() -> None:
    sure = torch.tensor([[0.0, -math.inf]])
    record = means([changes(sure, sure, torch.tensor([0]))])
    assert record[SAMPLED, BINS[-1]] == 0.0 and record[ENTROPY, WHOLE] == 0.0


def test_drift_is_the_mean_with_its_standard_error() -> None:
    first, second, none = ({("q", WHOLE): value} for value in (1.0, 3.0, np.nan))
    (found,) = drifts([first, second, none])
    assert (found.mean, found.error, found.replicates) == (2.0, pytest.approx(1.0), 2)
    assert found.interval == pytest.approx((2 - 12.706, 2 + 12.706), abs=1e-3)
    (single,) = drifts([first])
    assert (single.mean, single.error, single.interval) == (1.0, None, None)
    assert drifts([none])[0].mean is None


def test_a_clip_as_far_down_as_up_in_the_logarithm() -> None:
    found = kinds(
        Learner(
            clip_low=0.2, clip_high=0.25, minibatches=4, epochs=2, learning_rate=1e-3, kl_weight=0.1
        )
    )
    even, one = found["log-symmetric clip"], found["one update"]
    assert math.log(1 - even.clip_low) == pytest.approx(-math.log(1 + even.clip_high))
    assert (one.minibatches, one.epochs, one.learning_rate) == (1, 1, pytest.approx(8e-3))
    assert {learner.kl_weight for learner in found.values()} == {0.0}


def test_equal_rewards_leave_every_weight_and_coin_flips_do_not() -> None:
    found = clip_bias(ARM, 2)
    assert found.untouched
    assert drift(found, CLIPPED, NORM) > 0.01
    assert drift(found, UNCLIPPED, CLIP_SHARE) == 0.0 < drift(found, CLIPPED, CLIP_SHARE)
    assert clip_bias(ARM, 2) == found


def test_where_every_ratio_is_one_the_clip_does_nothing() -> None:
    found = clip_bias(replace(ARM, learner=Learner(learning_rate=1e-3)), 2)
    for kind in (CLIPPED, "one update"):
        assert {d.mean for d in found.against[kind]} <= {0.0, None}


@pytest.mark.parametrize(
    ("arm", "replicates"),
    [(replace(ARM, credit=KLInReward()), 2), (replace(ARM, demonstrations=Oracle()), 2), (ARM, 1)],
    ids=["credit that reads a reference", "demonstrations", "one replicate"],
)
def test_what_cannot_be_measured_is_refused(arm: Arm, replicates: int) -> None:
    with pytest.raises(ComponentError, match="from rewards alone"):
        clip_bias(arm, replicates)


def test_the_coin_of_the_arm_is_flipped() -> None:
    never = clip_bias(replace(ARM, reward=Coin(p=0.0)), 2)
    assert {drift(never, kind, NORM) for kind in never.arms} == {0.0}
