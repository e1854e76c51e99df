"""Which problems of an arm's pool moved most over a run: how one-example training finds its
example.
"""

from collections.abc import Iterable

from rewardscope.environments import Ranked, by_historical_variance
from rewardscope.errors import StudyError
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training import Arm


def rank_problems(arm: Arm, cells: Iterable[CellDirectory]) -> list[tuple[int, Ranked]]:
    """Index into the training split and history of each problem that the cells of an arm met twice
    or more, the most moved first.

    Raises:
        StudyError: If the arm has no pool, so that no problem comes again.
    """
    size, first = getattr(arm.regime, "size", 0), getattr(arm.regime, "first", 0)
    if not size:
        raise StudyError(
            "The arm has no pool, so no problem comes again",
            value=f"regime={arm.regime}",
            do="Rank an arm with Pool(...)",
        )
    index = {
        arm.environment.problem("train", place).id: place
        for place in reversed(range(first, first + size))
    }
    paths = [path for cell in cells for path in sorted((cell.path / "rollouts").glob("*.parquet"))]
    ranked = by_historical_variance(rollout for path in paths for rollout in read_rollouts(path))
    return [(index[each.problem], each) for each in ranked]
