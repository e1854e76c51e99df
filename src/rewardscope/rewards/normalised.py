"""A reward in units of its own running spread, so that its scale does not set the step size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rewardscope.errors import ComponentError
from rewardscope.protocols import Reward, State, View
from rewardscope.rewards.state import first_state, given, next_state, terms_of, within
from rewardscope.seeds import Address
from rewardscope.types import Rewards

RAW = "reward"
"""The term that holds the reward before it is normalised."""


@dataclass(frozen=True)
class Normalised:
    """(r - m) / s, with m and s the mean and standard deviation of all rewards of earlier steps,
    clipped to ``[-clip, clip]``.

    The deviation is the population's. The first step is paid unchanged, and so is any step before
    the rewards have differed. Within a group, a method that subtracts the group's mean removes m
    again; s stays. The sources count the current batch too. Here a step's rewards do not depend on
    the others of the step.

    Source:
        Zheng et al. 2023, arXiv:2307.04964 (reward normalisation and clipping).
            Engstrom et al. 2020, arXiv:2005.12729 (reward scaling by a running deviation).
    """

    reward: Reward
    clip: float | None = None
    """Largest size of a normalised reward; None = no limit."""

    def __post_init__(self) -> None:
        if self.clip is not None and not 0 < self.clip < math.inf:
            raise ComponentError(
                "Normalised clips at a positive size",
                value=f"clip={self.clip}",
                allowed="a finite number above 0, or None",
                do="Correct it in the study file",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether the reward inside does."""
        return self.reward.uses_truth

    @property
    def placebo(self) -> bool:
        """Whether the reward inside is one."""
        return self.reward.placebo

    @property
    def first_state(self) -> State:
        """Nothing seen yet."""
        return {"count": 0, "mean": 0.0, "squares": 0.0, RAW: first_state(self.reward)}

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """The rewards of a first step: those of the reward inside."""
        return self.given(self.first_state, view, address)

    def given(self, state: State, view: View, address: tuple[Address, ...]) -> Rewards:
        """Normalised rewards; None stays None."""
        raw = given(self.reward, state[RAW], view, address)
        mean, deviation = 0.0, 1.0
        if state["count"] and state["squares"] > 0:
            mean, deviation = state["mean"], math.sqrt(state["squares"] / state["count"])
        most = math.inf if self.clip is None else self.clip
        values = tuple(
            None if value is None else min(max((value - mean) / deviation, -most), most)
            for value in raw.values
        )
        return Rewards(values, terms_of(RAW, raw))

    def next_state(self, state: State, views: Sequence[View], told: Sequence[Rewards]) -> State:
        """Count, mean, and sum of squared distances from the mean, over all rewards so far; the
        update is Chan's, which does not lose small deviations beside a large mean.
        """
        raw = [within(each, RAW) for each in told]
        values = [value for each in raw for value in each.values if value is not None]
        after: dict[str, Any] = {**state, RAW: next_state(self.reward, state[RAW], views, raw)}
        if not values:
            return after
        before, count = state["count"], len(values)
        mean = math.fsum(values) / count
        squares = math.fsum((value - mean) ** 2 for value in values)
        distance, total = mean - state["mean"], before + count
        return after | {
            "count": total,
            "mean": state["mean"] + distance * count / total,
            "squares": state["squares"] + squares + distance**2 * before * count / total,
        }
