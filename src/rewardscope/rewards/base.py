"""What a reward scheme is, and the seal that holds it to its word."""

import math

from rewardscope.errors import RewardscopeError
from rewardscope.protocols import Reward, View
from rewardscope.seeds import Address
from rewardscope.types import Rollout, sealed


def verdicts(view: View, strict: bool = False) -> tuple[float | None, ...]:
    """1 for a completion that is right, 0 for a wrong one, None where the verifier could not say;
    ``strict`` by the strict extractor.

    Raises:
        TruthSealed: If the view is sealed.
    """
    found = (grade.strict if strict else grade.correct for grade in view.grades)
    return tuple(None if verdict is None else float(verdict) for verdict in found)


def tell(reward: Reward, rollout: Rollout, address: tuple[Address, ...]) -> Rollout:
    """The rollout with what ``reward`` tells the learner about it.

    Raises:
        TruthSealed: If a scheme that declares ``uses_truth = False`` reads the key.
        RewardscopeError: If it does not give one finite number, or None, per completion.
    """
    rewards = reward(rollout if reward.uses_truth else sealed(rollout), address)
    if len(rewards.values) != len(rollout.completions):
        raise RewardscopeError(
            f"{type(reward).__name__} must give one reward per completion",
            value=f"{len(rewards.values)} rewards for {len(rollout.completions)} completions",
            do="Return None where it cannot say",
        )
    for value in rewards.values:
        if value is not None and not math.isfinite(value):
            raise RewardscopeError(
                f"{type(reward).__name__} told a reward that is not a finite number",
                value=f"{value} for problem {rollout.problem.id}",
                do="Return None where it cannot say",
            )
    return rollout.told(rewards)
