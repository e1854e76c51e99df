"""What a case note can say of a patient: a finding that is there or not, one of several, or a
number with its unit.

A finding is drawn first and worded afterwards, so the same case can be told in many ways. The last
wording of each is held out: only the split ``heldout_phrasings`` uses it. ``{He}``, ``{he}``,
``{him}`` and ``{his}`` stand for the patient.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Case = Mapping[str, Any]
"""Name of a finding -> what it is in this patient: a number in the finding's first unit, True or
False, or one of several words.
"""
NEAR_AN_EDGE = 1 / 3
"""Share of numbers that are drawn at a threshold of the rule or one step beside it."""
MEASURED = (
    "{It} is {value}.",
    "{It}: {value}.",
    "{It} was measured at {value}.",
    "A measurement of {it} gives {value}.",
)
TOLD = ("{It} is {value}.", "{It}: {value}.", "{It} is given as {value}.")
PRESSURES = (
    "Blood pressure is {value}.",
    "BP {value}.",
    "Blood pressure was measured at {value}.",
    "The cuff shows {value}.",
)


class Finding(Protocol):
    """One thing that a note may say."""

    @property
    def name(self) -> str:
        """Where its value stands in a case."""

    def draw(self, random: np.random.Generator, likely: float) -> dict[str, Any]:
        """What it is in a new patient; what can be absent is present with probability
        ``likely``.
        """

    def say(self, case: Case, random: np.random.Generator, held_out: bool) -> str:
        """A sentence that states it."""

    def silent(self, case: Case) -> bool:
        """Whether it is absent, so that a note may leave it out."""

    def numbers(self, case: Case) -> tuple[float, ...]:
        """The numbers that a note gives of it, in the units that it gives them in."""


def pick(wordings: Sequence[str], random: np.random.Generator, held_out: bool) -> str:
    """The last wording where the held-out one is asked for, else one of the others."""
    return wordings[-1] if held_out else wordings[int(random.integers(len(wordings) - 1))]


@dataclass(frozen=True)
class Flag:
    """A finding that is present (True) or absent (False)."""

    name: str
    present: tuple[str, ...]
    absent: tuple[str, ...]

    def draw(self, random: np.random.Generator, likely: float) -> dict[str, Any]:
        """Present with probability ``likely``."""
        return {self.name: bool(random.random() < likely)}

    def say(self, case: Case, random: np.random.Generator, held_out: bool) -> str:
        """That it is there, or that it is not."""
        return pick(self.present if case[self.name] else self.absent, random, held_out)

    def silent(self, case: Case) -> bool:
        """Whether it is absent."""
        return not case[self.name]

    def numbers(self, case: Case) -> tuple[float, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class Choice:
    """One of several findings that exclude each other: value -> its wordings."""

    name: str
    options: Mapping[str, tuple[str, ...]]
    none: str | None = None
    """The option that means absence; None = all are findings, and each is as likely as another."""

    def draw(self, random: np.random.Generator, likely: float) -> dict[str, Any]:
        """``none`` with probability 1 - ``likely``, else one of the others."""
        found = [option for option in self.options if option != self.none]
        if self.none is not None and random.random() >= likely:
            return {self.name: self.none}
        return {self.name: found[int(random.integers(len(found)))]}

    def say(self, case: Case, random: np.random.Generator, held_out: bool) -> str:
        """Which one it is."""
        return pick(self.options[case[self.name]], random, held_out)

    def silent(self, case: Case) -> bool:
        """Whether it is the absent one."""
        return bool(case[self.name] == self.none)

    def numbers(self, case: Case) -> tuple[float, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class Unit:
    """A unit: number written = value in the first unit x ``factor`` + ``offset``, with so many
    decimals.
    """

    text: str
    decimals: int = 0
    factor: float = 1.0
    offset: float = 0.0
    called: str = ""
    """What the quantity is called in this unit, where that differs."""

    def written(self, value: float) -> float:
        """The number that stands in the note."""
        return round(value * self.factor + self.offset, self.decimals)

    def value(self, written: float) -> float:
        """What the number in the note is in the first unit; rounded, so that a float's last digits
        carry no value over a threshold.
        """
        return round((written - self.offset) / self.factor, 9)


@dataclass(frozen=True)
class Quantity:
    """A number between ``low`` and ``high`` (in the first unit), told in one of its units."""

    name: str
    low: float
    high: float
    units: tuple[Unit, ...]
    edges: tuple[float, ...] = ()
    """Thresholds of the rule: drawn, with their neighbours, more often than the rest."""
    called: str = ""
    """What the note calls it; empty = its name."""
    wordings: tuple[str, ...] = MEASURED

    def draw(self, random: np.random.Generator, likely: float) -> dict[str, Any]:
        """The value of a number with the unit's decimals, and which unit it is told in."""
        index = int(random.integers(len(self.units)))
        unit = self.units[index]
        step, low, high = 10.0**-unit.decimals, unit.written(self.low), unit.written(self.high)
        if self.edges and random.random() < NEAR_AN_EDGE:
            edge = self.edges[int(random.integers(len(self.edges)))]
            written = min(max(unit.written(edge) + step * int(random.integers(-1, 2)), low), high)
        else:
            written = low + step * int(random.integers(round((high - low) / step) + 1))
        return {self.name: unit.value(round(written, unit.decimals)), f"{self.name} in": index}

    def say(self, case: Case, random: np.random.Generator, held_out: bool) -> str:
        """The number with its unit."""
        unit = self.units[case[f"{self.name} in"]]
        called = unit.called or self.called or self.name
        value = f"{unit.written(case[self.name]):.{unit.decimals}f} {unit.text}".strip()
        told = pick(self.wordings, random, held_out).replace("{value}", value)
        return told.replace("{It}", called[0].upper() + called[1:]).replace("{it}", called)

    def silent(self, case: Case) -> bool:
        """A number that a rule asks for is always told."""
        return False

    def numbers(self, case: Case) -> tuple[float, ...]:
        """As it is written."""
        return (self.units[case[f"{self.name} in"]].written(case[self.name]),)


