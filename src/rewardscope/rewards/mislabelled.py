"""Reward by an answer key that is wrong for some problems, as in a data set with label noise."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.protocols import View
from rewardscope.rewards.base import verdicts
from rewardscope.seeds import Address, key
from rewardscope.types import Rewards

WRONG_ANSWER, TOLERANCE = "wrong_answer", "tolerance"
"""Facts of a problem: the wrong answer key, and the relative error that still counts as right
(missing: none).
"""


@dataclass(frozen=True)
class Mislabelled:
    """`Truth`, except that a ``share`` of the problems pays 1 for the wrong key and 0 for the right
    one.

    The content of a problem decides whether it is one of them: the same ones in every step, seed
    and arm. Those of a smaller share are among those of a larger one. `Noisy(per="problem")`
    inverts verdicts, so it rewards every wrong answer. Here only one wrong answer is rewarded,
    which a policy can learn. The environment must provide a wrong key for each training problem (as
    `Clinic` does). Held-out problems have none, and are measured by the truth.

    Source:
        arXiv:2512.19691 (audit of MedCalc-Bench): 27 % or more of its labels are likely wrong;
            recomputed labels gain 13.5 points.
    """

    share: float = 0.27

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ComponentError(
                "Mislabelled needs a share of problems",
                value=f"share={self.share}",
                allowed="0 <= share <= 1",
                do="Correct it in the study file",
            )

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """Whether each answer is the wrong key, or the right one for problems without an error;
        None if it could not be graded.

        Raises:
            RewardscopeError: If the problem has no wrong key.
        """
        problem = view.problem
        if WRONG_ANSWER not in problem.facts:
            raise RewardscopeError(
                "Mislabelled needs problems with a wrong key",
                value=f"problem {problem.id} of {problem.environment} has no fact '{WRONG_ANSWER}'",
                do="Use Noisy(per='problem'), or an environment with wrong keys, such as Clinic",
            )
        mislabelled = key("mislabelled", problem.id) < self.share * 2**64
        truth = verdicts(view)
        told = tuple(
            None if grade.correct is None else float(_is_wrong_key(grade.answer, problem.facts))
            for grade in view.grades
        )
        return Rewards(
            told if mislabelled else truth,
            {"truth": truth, "mislabelled": (float(mislabelled),) * len(truth)},
        )


def _is_wrong_key(answer: str | None, facts: Mapping[str, str]) -> bool:
    """Whether the answer is the wrong key, within the problem's tolerance if both are numbers."""
    wrong = facts[WRONG_ANSWER]
    try:
        given, number = float(answer or "nan"), float(wrong)
    except ValueError:
        return answer == wrong
    return math.isclose(
        given, number, rel_tol=0, abs_tol=float(facts.get(TOLERANCE, 0)) * abs(number) + 1e-9
    )
