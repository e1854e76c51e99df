"""Reward by a key that is wrong for some problems: what a data set with label noise teaches."""

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
"""Facts of a problem: the key somebody wrote down by mistake, and the relative error that is still
right (none: as it is).
"""


@dataclass(frozen=True)
class Mislabelled:
    """`Truth`, but for a ``share`` of the problems 1 is paid for the wrong key and 0 for the right
    one.

    Which problems these are follows from their content: the same ones in every step, seed and arm,
    and those of a small share are among those of a larger one. `Noisy(per="problem")` turns
    verdicts round, so that every wrong answer is paid; here only one wrong answer is, which a
    policy can learn. The environment has to know a wrong key for each problem it trains on
    (`Clinic` does); held-out problems have none, and are measured by the truth.

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
                do="Mend it in the study",
            )

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """Whether each answer is the key as it was written down; None where the verifier could not
        say.

        Raises:
            RewardscopeError: If the problem's environment knows no wrong key.
        """
        problem = view.problem
        if WRONG_ANSWER not in problem.facts:
            raise RewardscopeError(
                "Mislabelled needs problems with a wrong key",
                value=f"problem {problem.id} of {problem.environment} has no fact '{WRONG_ANSWER}'",
                do="Use Noisy(per='problem'), or an environment that knows wrong keys, such as "
                "Clinic",
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
