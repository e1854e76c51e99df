import pytest

from rewardscope import Chain, Reserved, Sums
from rewardscope.errors import ComponentError, EnvironmentFault


def test_a_share_of_the_training_split_is_set_aside_by_content() -> None:
    world = Reserved(Sums(), 0.2)
    evolve = {world.problem("evolve", index).id for index in range(1000)}
    train = {world.problem("train", index).id for index in range(1000)}
    base = {Sums().problem("train", index).id for index in range(160)}
    assert evolve | train == base and not evolve & train
    assert abs(len(evolve) - 32) < 4 * (160 * 0.2 * 0.8) ** 0.5


def test_problems_are_the_bases_and_most_keep_their_index() -> None:
    world = Reserved(Chain(), 0.2)
    same = [
        world.problem("train", index).id == Chain().problem("train", index).id
        for index in range(500)
    ]
    assert abs(sum(same) - 400) < 4 * (500 * 0.2 * 0.8) ** 0.5
    assert world.problem("heldout", 3).prompt == Chain().problem("heldout", 3).prompt
    problem = world.problem("evolve", 0)
    assert problem.environment == "Reserved" and world.grade(problem, world.oracle(problem)).strict


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nothing_or_all_is_refused(share: float) -> None:
    with pytest.raises(ComponentError, match="aside"):
        Reserved(Sums(), share)
    with pytest.raises(ComponentError, match="once"):
        Reserved(Reserved())


def test_a_share_too_small_for_any_problem_says_so() -> None:
    with pytest.raises(EnvironmentFault, match="no problem for split 'evolve'"):
        Reserved(Sums(), 1e-6).problem("evolve", 0)
