"""Reward by a faulty scorer. The learner gets its score; correctness is recorded separately."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import RewardscopeError
from rewardscope.protocols import View
from rewardscope.rewards.base import verdicts
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Proxy:
    """The score of the environment's own faulty scorer (`Loophole` has one), 0 to 1; None if the
    completion could not be graded.

    The gold reward of the same problems is `Truth`. A gap that opens between the two, as the proxy
    rises, is reward hacking.

    Source:
        Gao et al. 2023, arXiv:2210.10760 (proxy and gold reward), where both are models. Here the
            gold reward is a verifier.
    """

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """Unchanged scores, with the truth as a part.

        Raises:
            RewardscopeError: If the environment has no scorer in addition to its verifier.
        """
        truth = verdicts(view)
        scores = tuple(grade.proxy for grade in view.grades)
        if None in scores and any(
            score is None and right is not None for score, right in zip(scores, truth, strict=True)
        ):
            raise RewardscopeError(
                "Proxy needs an environment with a faulty scorer in addition to its verifier",
                value=f"problem {view.problem.id} of {view.problem.environment} was graded without "
                "one",
                do="Use Loophole, or another reward",
            )
        told = tuple(
            None if right is None else score for score, right in zip(scores, truth, strict=True)
        )
        return Rewards(told, {"truth": truth, "proxy": scores})
