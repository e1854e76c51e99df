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
            "Problems are ranked by how their pass rate moved, and this arm meets none twice",
            value=f"regime={arm.regime}",
            allowed="an arm that trains on a fixed set, such as Arm(..., regime=Pool(64))",
            do="Give the arm a pool, such as regime=Pool(64), run the study, and rank that arm",
        )
    index_of = {
        arm.environment.problem("train", index).id: index
        for index in reversed(range(first, first + size))
    }
    paths = [path for cell in cells for path in sorted((cell.path / "rollouts").glob("*.parquet"))]
    ranked = by_historical_variance(rollout for path in paths for rollout in read_rollouts(path))
    return [(index_of[problem.problem], problem) for problem in ranked]
