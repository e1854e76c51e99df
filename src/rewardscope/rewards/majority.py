"""Reward by vote of the group: a pseudo-label that never saw the key."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Majority:
    """1 for the group's most frequent answer, 0 for any other or none; a tie goes to the answer
    that was sampled first.

    None for all where no completion has an answer. The vote is of the same completions that are
    paid (the source votes once, offline, in one of its arms).

    Source:
        Zuo et al. 2025, arXiv:2504.16084 (test-time reinforcement learning); Shao et al. 2025,
            arXiv:2506.10947, section 2.2.
    """

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = False

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """Agreement with the vote as numbers."""
        answers = [grade.answer for grade in view.grades]
        votes = Counter(answer for answer in answers if answer is not None)
        if not votes:
            return Rewards((None,) * len(answers))
        winner = max(
            votes, key=lambda answer: votes[answer]
        )  # max keeps the first of equals, and Counter the order of sampling
        return Rewards(tuple(float(answer == winner) for answer in answers))
