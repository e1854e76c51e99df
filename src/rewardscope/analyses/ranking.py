"""Which problems of an arm's pool changed most over a run. One-example training picks its example
this way.
"""

from collections.abc import Iterable

from rewardscope.environments import Ranked, by_historical_variance
from rewardscope.errors import StudyError
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training import Arm


def rank_problems(arm: Arm, cells: Iterable[CellDirectory]) -> list[tuple[int, Ranked]]:
    """Index into the training split, and history, of each problem that the arm's cells met at least
    twice; the problem that changed most comes first.

    Raises:
        StudyError: If the arm has no pool, so that no problem is repeated.
    """
    size, first = getattr(arm.regime, "size", 0), getattr(arm.regime, "first", 0)
    if not size:
        raise StudyError(
            "The arm has no pool, so no problem is repeated",
            value=f"regime={arm.regime}",
            do="Rank an arm with Pool(...)",
        )
    index_of = {
        arm.environment.problem("train", index).id: index
        for index in reversed(range(first, first + size))
    }
    paths = [path for cell in cells for path in sorted((cell.path / "rollouts").glob("*.parquet"))]
    ranked = by_historical_variance(rollout for path in paths for rollout in read_rollouts(path))
    return [(index_of[problem.problem], problem) for problem in ranked]
