"""An own reward beside a placebo of its own shape.

``Brief`` pays for being right and short. Better than coin flips is little to ask of it: what if any
uneven payment within a group did the same? ``Shuffled`` pays the very same numbers, in random order
within each group, so the two differ in nothing but whom they pay.

    rewardscope run examples/own_reward.py
"""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope import (
    Arm,
    Behaviour,
    Boundary,
    Chain,
    Claim,
    Evaluation,
    Learner,
    Organism,
    Rewards,
    Sampling,
    Study,
    WeightChange,
)
from rewardscope.rewards import Reward, View
from rewardscope.seeds import Address, generator


@dataclass(frozen=True)
class Brief:
    """1 for a correct completion less ``cost`` for each of its tokens; 0 for a wrong one."""

    cost: float = 0.03

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """One number per completion; None where the verifier could not say."""
        return Rewards(
            tuple(
                None if grade.correct is None else grade.correct * (1 - self.cost * said.length)
                for said, grade in zip(view.completions, view.grades, strict=True)
            )
        )


@dataclass(frozen=True)
class Shuffled:
    """What the base pays, in random order within the group."""

    base: Reward = Brief()

    uses_truth: ClassVar[bool] = True
    """The numbers are made with the key, even if whom they reach is not."""
    placebo: ClassVar[bool] = True

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """The base's numbers, each to a completion drawn by lot."""
        values = self.base(view, address).values
        order = generator(*address, "shuffled").permutation(len(values))
        return Rewards(tuple(values[place] for place in order))


def arm(name: str, reward: Reward) -> Arm:
    """An arm of this study; only the reward differs."""
    return Arm(
        name=name,
        start=Organism("formats-planted"),
        environment=Chain(),
        reward=reward,
        learner=Learner(learning_rate=1e-3),
        sampling=Sampling(max_tokens=24),
        steps=8,
        problems_per_step=16,
        completions_per_problem=8,
        checkpoint_every=8,
    )


study = Study(
    name="own-reward",
    question="Does it matter whom a reward for short, right completions pays?",
    arms=(arm("brief", Brief()), arm("shuffled", Shuffled())),
    seeds=(0, 1, 2, 3, 4),
    evaluation=Evaluation(problems=32, draws=16),
    probes=(Boundary(max_k=16), Behaviour(), WeightChange()),
    claims=(
        Claim(
            sentence="Paying the right completions raises pass@1 more than the same pay by lot.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="brief",
            control="shuffled",
            margin=0.05,
        ),
        Claim(
            sentence="The same pay by lot leaves pass@1 where it was.",
            metric="boundary/pass_at_k",
            labels={"k": "1"},
            treatment="shuffled",
            control="base",
            expects="same",
            margin=0.05,
        ),
    ),
)
