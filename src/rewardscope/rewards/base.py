"""How a reward is applied to a group, with the answer key sealed unless it declares to read it."""

import math
from collections.abc import Sequence
from dataclasses import replace

from rewardscope.errors import RewardscopeError
from rewardscope.protocols import Reward, State, View
from rewardscope.rewards.state import first_state, given
from rewardscope.seeds import Address
from rewardscope.types import Rewards, Rollout


def verdicts(view: View, strict: bool = False) -> tuple[float | None, ...]:
    """1 for each right completion, 0 for a wrong one, None if it could not be graded. ``strict``
    uses the strict extractor.

    Raises:
        TruthSealed: If the view is sealed.
    """
    chosen = (grade.strict if strict else grade.correct for grade in view.grades)
    return tuple(None if verdict is None else float(verdict) for verdict in chosen)


def tell(
    reward: Reward, rollout: Rollout, address: tuple[Address, ...], state: State | None = None
) -> Rollout:
    """The rollout with the values of ``reward``; NumPy numbers and booleans become plain numbers.

    Args:
        reward: What pays.
        rollout: A graded group.
        address: Of the reward's randomness.
        state: What the reward carries from earlier steps; None = its first state.

    Raises:
        TruthSealed: If a reward with ``uses_truth = False`` reads the answer key.
        RewardscopeError: If it does not return one finite number, or None, per completion.
    """
    name = type(reward).__name__
    known = first_state(reward) if state is None else state
    rewards: object = given(reward, known, rollout, address)
    if not isinstance(rewards, Rewards) or not isinstance(rewards.values, Sequence):
        raise RewardscopeError(
            f"{name} must return Rewards",
            value=f"{_short(rewards)}, of type {type(rewards).__name__}",
            allowed="Rewards with one number, or None, per completion",
            do="Write `return Rewards(tuple(...))`",
        )
    if len(rewards.values) != len(rollout.completions):
        raise RewardscopeError(
            f"{name} must return one reward per completion",
            value=f"{len(rewards.values)} rewards for {len(rollout.completions)} completions",
            allowed="as many as view.completions",
            do="Return None where it cannot say",
        )
    values = tuple(_number(value, name, rollout) for value in rewards.values)
    return rollout.told(replace(rewards, values=values))


def _number(value: object, name: str, rollout: Rollout) -> float | None:
    """The reward as a plain number.

    Raises:
        RewardscopeError: If it is not a number, or not finite.
    """
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    if plain is None:
        return None
    if not isinstance(plain, (int, float)):
        raise RewardscopeError(
            f"{name} returned a reward that is not a number",
            value=f"{_short(value)}, of type {type(value).__name__}, for problem "
            f"{rollout.problem.id}",
            allowed="a finite number, or None",
            do="Write `float(...)` around it",
        )
    if not math.isfinite(plain):
        raise RewardscopeError(
            f"{name} returned a reward that is not finite",
            value=f"{plain} for problem {rollout.problem.id}",
            allowed="a finite number, or None",
            do="Return None where it cannot say",
        )
    return float(plain)


def _short(value: object, most: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= most else text[:most] + " ..."
