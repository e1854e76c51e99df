from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from factories import SMALL_ARM
from rewardscope import AllProblems, Curriculum, Pool
from rewardscope.errors import ComponentError
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training import train


def drawn(regime: AllProblems | Pool, seed: int, steps: int, count: int) -> list[int]:
    return [index for step in range(steps) for index in regime.indices(seed, step, count, {})]


def test_all_problems_are_fresh_at_each_step_and_differ_between_seeds() -> None:
    first, second = drawn(AllProblems(), 0, 50, 7), drawn(AllProblems(), 1, 50, 7)
    assert len(set(first)) == 350
    assert not set(first) & set(second)


@pytest.mark.parametrize(("size", "count"), [(5, 2), (4, 4), (3, 8), (1, 3)])
def test_each_pass_over_a_pool_has_every_problem_once(size: int, count: int) -> None:
    indices = drawn(Pool(size, first=10), 0, 4 * size, count)
    assert len(indices) == 4 * size * count
    for turn in range(4 * count):
        assert sorted(indices[turn * size : (turn + 1) * size]) == list(range(10, 10 + size))


def test_passes_and_seeds_have_orders_of_their_own_over_the_same_problems() -> None:
    one, other = drawn(Pool(12), 0, 2, 12), drawn(Pool(12), 1, 2, 12)
    assert Counter(one) == Counter(other)
    assert one[:12] != one[12:] and one != other
    assert one == drawn(Pool(12), 0, 2, 12) == drawn(Pool(12), 0, 4, 6)  # however the steps cut it


@pytest.mark.parametrize(
    "regime", [AllProblems(), Pool(12), Pool(12, first=5), Curriculum(12)], ids=str
)
def test_a_further_round_has_other_problems_and_leaves_the_first_as_it_was(
    regime: AllProblems | Pool | Curriculum,
) -> None:
    for step in range(6):
        rounds = [regime.indices(0, step, 4, {}, number) for number in range(3)]
        assert rounds[0] == regime.indices(0, step, 4, {})
        assert len({index for indices in rounds for index in indices}) == 12


def test_a_pool_that_all_rounds_have_met_is_met_again() -> None:
    indices = [index for number in range(4) for index in Pool(3).indices(0, 0, 2, {}, number)]
    assert sorted(indices[:3]) == [0, 1, 2] and len(indices) == 8 and set(indices) == {0, 1, 2}


def test_fresh_problems_stay_fresh_over_rounds_and_steps() -> None:
    indices = [
        index
        for step in range(50)
        for number in range(3)
        for index in AllProblems().indices(0, step, 4, {}, number)
    ]
    assert len(set(indices)) == 600


def test_one_example_training_meets_one_problem_with_noise_of_its_own_each_time(
    tmp_path: Path,
) -> None:
    cell = CellDirectory(tmp_path)
    train(replace(SMALL_ARM, regime=Pool(1), steps=2), 0, cell, lambda done: None)
    rollouts = [
        rollout for step in range(2) for rollout in read_rollouts(cell.step_file("rollouts", step))
    ]
    assert len({rollout.problem.id for rollout in rollouts}) == 1
    texts = [
        tuple(completion.logprobs for completion in rollout.completions) for rollout in rollouts
    ]
    assert len(set(texts)) == len(rollouts) == 4


@pytest.mark.parametrize(("size", "first"), [(0, 0), (3, -1)])
def test_an_empty_pool_is_refused(size: int, first: int) -> None:
    with pytest.raises(ComponentError, match="A pool has problems in it"):
        Pool(size, first)
