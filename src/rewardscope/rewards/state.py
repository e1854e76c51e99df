"""The state that a reward carries between steps, for any reward: one without has an empty state.

A reward that wraps others calls these functions for each of them. So a state travels through any
nesting, and a part sees the answer key only if it declares to read it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rewardscope.codec import encode
from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.protocols import Remembers, Reward, State, View
from rewardscope.seeds import Address
from rewardscope.types import Rewards, Rollout, sealed

BETWEEN = "/"
"""Between the name of a part and the names of its own terms, in the terms of what wraps it."""


def first_state(reward: Reward) -> State:
    """The state before the first step, as JSON gives it back.

    Raises:
        ComponentError: If JSON cannot hold it.
    """
    return _as_stored(reward, reward.first_state if isinstance(reward, Remembers) else {})


def given(reward: Reward, state: State, view: View, address: tuple[Address, ...]) -> Rewards:
    """The rewards of a group under the state.

    Raises:
        TruthSealed: If a reward with ``uses_truth = False`` reads the answer key.
    """
    seen = view if reward.uses_truth or not isinstance(view, Rollout) else sealed(view)
    if isinstance(reward, Remembers):
        return reward.given(state, seen, address)
    return reward(seen, address)


def next_state(
    reward: Reward, state: State, views: Sequence[View], told: Sequence[Rewards]
) -> State:
    """The state after a step with these groups, as JSON gives it back.

    Raises:
        ComponentError: If JSON cannot hold it.
        TruthSealed: If a reward with ``uses_truth = False`` reads the answer key.
    """
    if not isinstance(reward, Remembers):
        return {}
    seen = [
        view if reward.uses_truth or not isinstance(view, Rollout) else sealed(view)
        for view in views
    ]
    return _as_stored(reward, reward.next_state(state, seen, told))


def _as_stored(reward: Reward, state: object) -> State:
    """The state after a trip through JSON: a resumed run and an uninterrupted one have the same.

    Raises:
        ComponentError: If it is no mapping, or holds something that JSON cannot.
    """
    fault: object = f"{type(state).__name__} {state!r}"
    try:
        if isinstance(state, Mapping):
            stored: dict[str, Any] = json.loads(json.dumps(encode(state), allow_nan=False))
            return stored
    except (RewardscopeError, TypeError, ValueError) as error:
        fault = error
    raise ComponentError(
        f"{type(reward).__name__} has a state that cannot be stored",
        value=str(fault)[:200],
        allowed="a mapping of text to finite numbers, text, booleans, None, lists or mappings",
        do="Return {'name': value} with plain values; `tensor.tolist()` makes them",
    )


def within(told: Rewards, name: str) -> Rewards:
    """What the part of that name gave, from the terms of the reward that wraps it."""
    own = name + BETWEEN
    terms = {key.removeprefix(own): v for key, v in told.parts.items() if key.startswith(own)}
    return Rewards(told.parts[name], terms)


def terms_of(name: str, told: Rewards) -> dict[str, tuple[float | None, ...]]:
    """What a part gave, as terms of the reward that wraps it; :func:`within` reads it back."""
    return {name: told.values, **{name + BETWEEN + key: v for key, v in told.parts.items()}}


@dataclass
class Memory:
    """The state of a run's reward, and the reward that it belongs to."""

    reward: Reward
    state: State = field(default_factory=dict)

    @classmethod
    def begin(cls, reward: Reward) -> "Memory":
        """The memory before the first step."""
        return cls(reward, first_state(reward))

    def learn(self, rollouts: Sequence[Rollout]) -> None:
        """Moves the state on, after a step whose groups were given these rewards."""
        told = [Rewards(rollout.rewards or (), rollout.parts) for rollout in rollouts]
        self.state = next_state(self.reward, self.state, rollouts, told)
