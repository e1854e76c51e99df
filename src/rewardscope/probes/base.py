"""The evidence that instruments read, what they need of it, and gaps where it is missing."""

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeVar

from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.policy import Policy, Sampling
from rewardscope.policy.weights import PolicyWeights, Weights
from rewardscope.protocols import Environment, Probe
from rewardscope.registry import name_of
from rewardscope.section import Section
from rewardscope.stats import Estimate
from rewardscope.types import Gap, Measurement, Rollout


def first_draws(rollouts: Sequence[Rollout], count: int) -> list[Rollout]:
    """The first ``count`` completions of each problem, without rewards. If a problem has
    fewer, its number is used for all. No outcome affects the choice.
    """
    most = min(count, *(len(rollout.completions) for rollout in rollouts))
    return [
        replace(r, completions=r.completions[:most], grades=r.grades[:most], rewards=None, parts={})
        for r in rollouts
    ]


class Need(Enum):
    """What an instrument may need from its evidence. The value is its name on the page."""

    ROLLOUTS = "completions"
    TOKENS = "the token ids of completions"
    LOGPROBS = "the token logprobs of completions"
    SAMPLING = "how the completions were sampled"
    ENVIRONMENT = "the environment"
    POLICY = "the policy itself"
    WEIGHTS = "the weights"
    BASE_ROLLOUTS = "the untrained policy's completions"
    BASE_POLICY = "the untrained policy itself"
    BASE_WEIGHTS = "the untrained weights"
    BASE_ROWS = "the untrained policy's measurements"
    COUNTERFACTUAL = "completions after another block of experience"


OF_A_COMPARISON = frozenset(
    {
        Need.BASE_ROLLOUTS,
        Need.BASE_POLICY,
        Need.BASE_WEIGHTS,
        Need.BASE_ROWS,
        Need.COUNTERFACTUAL,
    }
)
"""What an untrained policy never has, so lacking it is not a gap."""


PSEUDO = "pseudo-value"
"""What a row of a problem is over, where its number only has a meaning in the mean."""


@dataclass(frozen=True)
class Evidence:
    """What is known about one policy at one step: its completions on held-out problems and, where
    available, those of its untrained base, both policies, their weights and the environment.

    Base and trained policy answered the same problems with the same random draws.
    """

    study: str
    arm: str
    seed: int | None
    """None for an untrained policy."""
    step: int
    rollouts: tuple[Rollout, ...]
    """Its completions on the held-out problems; empty where only weights are compared."""
    sources: tuple[str, ...] = ()
    """Files that its rows are read from."""
    strategies: tuple[str, ...] = ()
    """Every strategy that the environment can recognise; empty = not known."""
    policy: Policy | None = None
    weights: Weights | None = None
    """Its weights, where they are read without building a model; otherwise those of ``policy``."""
    base_rollouts: tuple[Rollout, ...] | None = None
    """The base's completions on the same problems; None when this is the base."""
    base_policy: Policy | None = None
    base_weights: Weights | None = None
    environment: Environment | None = None
    """The problems' environment, for instruments that sample more completions."""
    sampling: Sampling | None = None
    """How the completions were drawn."""
    base_rows: tuple[Measurement, ...] = ()
    """What the same instruments measured on the base alone. Empty = not known: what is needed is
    then measured again.
    """
    counterfactual: Mapping[str, tuple[Rollout, ...]] = field(default_factory=dict)
    """Its completions on the same problems after another block than the one recalled: "without"
    has filler instead, "swapped" has the entries of another category. Empty for a policy without a
    bank, or where none were sampled.
    """

    @property
    def has(self) -> frozenset[Need]:
        """What is available. Token ids and logprobs count only if every completion has them."""
        completions = [
            c for r in (*self.rollouts, *(self.base_rollouts or ())) for c in r.completions
        ]
        available = {
            Need.ROLLOUTS: bool(self.rollouts),
            Need.TOKENS: all(c.token_ids for c in completions),
            Need.LOGPROBS: all(c.logprobs for c in completions),
            Need.SAMPLING: self.sampling is not None,
            Need.ENVIRONMENT: self.environment is not None,
            Need.POLICY: self.policy is not None,
            Need.WEIGHTS: self.trained_weights is not None,
            Need.BASE_ROLLOUTS: bool(self.base_rollouts),
            Need.BASE_POLICY: self.base_policy is not None,
            Need.BASE_WEIGHTS: self.untrained_weights is not None,
            Need.BASE_ROWS: bool(self.base_rows),
            Need.COUNTERFACTUAL: bool(self.counterfactual),
        }
        return frozenset(need for need, present in available.items() if present)

    @property
    def trained_weights(self) -> Weights | None:
        """The policy's weights, from a folder or from the model in memory."""
        return self.weights or (None if self.policy is None else PolicyWeights(self.policy))

    @property
    def untrained_weights(self) -> Weights | None:
        """The base's weights, from a folder or from the model in memory."""
        model = self.base_policy
        return self.base_weights or (None if model is None else PolicyWeights(model))

    def lacks(self, needs: Iterable[Need]) -> tuple[Need, ...]:
        """Which of these are missing, in the order of :class:`Need`. An untrained policy needs no
        base.
        """
        missing = frozenset(needs) - self.has
        if self.seed is None:
            missing -= OF_A_COMPARISON
        return tuple(need for need in Need if need in missing)

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
        """A measurement of this evidence; a bare number has no interval."""
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

    def problem_rows(
        self,
        metric: str,
        unit: str,
        values: Mapping[str, float],
        labels: Mapping[str, str] | None = None,
        n: Mapping[str, int] | None = None,
        over: str = "draws",
    ) -> list[Measurement]:
        """A row per problem, by which arms are paired; the mean of the values is the aggregate.

        Args:
            metric: As in the aggregate row.
            unit: As there.
            values: Problem -> its number.
            labels: As there.
            n: Problem -> how many draws its number is made from; 0 = not counted.
            over: :data:`PSEUDO` where a single number is no number of that unit, such as a
                linearised ratio, which may lie outside what a share can be.
        """
        return [
            self.row(
                metric,
                unit,
                value,
                n=n.get(problem, 0) if n else 0,
                over=over,
                labels={**(labels or {}), "problem": problem},
            )
            for problem, value in values.items()
        ]


