import pytest

from rewardscope.environments import distinct, prove
from rewardscope.environments.words.gym_sets import LADDERS, PRORL, TIERS, ladder, prorl, tier
from rewardscope.errors import ComponentError

SLOW = {"spell_backward", "countdown", "jugs", "advanced_geometry", "letter_counting"}
"""A hundredth of a second or more per problem."""


@pytest.mark.parametrize("number", TIERS)
def test_every_task_of_a_tier_accepts_its_oracle_and_has_problems_enough(number: int) -> None:
    for environment in tier(number):
        few = environment.task in SLOW
        prove(environment, "heldout", 3 if few else 10)
        assert len(distinct(environment, "train", 8 if few else 50)) > 0


@pytest.mark.parametrize("task", LADDERS)
def test_one_dial_moves_on_a_ladder_and_its_first_and_last_rungs_can_be_climbed(task: str) -> None:
    rungs = ladder(task)
    assert len(rungs) >= 4
    settings = [dict(rung.settings) for rung in rungs]
    moving = {name for name in settings[0] if len({str(rung[name]) for rung in settings}) > 1}
    assert len({name.removeprefix("min_").removeprefix("max_") for name in moving}) == 1
    dial = sorted(moving)[0]
    assert [rung[dial] for rung in settings] == sorted(rung[dial] for rung in settings)
    prove(rungs[0], "heldout", 2)
    prove(rungs[-2 if task == "graph_color" else -1], "heldout", 1)


def test_the_set_of_prorl_accepts_its_oracles() -> None:
    assert len(PRORL) == 9
    for environment in prorl():
        prove(environment, "heldout", 2)


def test_what_is_in_no_set_is_refused() -> None:
    with pytest.raises(ComponentError, match="1, 2, 3"):
        tier(4)
    with pytest.raises(ComponentError, match="chain_sum"):
        ladder("tower_of_hanoi")
