from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from factories import SMALL_ARM
from rewardscope import AllProblems, Pool
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


def test_one_example_training_meets_one_problem_with_noise_of_its_own_each_time(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path)
    train(replace(SMALL_ARM, regime=Pool(1), steps=2), 0, cell, lambda done: None)
    rollouts = [rollout for step in range(2) for rollout in read_rollouts(cell.step_file("rollouts", step))]
    assert len({rollout.problem.id for rollout in rollouts}) == 1
    texts = [tuple(completion.logprobs for completion in rollout.completions) for rollout in rollouts]
    assert len(set(texts)) == len(rollouts) == 4


@pytest.mark.parametrize(("size", "first"), [(0, 0), (3, -1)])
def test_an_empty_pool_is_refused(size: int, first: int) -> None:
    with pytest.raises(ComponentError, match="A pool has problems in it"):
        Pool(size, first)
