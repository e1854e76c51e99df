"""Reward by a vote of the group: a pseudo-label without the answer key."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Majority:
    """1 for the group's most frequent answer, 0 for any other or no answer; a tie goes to the
    answer sampled first.

    If no completion has an answer, all rewards are None. The completions that vote are the ones
    that get the reward (the source votes once, offline, in one of its arms).

    Source:
        Zuo et al. 2025, arXiv:2504.16084 (test-time reinforcement learning); Shao et al. 2025,
            arXiv:2506.10947, section 2.2.
    """

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = False

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """1 or 0 by agreement with the vote."""
        answers = [grade.answer for grade in view.grades]
        votes = Counter(answer for answer in answers if answer is not None)
        if not votes:
            return Rewards((None,) * len(answers))
        winner = max(
            votes, key=lambda answer: votes[answer]
        )  # ties: max keeps the first, and Counter keeps the order of sampling
        return Rewards(tuple(float(answer == winner) for answer in answers))
