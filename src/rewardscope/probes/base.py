"""What an instrument is, and what it is pointed at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol

from rewardscope.policy import Policy, Sampling
from rewardscope.stats import Estimate
from rewardscope.types import Grade, Measurement, Problem, Rollout


def first_draws(rollouts: Sequence[Rollout], count: int) -> list[Rollout]:
    """The first ``count`` completions of each problem, or as many as every problem has, untold:
    chosen by nobody, and equal in number.
    """
    most = min(count, *(len(rollout.completions) for rollout in rollouts))
    return [
        replace(r, completions=r.completions[:most], grades=r.grades[:most], rewards=None, parts={})
        for r in rollouts
    ]


class World(Protocol):
    """An environment, as far as instruments ask of one."""

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index)."""

    def grade(self, problem: Problem, text: str) -> Grade:
        """What the verifier finds in the completion."""

    def oracle(self, problem: Problem) -> str:
        """A completion that earns full marks."""


@dataclass(frozen=True)
class Subject:
    """A policy at one step with its untrained base: the same held-out problems, met with the same
    draws.
    """

    study: str
    arm: str
    seed: int | None
    step: int
    rollouts: tuple[Rollout, ...]
    """Its completions on the held-out problems."""
    policy: Policy
    strategies: tuple[str, ...]
    """Every strategy that the environment can recognise."""
    sources: tuple[str, ...]
    """Files that its rows are read from."""
    base_rollouts: tuple[Rollout, ...] | None = None
    """The base's completions on the same problems; None when the subject is the base."""
    base_policy: Policy | None = None
    environment: World | None = None
    """Whose problems these are, for instruments that ask a policy for more completions; None where
    it is not at hand.
    """
    sampling: Sampling = Sampling()
    """How the completions were drawn."""
    base_rows: tuple[Measurement, ...] = ()
    """What the same instruments said of the base alone; empty = not known, and what is needed of it
    is measured again.
    """
    counterfactual: Mapping[str, tuple[Rollout, ...]] = field(default_factory=dict)
    """Its completions on the same problems behind another block than the one recalled: "without"
    what was recalled, and "swapped" for what belongs to another category. Empty for a policy
    without a bank, or where nobody asked.
    """

    def row(
        self,
        metric: str,
        unit: str,
        estimate: Estimate | float | None,
        *,
        n: int,
        over: str,
        labels: Mapping[str, str] | None = None,
        dropped: int = 0,
    ) -> Measurement:
        """A measurement of this subject; a bare number has no interval."""
        if not isinstance(estimate, Estimate):
            estimate = Estimate(estimate, None, None, "") if estimate is not None else None
        return Measurement(
            study=self.study,
            arm=self.arm,
            seed=self.seed,
            step=self.step,
            probe=metric.split("/")[0],
            metric=metric,
            unit=unit,
            value=estimate.value if estimate else None,
            lower=estimate.lower if estimate else None,
            upper=estimate.upper if estimate else None,
            interval=estimate.interval if estimate else "",
            n=n,
            over=over,
            labels=labels or {},
            sources=self.sources,
            dropped=dropped,
        )


class Probe(Protocol):
    """An instrument. It reads, it never writes, and it leaves the policy as it found it."""

    metrics: ClassVar[tuple[str, ...]]
    """Every metric it can produce; each has a row in docs/instruments.md."""
    reads: ClassVar[str]
    """What it reads of a policy and of its base."""

    def measure(self, subject: Subject) -> list[Measurement]:
        """Its rows. Rows labelled with a problem carry one problem's number; the others are
        aggregates.
        """