@dataclass(frozen=True)
class Pressure:
    """Blood pressure in mmHg: the case gets ``systolic`` and ``diastolic``, at least 15 apart."""

    systolic: Quantity
    diastolic: Quantity
    name: str = "blood pressure"

    def draw(self, random: np.random.Generator, likely: float) -> dict[str, Any]:
        """Both pressures."""
        while True:
            systolic, diastolic = (
                part.draw(random, likely)[part.name] for part in (self.systolic, self.diastolic)
            )
            if systolic >= diastolic + 15:
                return {"systolic": systolic, "diastolic": diastolic}

    def say(self, case: Case, random: np.random.Generator, held_out: bool) -> str:
        """Systolic/diastolic with the unit."""
        return pick(PRESSURES, random, held_out).replace(
            "{value}", f"{case['systolic']:.0f}/{case['diastolic']:.0f} mmHg"
        )

    def silent(self, case: Case) -> bool:
        """Always told."""
        return False

    def numbers(self, case: Case) -> tuple[float, ...]:
        """Both."""
        return (case["systolic"], case["diastolic"])


MMHG = (Unit("mmHg"),)


def pressure(systolic: tuple[float, ...] = (), diastolic: tuple[float, ...] = ()) -> Pressure:
    """Blood pressure with the thresholds of a rule."""
    return Pressure(
        Quantity("systolic", 70, 200, MMHG, systolic),
        Quantity("diastolic", 40, 115, MMHG, diastolic),
    )


def age(low: int, high: int, *edges: float) -> Quantity:
    """The patient's age in years; the first sentence of a note tells it."""
    return Quantity("age", low, high, (Unit("years"),), edges)


@dataclass(frozen=True)
class Frames:
    """Sentences around a term, for a finding that is there and for one that is not; the last of
    each is held out.
    """

    present: tuple[str, ...]
    absent: tuple[str, ...]

    def found(self, *terms: str) -> tuple[str, ...]:
        """Every known sentence with every known term, then the held-out sentence with the held-out
        term, which is the last.
        """
        known = [frame.replace("{it}", term) for frame in self.present[:-1] for term in terms[:-1]]
        return (*known, self.present[-1].replace("{it}", terms[-1]))

    def denied(self, term: str) -> tuple[str, ...]:
        """Every sentence that denies the term."""
        return tuple(frame.replace("{it}", term) for frame in self.absent)

    def flag(self, name: str, denied: str, *terms: str) -> Flag:
        """A finding that is one of ``terms`` where it is present, and that is denied in one term
        for them all.
        """
        return Flag(name, self.found(*terms), self.denied(denied))


HISTORY = Frames(
    ("{He} has a history of {it}.", "Past medical history: {it}.", "Earlier records list {it}."),
    (
        "{He} has no history of {it}.",
        "There is no record of {it}.",
        "Earlier records do not list {it}.",
    ),
)
"""An illness of the past, or one that lasts."""
SIGN = Frames(
    ("On examination there is {it}.", "{He} has {it}.", "The physician notes {it}."),
    ("There is no {it}.", "On examination {he} has no {it}.", "The physician notes no {it}."),
)
"""Something that an examination shows."""
SYMPTOM = Frames(
    ("{He} reports {it}.", "{He} complains of {it}.", "By {his} own account there is {it}."),
    ("{He} denies {it}.", "{He} reports no {it}.", "By {his} own account there is no {it}."),
)
"""Something that the patient tells."""
DRUG = Frames(
    ("{He} takes {it}.", "Current medication: {it}.", "The medication list shows {it}."),
    (
        "{He} does not take {it}.",
        "Current medication does not include {it}.",
        "The medication list shows no {it}.",
    ),
)
"""Something that the patient takes."""