Given = TypeVar("Given")


def given(value: Given | None, need: Need) -> Given:
    """The value, unless it is missing.

    Raises:
        ComponentError: If it is None.
    """
    if value is None:
        raise ComponentError(
            "An instrument lacks what it needs",
            value=f"no {need.value.removeprefix('the ')}",
            allowed="evidence that has it",
            do="Provide it, or call measure_all, which reports what is missing",
        )
    return value


def needs_of(probe: Probe | type) -> frozenset[Need]:
    """What the instrument requires.

    Raises:
        ComponentError: If it declares anything other than a set of :class:`Need`.
    """
    return _declared(probe, "needs", frozenset({Need.ROLLOUTS}))


def uses_of(probe: Probe | type) -> frozenset[Need]:
    """What the instrument uses, where available, to measure more.

    Raises:
        ComponentError: If it declares anything other than a set of :class:`Need`.
    """
    return _declared(probe, "uses", frozenset())


def _declared(probe: Probe | type, name: str, default: frozenset[Need]) -> frozenset[Need]:
    declared = getattr(probe, name, default)
    if isinstance(declared, (set, frozenset)) and all(isinstance(item, Need) for item in declared):
        return frozenset(declared)
    raise ComponentError(
        f"An instrument's {name} are not a set of Need",
        value=repr(declared),
        allowed=f"a frozenset of {', '.join(f'Need.{need.name}' for need in Need)}",
        do=f"Write {name}: ClassVar[frozenset[Need]] = frozenset({{Need.POLICY}}), for instance",
    )


def section_of(probe: Probe | type) -> Section | None:
    """How its rows are shown on the page; None where it does not say."""
    section = getattr(probe, "section", None)
    return section if isinstance(section, Section) else None


def measure_all(probes: Iterable[Probe], evidence: Evidence) -> tuple[list[Measurement], list[Gap]]:
    """The rows of every instrument that can read the evidence, and a gap for each that
    cannot, that measures less than it could, or that failed.

    One instrument's failure never loses another's rows. If an instrument returns a row that it does
    not declare, none of its rows are kept.
    """
    rows: list[Measurement] = []
    gaps: list[Gap] = []
    for probe in probes:
        try:
            lacks, less = (evidence.lacks(of(probe)) for of in (needs_of, uses_of))
            if lacks:
                gaps.append(_gap(probe, evidence, lacks=lacks))
                continue
            rows += _checked(probe, evidence, probe.measure(evidence))
        except RewardscopeError as error:
            gaps.append(_gap(probe, evidence, failure=str(error)))
        except Exception as error:  # a fault in a guest's code must not lose the training
            failure = f"{type(error).__name__}: {error}".removesuffix(": ")
            gaps.append(_gap(probe, evidence, failure=failure, trace=traceback.format_exc()))
        else:
            gaps += [_gap(probe, evidence, lacks=less, partial=True)] if less else []
    return rows, gaps


def _gap(
    probe: Probe,
    evidence: Evidence,
    *,
    lacks: Iterable[Need] = (),
    failure: str = "",
    trace: str = "",
    partial: bool = False,
) -> Gap:
    return Gap(
        of=name_of(type(probe)),
        arm=evidence.arm,
        seed=evidence.seed,
        step=evidence.step,
        metrics=tuple(probe.metrics),
        lacks=tuple(need.value for need in lacks),
        failure=failure,
        partial=partial,
        trace=trace,
    )


TEXTS = ("unit", "interval", "over", "metric", "probe")


def _checked(probe: Probe, evidence: Evidence, rows: Sequence[Any]) -> list[Measurement]:
    """The rows, once it is checked that the instrument declares them and a table can hold them.

    Raises:
        ComponentError: If a row fails the check.
    """
    for row in rows:
        fault = _fault(probe, evidence, row)
        if fault:
            raise ComponentError(
                f"{name_of(type(probe))} returned a row that is not a valid measurement",
                value=fault,
                allowed="rows made by evidence.row(...), of metrics that the instrument declares",
                do="Correct its measure()",
            )
    return list(rows)


def _fault(probe: Probe, evidence: Evidence, row: Any) -> str:
    """What is wrong with a row; empty if nothing is."""
    if not isinstance(row, Measurement):
        return f"{type(row).__name__} instead of a Measurement"
    if row.metric not in probe.metrics:
        return f"metric {row.metric}, which is not among {', '.join(probe.metrics)}"
    whose = (row.study, row.arm, row.seed, row.step)
    if whose != (evidence.study, evidence.arm, evidence.seed, evidence.step):
        return f"{row.metric} of {whose}"
    numbers = (row.value, row.lower, row.upper)
    if not all(value is None or isinstance(value, (int, float)) for value in numbers):
        return f"{row.metric}: a value that is not a number, {numbers}"
    texts = [getattr(row, name) for name in TEXTS] + [*row.labels, *row.labels.values()]
    if not all(isinstance(text, str) for text in texts):
        return f"{row.metric}: unit, over or labels that are not text, {dict(row.labels)}"
    counts = isinstance(row.n, int) and isinstance(row.dropped, int)
    return "" if counts else f"{row.metric}: n={row.n!r}, dropped={row.dropped!r}"
