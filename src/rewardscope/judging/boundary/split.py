"""How many problems a policy would lose and win against itself, drawn twice."""

from dataclasses import dataclass

import numpy as np

from rewardscope.judging.boundary.tally import Tally
from rewardscope.stats import Estimate, mean_over_problems, ratio_over_problems


@dataclass(frozen=True)
class Split:
    """The classes of problems at half the draws, base against itself and base against trained, both
    as expectations over which draws are taken.

    The base's draws are the same whenever it is compared with itself, so that comparison is empty
    and no null. Two disjoint sets of h of its n draws are one: with p(k) the base's pass@k of a
    problem, the first solves it and the second does not with chance p(2h) - p(h). A policy that
    training did not move shrinks and expands that much. Beside it stands the trained policy at the
    same h: with q its pass@h, shrunk = p(h) (1 - q) and expanded = (1 - p(h)) q.
    """

    draws: int
    """h."""
    n: int
    """Problems with 2 h graded draws of the base and h of the trained policy."""
    dropped: int
    itself: dict[str, float]
    """Class -> expected number of problems, base against itself."""
    trained: dict[str, float]
    """The same, base against trained."""
    retention_itself: Estimate | None
    retention_trained: Estimate | None
    shrunk_more: Estimate
    """Share of problems shrunk beyond the null."""
    expanded_more: Estimate


def split_null(base: Tally, trained: Tally) -> Split | None:
    """The null of two policies on the same problems; None where no problem has two draws of the
    base and one of the trained policy.
    """
    draws = int(min(base.graded_P.max(initial=0) // 2, trained.graded_P.max(initial=0)))
    if draws < 1:
        return None
    usable_P = (base.graded_P >= 2 * draws) & (trained.graded_P >= draws)
    if not usable_P.any():
        return None
    half_P, both_P = base.pass_at([draws, 2 * draws])[usable_P].T
    after_P = trained.pass_at([draws])[usable_P, 0]
    once_P = both_P - half_P
    itself = {
        "preserved": half_P - once_P,
        "shrunk": once_P,
        "expanded": once_P,
        "out_of_reach": 1 - both_P,
    }
    moved = {
        "preserved": half_P * after_P,
        "shrunk": half_P * (1 - after_P),
        "expanded": (1 - half_P) * after_P,
        "out_of_reach": (1 - half_P) * (1 - after_P),
    }
    return Split(
        draws,
        int(usable_P.sum()),
        int((~usable_P).sum()),
        {name: float(value_P.sum()) for name, value_P in itself.items()},
        {name: float(value_P.sum()) for name, value_P in moved.items()},
        _retention(itself["preserved"], half_P, "itself"),
        _retention(moved["preserved"], half_P, "trained"),
        _more(moved["shrunk"] - once_P, "shrunk"),
        _more(moved["expanded"] - once_P, "expanded"),
    )


def _retention(kept_P: np.ndarray, solved_P: np.ndarray, name: str) -> Estimate | None:
    if not solved_P.sum():
        return None
    address = f"boundary/split/retention/{name}"
    return ratio_over_problems(kept_P, solved_P, address=address, bounds=(0.0, 1.0))


def _more(apart_P: np.ndarray, name: str) -> Estimate:
    return mean_over_problems(apart_P, address=f"boundary/split/{name}", bounds=(-1.0, 1.0))
