"""Which problems of the training split an arm meets: all of them, a fixed pool, or one."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from rewardscope.errors import ComponentError
from rewardscope.seeds import generator, key


class Regime(Protocol):
    """Says which problems a step draws; a function of seed and step alone, so arms under one seed meet the same ones."""

    @property
    def uses_truth(self) -> bool:
        """Whether it chooses by what only the key can tell."""

    def indices(self, seed: int, step: int, count: int) -> list[int]:
        """Indices into the training split, one per problem of the step."""


@dataclass(frozen=True)
class AllProblems:
    """Fresh problems at each step, as many as the environment can make."""

    uses_truth: ClassVar[bool] = False

    def indices(self, seed: int, step: int, count: int) -> list[int]:
        """A stretch of the split that begins where the seed says and goes on with each step."""
        first = key("train", seed, "problems") % 2**40 + step * count
        return [first + p for p in range(count)]


@dataclass(frozen=True)
class Pool:
    """The same ``size`` problems over and over, each once per pass; ``size=1`` is one-example training.

    The order is drawn anew for each pass. The pool is the split's indices from ``first`` on, whatever the seed: seeds differ in order and
    noise, not in what can be learned from. A step larger than the pool samples several groups of a problem, each with its own noise.

    Source:
        Wang et al. 2025, arXiv:2504.20571 (one example; theirs is chosen by the variance of its accuracy over a run on all problems).
    """

    size: int
    first: int = 0

    uses_truth: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.size < 1 or self.first < 0:
            raise ComponentError(
                "A pool has problems in it", value=f"size={self.size}, first={self.first}", allowed="size >= 1, first >= 0", do="Mend it"
            )

    def indices(self, seed: int, step: int, count: int) -> list[int]:
        """The next ``count`` of the passes laid end to end."""
        draws = range(step * count, (step + 1) * count)
        orders = {turn: generator("train", seed, "pool", turn).permutation(self.size) for turn in {draw // self.size for draw in draws}}
        return [self.first + int(orders[draw // self.size][draw % self.size]) for draw in draws]


REGIMES: dict[str, type[Regime]] = {cls.__name__: cls for cls in (AllProblems, Pool)}
"""Every data regime there is, by name."""
