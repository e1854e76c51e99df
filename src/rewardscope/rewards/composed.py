"""Rewards made of rewards: all of them, their sum, or their product."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from rewardscope.errors import ComponentError
from rewardscope.protocols import Reward, State, View
from rewardscope.rewards.state import first_state, given, next_state, terms_of, within
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class _Composed(ABC):
    """Rewards side by side; a completion to which one of them gives None gets None.

    Each part is sealed unless it reads the key itself, draws its own randomness, and carries its
    own state. What each gave is a term of the reward.
    """

    parts: tuple[Reward, ...]

    def __post_init__(self) -> None:
        fits = isinstance(self.parts, tuple) and self.parts
        if not fits or any(isinstance(part, type) for part in self.parts):
            raise ComponentError(
                f"{type(self).__name__} needs a tuple of rewards",
                value=f"parts={self.parts!r}",
                allowed="one reward or more in a tuple, each an instance",
                do=f"Write {type(self).__name__}((Truth(), Form()))",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether any part does."""
        return any(part.uses_truth for part in self.parts)

    @property
    def placebo(self) -> bool:
        """Whether every part is one, and none reads the key: a product of opposites of the truth
        can be the truth.
        """
        return not self.uses_truth and all(part.placebo for part in self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each part's term: its class, numbered from the second of a class on."""
        kinds = [type(part).__name__.lower() for part in self.parts]
        counts = [kinds[: place + 1].count(kind) for place, kind in enumerate(kinds)]
        return tuple(
            kind if count == 1 else f"{kind} {count}"
            for kind, count in zip(kinds, counts, strict=True)
        )

    @property
    def first_state(self) -> State:
        """The first states of the parts that have one, by name."""
        states = {
            name: first_state(part) for name, part in zip(self.names, self.parts, strict=True)
        }
        return {name: state for name, state in states.items() if state}

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """The rewards of a first step."""
        return self.given(self.first_state, view, address)

    def given(self, state: State, view: View, address: tuple[Address, ...]) -> Rewards:
        """One number per completion, from those of the parts; None where one of them is None."""
        named = list(zip(self.names, self.parts, strict=True))
        told = [
            given(part, state.get(name, {}), view, (*address, place))
            for place, (name, part) in enumerate(named)
        ]
        terms = {
            key: values
            for (name, _), each in zip(named, told, strict=True)
            for key, values in terms_of(name, each).items()
        }
        rows = zip(*(each.values for each in told), strict=True)
        return Rewards(tuple(self._of_all(row) for row in rows), terms)

    def next_state(self, state: State, views: Sequence[View], told: Sequence[Rewards]) -> State:
        """The next states of the parts that have one, by name."""
        states = {
            name: next_state(part, state[name], views, [within(each, name) for each in told])
            for name, part in zip(self.names, self.parts, strict=True)
            if name in state
        }
        return {name: moved for name, moved in states.items() if moved}

    def _of_all(self, values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return self._combined(known) if len(known) == len(values) else None

    @abstractmethod
    def _combined(self, values: Sequence[float]) -> float:
        """One number from those of the parts."""


@dataclass(frozen=True)
class And(_Composed):
    """1 if every part pays more than 0, else 0; None if a part gives None.

    Source:
        Shao et al. 2025, arXiv:2506.10947, section 4.3 and the rewards ``a_AND_b`` of its code
            (compound rewards).
    """

    def _combined(self, values: Sequence[float]) -> float:
        return float(all(value > 0 for value in values))


@dataclass(frozen=True)
class Times(_Composed):
    """The product of the parts, so that each gates the others; None if a part gives None."""

    def _combined(self, values: Sequence[float]) -> float:
        return math.prod(values)


@dataclass(frozen=True)
class Plus(_Composed):
    """The sum of weight x part; None if a part gives None."""

    weights: tuple[float, ...] = ()
    """One per part; none at all = 1 each."""

    def __post_init__(self) -> None:
        super().__post_init__()
        fitting = isinstance(self.weights, tuple) and len(self.weights) in (0, len(self.parts))
        if not fitting or not all(math.isfinite(weight) and weight for weight in self.weights):
            raise ComponentError(
                "Plus needs one weight per reward",
                value=f"weights={self.weights!r} for {len(self.parts)} rewards",
                allowed="a tuple with one finite number other than 0 per reward, or ()",
                do="Correct it, and leave out a reward that should not count",
            )

    @property
    def placebo(self) -> bool:
        """Whether every part is one, and none that reads the key counts negatively: minus the
        opposite of the truth is the truth.
        """
        return all(
            part.placebo and (weight > 0 or not part.uses_truth)
            for part, weight in zip(self.parts, self._weights, strict=True)
        )

    @property
    def _weights(self) -> tuple[float, ...]:
        return self.weights or (1.0,) * len(self.parts)

    def _combined(self, values: Sequence[float]) -> float:
        pairs = zip(self._weights, values, strict=True)
        return math.fsum(weight * value for weight, value in pairs)
