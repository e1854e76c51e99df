"""Which problems of the training split an arm meets: all of them, a fixed pool, one, or those of
middling difficulty.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.protocols import History
from rewardscope.seeds import Address, generator, key
from rewardscope.types import Rollout


@dataclass(frozen=True)
class AllProblems:
    """Fresh problems at each step, as many as the environment can make."""

    uses_truth: ClassVar[bool] = False

    def indices(
        self, seed: int, step: int, count: int, history: History, sampling_round: int = 0
    ) -> list[int]:
        """A stretch of the split that begins where the seed, and the round beyond the first, says
        and goes on with each step.
        """
        address: tuple[Address, ...] = (
            ("train", seed, "problems", sampling_round)
            if sampling_round
            else ("train", seed, "problems")
        )
        first = key(*address) % 2**40 + step * count
        return [first + p for p in range(count)]


@dataclass(frozen=True)
class Pool:
    """The same ``size`` problems over and over, each once per pass; ``size=1`` is one-example
    training.

    The order is drawn anew for each pass. The pool is the split's indices from ``first`` on,
    whatever the seed: seeds differ in order and noise, not in what can be learned from. A step
    larger than the pool samples several groups of a problem, each with its own noise.

    Source:
        Wang et al. 2025, arXiv:2504.20571 (one example; theirs is chosen by the variance of its
            accuracy over a run on all problems).
    """

    size: int
    first: int = 0
    chosen_by_truth: bool = False
    """Whether the pool was chosen by correctness in an earlier run, as `rewardscope rank`
    does.
    """

    @property
    def uses_truth(self) -> bool:
        """As ``chosen_by_truth`` says."""
        return self.chosen_by_truth

    def __post_init__(self) -> None:
        if self.size < 1 or self.first < 0:
            raise ComponentError(
                "A pool has problems in it",
                value=f"size={self.size}, first={self.first}",
                allowed="size >= 1, first >= 0",
                do="Correct it in the study file",
            )

    def indices(
        self, seed: int, step: int, count: int, history: History, sampling_round: int = 0
    ) -> list[int]:
        """The next ``count`` of the passes laid end to end; in further rounds others of the pool,
        in an order of the step's own, until all were met.
        """
        if sampling_round:
            met = [index - self.first for index in self.indices(seed, step, count, history)]
            order = generator("train", seed, "pool", "rounds", step).permutation(self.size).tolist()
            order = [position for position in order if position not in met] + [
                position for position in order if position in met
            ]
            start = (sampling_round - 1) * count
            return [
                self.first + order[position % self.size] for position in range(start, start + count)
            ]
        draws = range(step * count, (step + 1) * count)
        orders = {
            turn: generator("train", seed, "pool", turn).permutation(self.size)
            for turn in {draw // self.size for draw in draws}
        }
        return [self.first + int(orders[draw // self.size][draw % self.size]) for draw in draws]


@dataclass(frozen=True)
class Curriculum:
    """A pool whose problems rest while they are too easy or too hard: the last measured pass rate
    lies outside [low, high].

    First come problems never met, then those in the band, longest ago first, then resting ones,
    longest ago first, so that a step is always full; one that has rested ``rest`` steps counts as
    never met and is measured again. Order within each is drawn by seed.

    Source:
        The band is PRIME's filter of prompts, Cui et al. 2025, arXiv:2502.01456, section 4; there
            on every step's fresh prompts.
    """

    size: int
    low: float = 0.2
    high: float = 0.8
    rest: int = 10

    uses_truth: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.low < self.high <= 1 or self.rest < 1:
            raise ComponentError(
                "A curriculum has a pool and a band",
                value=self,
                allowed="size >= 1, 0 <= low < high <= 1, rest >= 1",
                do="Correct it in the study file",
            )

    def indices(
        self, seed: int, step: int, count: int, history: History, sampling_round: int = 0
    ) -> list[int]:
        """The ``count`` that come first, in a further round those that come next; from the first
        again where the pool is smaller.
        """
        noise = generator("train", seed, "curriculum", step).random(self.size)

        def turn(index: int) -> tuple[int, int, float]:
            if not history.get(index):
                return 0, 0, noise[index]
            met, rate = history[index][-1]
            if self.low <= rate <= self.high:
                return 1, met, noise[index]
            return (0 if step - met > self.rest else 2), met, noise[index]

        order = sorted(range(self.size), key=turn)
        start = sampling_round * count
        return [order[position % self.size] for position in range(start, start + count)]


@dataclass(frozen=True)
class Ranked:
    """How the accuracy of one problem moved over a run."""

    problem: str
    """Its id."""
    prompt: str
    times_met: int
    deviation: float
    """Standard deviation (over n) of its pass rate from meeting to meeting."""
    mean: float


def by_historical_variance(rollouts: Iterable[Rollout]) -> list[Ranked]:
    """Problems that a run met twice or more, the one whose pass rate varied most first.

    Source:
        Wang et al. 2025, arXiv:2504.20571, eqs. 1 and 2; the first of this order is their pi_1.
    """
    rates: dict[str, list[float]] = {}
    prompts: dict[str, str] = {}
    for rollout in rollouts:
        rate = rollout.pass_rate
        if rate is not None:
            rates.setdefault(rollout.problem.id, []).append(rate)
            prompts[rollout.problem.id] = rollout.problem.prompt
    ranking = [
        Ranked(id, prompts[id], len(met), pstdev(met), fmean(met))
        for id, met in rates.items()
        if len(met) > 1
    ]
    return sorted(ranking, key=lambda ranked: (-ranked.deviation, ranked.problem))
