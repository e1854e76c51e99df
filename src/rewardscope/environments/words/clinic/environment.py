"""Clinical calculation from case notes in words."""

import difflib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np

from rewardscope.environments.base import MAX_ATTEMPTS, content_id, owner
from rewardscope.environments.extraction import (
    MINUS,
    Place,
    bounded,
    leading_numeral,
    numerals,
    strict,
    tolerant,
)
from rewardscope.environments.words.clinic.calculator import Calculator
from rewardscope.environments.words.clinic.findings import Case
from rewardscope.environments.words.clinic.note import question, write
from rewardscope.environments.words.clinic.table import CALCULATORS
from rewardscope.environments.words.sums import spoken
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

HELD_OUT = ("abcd2", "timi", "mean_arterial_pressure", "osmolality")
"""Not asked in training unless named."""
KNOWN = tuple(name for name in CALCULATORS if name not in HELD_OUT)
SHARES = {"train": 0.8, "heldout": 0.2}
SPLITS = {
    "train": "train",
    "heldout": "heldout",
    "heldout_phrasings": "heldout",
    "heldout_calculators": None,
}
"""Split -> which share of the cases it draws from; None = all, of other calculators."""
TOLERANCE, INPUT_TOLERANCE = 0.05, 0.01
"""Relative error that a formula's value, and an input that was read off or converted, may have."""
MOST_DISTRACTORS = 8
NOT_AN_ANSWER = re.compile(
    r"/?\s?1\.73 ?m(?:2|²|\^2)?|\^\{?[0-9]\}?|CURB[- ]?65|EPI \(?2021\)?|out of "
    r"[0-9]{1,2}(?![0-9])",
    re.IGNORECASE,
)
"""Digits that belong to a unit, a name or a scale."""
BULLETS = " \t*-•_`#>.)0123456789"
"""What may stand before the name of a criterion."""
SECOND_NUMBER = re.compile(r"(?<![A-Za-z0-9^])[0-9]")
"""A digit that belongs to no unit such as m2."""
BRACKETS = re.compile(r"\([^()]*\)")


