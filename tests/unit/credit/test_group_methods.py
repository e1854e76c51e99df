import math

import pytest
import torch

from rewardscope.credit.base import informative_share, spread
from rewardscope.credit.group_mean import STD_EPSILON, GroupMean, group_centred
from rewardscope.credit.leave_one_out import LeaveOneOut, leave_one_out
from rewardscope.seeds import generator
from rewardscope.tensors import Signals

NAN = float("nan")


def test_a_group_is_centred_by_hand() -> None:
    centred = group_centred(
        torch.tensor([[1.0, 0.0, 0.0, 0.0], [2.0, 4.0, 6.0, 8.0]]), divide_by_std=False
    )
    assert centred.tolist() == [[0.75, -0.25, -0.25, -0.25], [-3.0, -1.0, 1.0, 3.0]]


def test_a_group_is_divided_by_its_std_by_hand() -> None:
    found = group_centred(torch.tensor([[1.0, 0.0, 0.0, 0.0]]), divide_by_std=True)
    std = math.sqrt((0.75**2 + 3 * 0.25**2) / 3)  # the n - 1 std: 0.5
    assert std == 0.5
    torch.testing.assert_close(
        found, torch.tensor([[0.75, -0.25, -0.25, -0.25]]) / (std + STD_EPSILON)
    )


def test_an_untold_completion_is_in_neither_mean_nor_std_and_stays_untold() -> None:
    reward_PG = torch.tensor([[1.0, NAN, 0.0], [NAN, NAN, 3.0], [NAN, NAN, NAN]])
    plain = group_centred(reward_PG, divide_by_std=False)
    torch.testing.assert_close(
        plain, torch.tensor([[0.5, NAN, -0.5], [NAN, NAN, 0.0], [NAN, NAN, NAN]]), equal_nan=True
    )
    divided = group_centred(reward_PG, divide_by_std=True)
    half = 0.5 / (math.sqrt(0.5) + STD_EPSILON)
    torch.testing.assert_close(
        divided,
        torch.tensor([[half, NAN, -half], [NAN, NAN, 0.0], [NAN, NAN, NAN]]),
        equal_nan=True,
    )


def test_the_siblings_mean_is_the_baseline_by_hand() -> None:
    found = leave_one_out(torch.tensor([[1.0, 0.0, 0.5]]))
    torch.testing.assert_close(found, torch.tensor([[1.0 - 0.25, 0.0 - 0.75, 0.5 - 0.5]]))


def test_an_untold_sibling_is_not_in_the_baseline() -> None:
    found = leave_one_out(torch.tensor([[1.0, NAN, 0.0, 0.5], [1.0, NAN, NAN, NAN]]))
    torch.testing.assert_close(
        found, torch.tensor([[0.75, NAN, -0.75, 0.0], [0.0, NAN, NAN, NAN]]), equal_nan=True
    )


def test_leave_one_out_is_n_over_n_minus_one_times_the_centred_reward() -> None:
    for size in (2, 3, 16):
        reward_PG = torch.from_numpy(generator("rewards", size).normal(size=(20, size)))
        siblings_PG = (reward_PG.sum(dim=1, keepdim=True) - reward_PG) / (size - 1)
        torch.testing.assert_close(leave_one_out(reward_PG), reward_PG - siblings_PG)
        torch.testing.assert_close(
            leave_one_out(reward_PG),
            size / (size - 1) * group_centred(reward_PG, divide_by_std=False),
        )


def test_every_sampled_token_carries_its_completions_advantage() -> None:
    mask_NT = torch.tensor([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=torch.bool)
    found = spread(torch.tensor([[0.5, -0.5], [NAN, 2.0]]), mask_NT)
    assert found.tolist() == [[0.5, 0.5, 0.0], [-0.5, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_only_groups_whose_told_rewards_differ_are_informative() -> None:
    assert informative_share(torch.tensor([[1.0, 0.0], [1.0, 1.0], [NAN, 1.0], [NAN, NAN]])) == 0.25
    assert informative_share(torch.tensor([[1.0, NAN, 0.0]])) == 1.0


@pytest.mark.parametrize(("method", "times"), [(GroupMean(), 1.0), (LeaveOneOut(), 4 / 3)])
def test_the_expected_policy_gradient_points_at_the_reward(
    method: GroupMean | LeaveOneOut, times: float
) -> None:
    """A softmax over 3 actions with rewards 0, 0, 1: the mean of advantage x score over many groups
    is the true gradient.

    LeaveOneOut is unbiased; GroupMean's own reward in its baseline shrinks it to (G - 1) / G, here
    3 / 4.
    """
    probability = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    action_PG = torch.from_numpy(
        generator("actions").choice(3, size=(40_000, 4), p=probability.numpy())
    )
    reward_PG = (action_PG == 2).float()
    advantage_NT = method(
        Signals(reward_PG=reward_PG, mask_NT=torch.ones(reward_PG.numel(), 1, dtype=torch.bool))
    ).advantage_NT
    score_N3 = torch.nn.functional.one_hot(action_PG.reshape(-1), 3) - probability
    found = (advantage_NT * score_N3).mean(dim=0).double()
    truth = probability * (torch.tensor([0.0, 0.0, 1.0]) - probability[2])
    torch.testing.assert_close(found, times * 0.75 * truth, atol=0.003, rtol=0.0)
