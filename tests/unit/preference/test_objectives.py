"""The objectives by hand."""

import math

import pytest
import torch
from torch import Tensor

from rewardscope import DPO, KTO, ORPO, SimPO
from rewardscope.errors import ComponentError
from rewardscope.learner.losses import completion_pull
from rewardscope.preference.base import better_than
from rewardscope.preference.orpo import log_odds
from rewardscope.protocols import Preference
from rewardscope.tensors import Signals

NAN = float("nan")
LENGTHS = torch.tensor([2, 4, 1, 3])
MASK = torch.arange(4) < LENGTHS[:, None]


def signals(reward_PG: list[list[float]], **given: Tensor) -> Signals:
    return Signals(reward_PG=torch.tensor(reward_PG), mask_NT=MASK, address=("test",), **given)


def value(method: Preference, given: Signals, logprob_PG: list[list[float]]) -> float:
    loss = method(given).completion_loss
    assert loss is not None
    return float(loss(torch.tensor(logprob_PG), list(range(len(logprob_PG)))))


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


def test_dpo_by_hand() -> None:
    """Two pairs, one per group: margins 0.1 x ((-2 + 3) - (-5 + 4)) and 0.1 x ((-3 + 3) - (-1 +
    1.5)).
    """
    reference_NT = torch.tensor(
        [[-1.0, -2.0, 0, 0], [-1.0, -1.0, -1.0, -1.0], [-1.5, 0, 0, 0], [-1.0, -1.0, -1.0, 0]]
    )
    given = signals([[1.0, 0.0], [0.0, 1.0]], reference_logprob_NT=reference_NT)
    found = value(DPO(), given, [[-2.0, -5.0], [-1.0, -3.0]])
    assert found == pytest.approx(-(log_sigmoid(0.1 * 2.0) + log_sigmoid(0.1 * -0.5)) / 2)


def test_dpo_at_the_reference_is_log_two_and_pulls_by_half_beta() -> None:
    reference_NT = -MASK.float()
    loss = DPO(beta=0.3)(
        signals([[1.0, 0.0], [0.0, 0.0]], reference_logprob_NT=reference_NT)
    ).completion_loss
    assert loss is not None
    found, pull_N = completion_pull(loss, -LENGTHS.float(), 2, [0, 1])
    assert found == pytest.approx(math.log(2))
    torch.testing.assert_close(pull_N, torch.tensor([-0.15, 0.15, 0.0, 0.0]))


def test_simpo_by_hand() -> None:
    """Means -1 and -1.25: 2 x 0.25 - 1."""
    assert value(
        SimPO(), signals([[1.0, 0.0], [NAN, 1.0]]), [[-2.0, -5.0], [-1.0, -3.0]]
    ) == pytest.approx(-log_sigmoid(-0.5))


def test_orpo_by_hand() -> None:
    odds = math.log(math.exp(-1) / (1 - math.exp(-1))) - math.log(
        math.exp(-1.25) / (1 - math.exp(-1.25))
    )
    expected = 1.0 - 0.1 * log_sigmoid(odds)
    assert value(
        ORPO(), signals([[1.0, 0.0], [NAN, 1.0]]), [[-2.0, -5.0], [-1.0, -3.0]]
    ) == pytest.approx(expected)


def test_the_odds_of_a_certain_completion_are_large_and_not_infinite() -> None:
    assert log_odds(torch.tensor([0.0, -1e-12])).isfinite().all()
    assert float(log_odds(torch.tensor(math.log(0.5)))) == pytest.approx(0.0, abs=1e-6)
    assert float(log_odds(torch.tensor(math.log(0.2)))) == pytest.approx(math.log(0.25), abs=1e-6)


def test_kto_by_hand() -> None:
    """Log-ratios 1, -1, 0.5 and untold; z = mean of the mismatched log-ratios, 0.4; one desirable
    and two undesirable completions.
    """
    reference_NT = torch.tensor(
        [[-1.0, -2.0, 0, 0], [-1.0, -1.0, -1.0, -1.0], [-1.5, 0, 0, 0], [-1.0, -1.0, -1.0, 0]]
    )
    given = signals(
        [[1.0, 0.0], [0.0, NAN]],
        reference_logprob_NT=reference_NT,
        mismatched_N=torch.tensor([0.4, 0.0, 0.8, 0.4]),
    )

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    terms = (
        1 - sigmoid(0.1 * (1 - 0.4)),
        2 * (1 - sigmoid(-0.1 * (-1 - 0.4))),
        2 * (1 - sigmoid(-0.1 * (0.5 - 0.4))),
    )
    found = value(KTO(undesirable_weight=2.0), given, [[-2.0, -5.0], [-1.0, -3.0]])
    assert found == pytest.approx(sum(terms) / 3)