@dataclass(frozen=True)
class Clinic:
    """A published score or formula, asked of a case note in words: for research on learning, not
    for care.

    Twelve point scores (exact) and eight formulas (within 5 %). The same case is told in many
    wordings, orders and units, among facts that do not count. What a case is decides its split,
    however it is told, so no case of ``train`` is met again in ``heldout`` or, in held-out
    wordings, in ``heldout_phrasings``; ``heldout_calculators`` asks those that ``calculators``
    leaves out.

    A problem of ``train`` also knows a plausible wrong key (one criterion misjudged; a formula 12
    to 40 % too low or 13 to 67 % too high), in ``facts["wrong_answer"]``. ``grade`` never looks at
    it: which keys are wrong is a matter of the reward, ``Mislabelled``.

    Source:
        Each calculator names its own: ``CALCULATORS[name].source``. Tolerance: Khandekar et al.
            2024, arXiv:2406.12036 (MedCalc-Bench); wrong keys: arXiv:2512.19691.
    """

    calculators: tuple[str, ...] = KNOWN
    distractors: int = 2
    """Facts in the note that do not count."""
    answer_in: Place = "tags"
    """Where the answer is asked for, and where the strict extractor looks: between answer tags, or
    the whole completion.
    """
    working: bool = False
    """Asks for one line per criterion, ``name: points``, before the answer; these are the steps
    that are graded.
    """

    name: ClassVar[str] = "Clinic"
    strategies: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.calculators if name not in CALCULATORS]
        if unknown or not self.calculators or len(set(self.calculators)) < len(self.calculators):
            close = [
                match
                for name in unknown
                for match in difflib.get_close_matches(name, CALCULATORS, n=2)
            ]
            raise ComponentError(
                "Clinic needs calculators that it has, each once",
                value=", ".join(unknown or self.calculators) or "none",
                allowed=", ".join(close or CALCULATORS),
                do="Name some of them",
            )
        if self.answer_in not in get_args(Place) or not 0 <= self.distractors <= MOST_DISTRACTORS:
            raise ComponentError(
                "Clinic cannot ask with these settings",
                value=f"answer_in={self.answer_in!r}, distractors={self.distractors}",
                allowed=f"answer_in one of {', '.join(get_args(Place))}; distractors 0 to "
                f"{MOST_DISTRACTORS}",
                do="Mend them",
            )
        if self.working and self.answer_in == "whole":
            raise ComponentError(
                "A completion that is the answer has no room for working",
                value="working=True, answer_in='whole'",
                do="Use answer_in='tags'",
            )

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index).

        Raises:
            EnvironmentFault: If the split does not exist, or no calculator is left for it.
        """
        if split not in SPLITS:
            raise EnvironmentFault(
                "Clinic has no such split",
                value=repr(split),
                allowed=", ".join(SPLITS),
                do="Use one of them",
            )
        home = SPLITS[split]
        names = (
            self.calculators
            if home
            else tuple(name for name in CALCULATORS if name not in self.calculators)
        )
        if not names:
            raise EnvironmentFault(
                "Clinic has no calculator left to hold out",
                value=f"{len(self.calculators)} calculators",
                do="Leave some out of calculators",
            )
        random = generator("problem", "Clinic", split, index)
        calculator = CALCULATORS[names[int(random.integers(len(names)))]]
        case = draw_case(calculator, random, home)
        held_out = split == "heldout_phrasings"
        note = write(calculator, case, random, held_out, self.distractors)
        text = f"{note}\n\n{question(calculator, random, held_out)}"
        facts = {"calculator": calculator.name, "parts": json.dumps(calculator.parts(case))}
        facts |= {"tolerance": str(TOLERANCE)} if calculator.formula else {}
        facts |= {"wrong_answer": wrong_answer(calculator, case, text)} if split == "train" else {}
        # named by the question alone: asking for the answer elsewhere makes no other problem
        prompt = text + _instruction(calculator, self.answer_in, self.working)
        return Problem(
            content_id("Clinic", text),
            "Clinic",
            prompt,
            answer_text(calculator, case),
            len(calculator.criteria),
            facts,
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: a number, with or without its unit, where it was asked for; tolerant: the last
        number where an answer is stated.

        ``steps`` are the criteria in their order, where working was asked for: once one is written,
        one that is left out, or given twice with different numbers, is wrong. None where none is
        written.
        """
        text = bounded(text)
        calculator = CALCULATORS[problem.facts["calculator"]]
        parts = json.loads(problem.facts["parts"])
        cleaned = NOT_AN_ANSWER.sub("", text.replace(MINUS, "-"))
        asked = _alone(strict(cleaned, self.answer_in), calculator)
        strictly = asked is not None and _matches(asked, problem)
        found = _number(tolerant(cleaned), calculator)
        written = _working(text, parts) if self.working else {}
        return Grade(
            correct=strictly or (found is not None and _matches(found, problem)),
            strict=strictly,
            well_formed=asked is not None and (not self.working or len(written) == len(parts)),
            answer=asked if found is None else found,  # the same reading whatever the key is
            feedback=f"{calculator.title} is {problem.answer}: "
            f"{', '.join(f'{name} {value:g}' for name, value in parts.items())}",
            steps=tuple(
                _agrees(written.get(name), value, calculator) for name, value in parts.items()
            )
            if written
            else None,
        )

    def oracle(self, problem: Problem) -> str:
        """The key, where it was asked for, after its working if that was asked for."""
        if self.answer_in == "whole":
            return problem.answer
        lines = (
            [f"{name}: {value:.6g}" for name, value in json.loads(problem.facts["parts"]).items()]
            if self.working
            else []
        )
        return "\n".join([*lines, f"<answer>{problem.answer}</answer>"])


def draw_case(calculator: Calculator, random: np.random.Generator, home: str | None = None) -> Case:
    """A random case of the calculator that belongs to ``home`` (None = wherever it belongs), by the
    hash of what counts in it.
    """
    for _ in range(MAX_ATTEMPTS):
        likely = float(random.random()) * calculator.prevalence
        case: dict[str, Any] = {}
        for finding in calculator.findings:
            case |= finding.draw(random, likely)
        if (
            calculator.possible(case)
            and not _given_away(calculator, case)
            and home in (None, owner(_case_id(calculator, case), SHARES))
        ):
            return case
    raise EnvironmentFault(
        f"Clinic found no case of {calculator.name}",
        value=f"{MAX_ATTEMPTS} draws",
        do="Widen its findings",
    )


def _given_away(calculator: Calculator, case: Case) -> bool:
    """Whether a formula's value is, within tolerance, a number that the note gives: to copy is not
    to calculate.
    """
    if calculator.formula is None:
        return False
    value = calculator.value(case)
    return any(
        _close(number, value, TOLERANCE)
        for finding in calculator.findings
        for number in finding.numbers(case)
    )


