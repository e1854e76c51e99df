"""What a calculator is: the findings that it needs, the points or inputs that it makes of them, and
the value.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rewardscope.environments.words.clinic.findings import Case, Finding, Quantity


@dataclass(frozen=True)
class Criterion:
    """One line of the working: the points of one criterion of a score, or one input of a formula in
    the formula's unit.
    """

    name: str
    of: Callable[[Case], float]
    points: tuple[float, ...] = (0, 1)
    """All that a criterion of a score can give."""
    unit: str = ""
    """The formula's unit; empty for points."""


@dataclass(frozen=True)
class Calculator:
    """A published score (the sum of its criteria's points, exact) or formula (5 % of tolerance)."""

    name: str
    title: str
    """As it is asked for, with the version and the unit that decide the value."""
    source: str
    findings: tuple[Finding, ...]
    criteria: tuple[Criterion, ...]
    formula: Callable[[Case], float] | None = None
    """None = points are added."""
    traps: tuple[str | Quantity, ...] = ()
    """What looks as if it counted, and does not."""
    prevalence: float = 1.0
    """Each case draws how likely its findings are, uniformly up to this, so that low and high
    scores are about as frequent.
    """
    denied: float = 0.5
    """Share of absent findings that the note denies; the others go unmentioned."""
    sexes: tuple[str, ...] = ("female", "male")
    possible: Callable[[Case], bool] = lambda case: True
    """False for cases that are not asked."""

    def parts(self, case: Case) -> dict[str, float]:
        """Points, or inputs, by criterion."""
        return {criterion.name: float(criterion.of(case)) for criterion in self.criteria}

    def value(self, case: Case) -> float:
        """The score or the formula's value."""
        return sum(self.parts(case).values()) if self.formula is None else self.formula(case)

    @property
    def highest(self) -> float:
        """The most that the points can add up to."""
        return sum(max(criterion.points) for criterion in self.criteria)


def points(name: str, number: float = 1) -> Criterion:
    """``number`` points where the finding of this name is present."""
    return Criterion(name, lambda case: number if case[name] else 0, (0, number))


def inputs(**units: str) -> tuple[Criterion, ...]:
    """Numbers of the case that a formula takes as they are; an underscore in a name stands for a
    space.
    """
    return tuple(_input(name.replace("_", " "), unit) for name, unit in units.items())


def _input(name: str, unit: str) -> Criterion:
    return Criterion(name, lambda case: case[name], (), unit)
