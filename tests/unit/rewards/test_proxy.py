from dataclasses import replace

import pytest

from factories import rollout
from rewardscope.errors import RewardscopeError
from rewardscope.rewards import tell
from rewardscope.rewards.proxy import Proxy

ADDRESS = ("train", 0, 3, 1)


def test_the_score_is_told_as_it_is_and_nothing_where_nothing_could_be_graded() -> None:
    group = rollout([False, True, None])
    scores = (0.25, 0.0, 0.9)
    group = replace(
        group,
        grades=tuple(
            replace(grade, proxy=score) for grade, score in zip(group.grades, scores, strict=True)
        ),
    )
    told = tell(Proxy(), group, ADDRESS)
    assert told.rewards == (0.25, 0.0, None)
    assert told.parts == {"truth": (0.0, 1.0, None), "proxy": scores}


def test_an_environment_without_a_faulty_scorer_is_refused() -> None:
    with pytest.raises(RewardscopeError, match="Use Loophole"):
        tell(Proxy(), rollout([True, False], proxy=None), ADDRESS)