def test_ktos_drift_is_never_below_zero() -> None:
    given = signals(
        [[1.0, 0.0], [0.0, 1.0]],
        reference_logprob_NT=-MASK.float(),
        mismatched_N=torch.full((4,), -3.0),
    )
    assert KTO()(given).notes["credit/drift_nats"] == 0.0
    assert value(KTO(), given, [[-2.0, -4.0], [-1.0, -3.0]]) == pytest.approx(0.5)


def test_pairs_are_every_better_with_every_worse_of_the_same_group() -> None:
    pair_PGG = better_than(
        torch.tensor([[1.0, 0.0, 0.5], [NAN, 1.0, 0.0], [1.0, 1.0, 1.0]]), "all", ()
    )
    assert pair_PGG.nonzero().tolist() == [[0, 0, 1], [0, 0, 2], [0, 2, 1], [1, 1, 2]]


def test_one_pair_a_group_is_drawn_by_address_and_fairly() -> None:
    reward_PG = torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    drawn = [better_than(reward_PG, "one", ("pairs", n)) for n in range(400)]
    assert torch.equal(drawn[7], better_than(reward_PG, "one", ("pairs", 7)))
    assert all(pair_PGG[0].sum() == 1 and pair_PGG[1].sum() == 0 for pair_PGG in drawn)
    share_GG = torch.stack(drawn)[:, 0].mean(dim=0)
    torch.testing.assert_close(
        share_GG[[0, 0, 3, 3], [1, 2, 1, 2]], torch.full((4,), 0.25), atol=0.08, rtol=0
    )


@pytest.mark.parametrize("method", [DPO(), DPO(pairs="one"), SimPO(), ORPO()], ids=str)
def test_a_step_without_a_mixed_group_teaches_nothing_and_says_so(method: Preference) -> None:
    found = method(signals([[1.0, 1.0], [0.0, NAN]], reference_logprob_NT=-MASK.float()))
    assert found.notes == {"credit/pairs": 0.0}
    assert found.completion_loss is not None
    loss, pull_N = completion_pull(
        found.completion_loss, torch.tensor([-2.0, -5.0, -1.0, -3.0]), 2, [0, 1]
    )
    assert loss == 0.0 and pull_N.tolist() == [0.0] * 4
    mixed = method(signals([[1.0, 0.0], [0.0, 1.0]], reference_logprob_NT=-MASK.float()))
    assert mixed.notes == {"credit/pairs": 2.0}


def test_kto_needs_no_mixed_group_and_learns_nothing_where_nothing_is_told() -> None:
    given = {"reference_logprob_NT": -MASK.float(), "mismatched_N": torch.zeros(4)}
    assert KTO()(signals([[1.0, 1.0], [1.0, 1.0]], **given)).notes["credit/desirable_share"] == 1.0
    untold = KTO()(signals([[NAN, NAN], [NAN, NAN]], **given))
    assert untold.notes == {
        "credit/told": 0.0,
        "credit/desirable_share": 0.0,
        "credit/drift_nats": 0.0,
    }
    assert untold.completion_loss is not None
    loss, pull_N = completion_pull(
        untold.completion_loss, torch.tensor([-2.0, -5.0, -1.0, -3.0]), 2, [0, 1]
    )
    assert loss == 0.0 and pull_N.tolist() == [0.0] * 4


@pytest.mark.parametrize(
    "make",
    [
        lambda: DPO(beta=0),
        lambda: SimPO(pairs="some"),
        lambda: ORPO(weight=-1),
        lambda: KTO(desirable_weight=0),
    ],
)
def test_settings_that_cannot_be_are_refused(make: object) -> None:
    with pytest.raises(ComponentError, match="cannot have these settings"):
        make()  # type: ignore[operator]
