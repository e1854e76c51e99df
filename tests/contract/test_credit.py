"""What every credit method keeps to, however it spreads the rewards."""

import pytest
import torch
from torch import Tensor

from rewardscope.credit import CREDITS, Credit, GroupMean, LeaveOneOut
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.tensors import Signals

EXAMPLES: list[Credit] = [GroupMean(), GroupMean(divide_by_std=True), LeaveOneOut()]
each = pytest.mark.parametrize("credit", EXAMPLES, ids=str)
NUM_PROBLEMS, GROUP_SIZE, WIDTH = 5, 4, 7
NAN = float("nan")


def drawn() -> tuple[Tensor, Tensor]:
    """Random rewards, some untold, and completions of random length."""
    random = generator("contract", "credit")
    reward_PG = torch.from_numpy(random.normal(size=(NUM_PROBLEMS, GROUP_SIZE))).float()
    reward_PG[torch.from_numpy(random.random((NUM_PROBLEMS, GROUP_SIZE)) < 0.2)] = NAN
    length_N = torch.from_numpy(random.integers(1, WIDTH + 1, size=NUM_PROBLEMS * GROUP_SIZE))
    return reward_PG, torch.arange(WIDTH) < length_N[:, None]


def advantage(credit: Credit, reward_PG: Tensor, mask_NT: Tensor | None = None) -> Tensor:
    if mask_NT is None:
        mask_NT = torch.ones(reward_PG.numel(), WIDTH, dtype=torch.bool)
    return credit(Signals(reward_PG=reward_PG, mask_NT=mask_NT)).advantage_NT


def test_every_method_in_the_table_has_an_example_here() -> None:
    assert {type(credit) for credit in EXAMPLES} == set(CREDITS.values())


@each
def test_advantages_are_finite_numbers_on_the_mask_and_zero_off_it(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    found = advantage(credit, reward_PG, mask_NT)
    assert found.shape == mask_NT.shape
    assert found.isfinite().all()
    assert (found[~mask_NT] == 0).all()
    assert found[mask_NT].abs().sum() > 0
    assert not found.requires_grad


@each
@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_a_group_of_equal_rewards_teaches_nothing(credit: Credit, value: float) -> None:
    assert (advantage(credit, torch.full((2, GROUP_SIZE), value)) == 0).all()
    assert (advantage(credit, torch.tensor([[value, NAN, value]])) == 0).all()


@each
def test_an_untold_completion_teaches_nothing_and_does_not_count_for_its_siblings(credit: Credit) -> None:
    with_untold = advantage(credit, torch.tensor([[1.0, NAN, 0.0, 0.5]]))
    without = advantage(credit, torch.tensor([[1.0, 0.0, 0.5]]))
    assert (with_untold[1] == 0).all()
    torch.testing.assert_close(with_untold[[0, 2, 3]], without)


@each
def test_a_group_in_which_nobody_or_one_was_told_teaches_nothing(credit: Credit) -> None:
    assert (advantage(credit, torch.tensor([[NAN, NAN], [NAN, 3.0]])) == 0).all()


@each
def test_the_order_within_a_group_and_of_groups_does_not_matter(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    random = generator("contract", "permutation")
    problems = torch.from_numpy(random.permutation(NUM_PROBLEMS))
    members = torch.from_numpy(random.permutation(GROUP_SIZE))
    rows = (problems[:, None] * GROUP_SIZE + members[None, :]).reshape(-1)
    moved = advantage(credit, reward_PG[problems][:, members], mask_NT[rows])
    torch.testing.assert_close(moved, advantage(credit, reward_PG, mask_NT)[rows])


@each
def test_groups_do_not_reach_into_each_other(credit: Credit) -> None:
    reward_PG, _ = drawn()
    whole = advantage(credit, reward_PG).reshape(NUM_PROBLEMS, GROUP_SIZE, WIDTH)
    for p in range(NUM_PROBLEMS):
        torch.testing.assert_close(advantage(credit, reward_PG[p : p + 1]), whole[p])


@each
def test_a_constant_added_to_every_reward_changes_nothing(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    torch.testing.assert_close(advantage(credit, reward_PG + 7.0, mask_NT), advantage(credit, reward_PG, mask_NT), atol=1e-5, rtol=1e-4)


@each
def test_the_better_completion_of_two_gets_the_larger_advantage(credit: Credit) -> None:
    found = advantage(credit, torch.tensor([[0.2, 0.9]]))
    assert (found[1] > 0).all() and (found[0] < 0).all()


@each
def test_groups_of_one_are_refused(credit: Credit) -> None:
    with pytest.raises(ComponentError, match=r"needs groups of 2 or more. Got: reward_PG of shape \(3, 1\)"):
        advantage(credit, torch.zeros(3, 1))


@each
def test_notes_are_numbers_under_the_methods_roof(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    notes = credit(Signals(reward_PG=reward_PG, mask_NT=mask_NT)).notes
    assert all(name.startswith("credit/") and isinstance(value, float) for name, value in notes.items())


@each
def test_what_was_given_is_left_as_it_was(credit: Credit) -> None:
    reward_PG, mask_NT = drawn()
    advantage(credit, reward_PG, mask_NT)
    torch.testing.assert_close(reward_PG, drawn()[0], equal_nan=True)
    assert torch.equal(mask_NT, drawn()[1])