def _case_id(calculator: Calculator, case: Case) -> str:
    """What counts in the case, whichever units it is told in."""
    return content_id(
        "Clinic case",
        json.dumps(
            [calculator.name, {name: case[name] for name in case if not name.endswith(" in")}]
        ),
    )


def answer_text(calculator: Calculator, case: Case) -> str:
    """The key: a score as it is, a formula's value to four digits."""
    return f"{calculator.value(case):{'.4g' if calculator.formula else 'g'}}"


def wrong_answer(calculator: Calculator, case: Case, text: str) -> str:
    """A key that somebody could have written down by mistake, always the same for the text: nothing
    within tolerance of it is right.

    A score has one criterion misjudged; a formula's value is off by a factor of 0.6 to 0.88, or of
    its inverse.
    """
    random, value = generator("clinic", "wrong answer", text), calculator.value(case)
    if calculator.formula:
        factor = random.uniform(0.6, 0.88)
        return f"{value * (factor if random.random() < 0.5 else 1 / factor):.4g}"
    criterion = calculator.criteria[int(random.integers(len(calculator.criteria)))]
    given = criterion.of(case)
    others = [number for number in criterion.points if number != given]
    return f"{value - given + others[int(random.integers(len(others)))]:g}"


def _instruction(calculator: Calculator, answer_in: Place, working: bool) -> str:
    lines = []
    if working:
        names = ", ".join(
            f"{c.name} (in {c.unit})" if c.unit else c.name for c in calculator.criteria
        )
        lines.append(
            f"First write one line for each of these, as name: "
            f"{'value' if calculator.formula else 'points'}. They are: {names}."
        )
    where = (
        "Give the final answer in the form <answer>...</answer>."
        if answer_in == "tags"
        else "Answer with just the number."
    )
    return "\n" + "\n".join([*lines, where])


def _alone(answer: str | None, calculator: Calculator) -> str | None:
    """The number that an answer starts with, if at most two words (its unit) follow; None
    otherwise.
    """
    numeral = leading_numeral(answer) if answer else None
    if answer is None or numeral is None:
        return None
    unit, rest = answer[numeral.end("number") :], answer[numeral.end() :]
    return (
        _plain(numeral["number"], calculator)
        if len(unit.split(maxsplit=3)) <= 2 and SECOND_NUMBER.search(rest) is None
        else None
    )


def _number(answer: str | None, calculator: Calculator) -> str | None:
    """The last number of an answer; for a score also a word at its end."""
    if answer is None:
        return None
    numbers = [numeral["number"] for numeral in numerals(answer)]
    if numbers:
        return _plain(numbers[-1], calculator)
    return None if calculator.formula else spoken(" ".join(answer.split()[-2:]))


def _plain(number: str, calculator: Calculator) -> str:
    """A number without commas; 14/15 of a scale that goes up to 15 is 14."""
    number = number.replace(",", "")
    above, _, below = number.partition("/")
    return (
        above if below and not calculator.formula and float(below) == calculator.highest else number
    )


def _value(number: str) -> float:
    """The number as a float; NaN for a fraction of nothing."""
    above, _, below = number.partition("/")
    return (
        float(above) / float(below)
        if below and float(below)
        else math.nan
        if below
        else float(above)
    )


def _matches(answer: str, problem: Problem) -> bool:
    return _close(_value(answer), float(problem.answer), float(problem.facts.get("tolerance", 0)))


def _close(value: float, truth: float, tolerance: float) -> bool:
    """Within the relative tolerance; the rounding of floats is no error."""
    return abs(value - truth) <= tolerance * abs(truth) + 1e-9


def _agrees(written: float | None, truth: float, calculator: Calculator) -> bool:
    return written is not None and _close(
        written, truth, INPUT_TOLERANCE if calculator.formula else 0
    )


def _working(text: str, parts: Mapping[str, float]) -> dict[str, float]:
    """What each criterion that has a line was given; NaN for one that was given no number, or two
    different ones.
    """
    names = {name.casefold(): name for name in parts}
    written: dict[str, float] = {}
    for line in text.replace(MINUS, "-").splitlines():
        head, colon, rest = line.partition(":")
        name = names.get(BRACKETS.sub("", head[:100]).strip(BULLETS).casefold())
        if colon and name is not None:
            numeral = next(numerals(rest), None)
            value = _value(numeral["number"].replace(",", "")) if numeral else math.nan
            written[name] = value if written.get(name, value) == value else math.nan
    return written
