"""Noisy sensors and a hidden yes or no: problems whose answer is uncertain by a known amount.

A prompt is ``6+8-7+?``: three sensors, right in 60, 80 and 70 of 100 cases, said yes, no, yes;
nothing else is known, so yes and no were equally likely before. The chance of yes is then 1 / (1 +
exp(-s)), s the sum of the sensors' log odds, negative where they said no. The key is drawn with
that chance. A completion answers ``y`` or ``n`` and states its confidence as a digit:

    y7         yes, with a chance of 70 to 80 %, which counts as 0.75
"""

import math
import re
from dataclasses import dataclass
from typing import ClassVar

from rewardscope.environments.base import content_id, draw
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

RELIABILITIES = "6789"
"""Tenths of the cases in which a sensor is right."""
SPLITS = {"pretrain": 0.4, "train": 0.4, "heldout": 0.2}
WHOLE = re.compile(r"([yn])([0-9])")
LOOSE_ANSWER = re.compile(r"(?<![^\W\d_])([yn])(?![^\W\d_])")
TIE = 1e-9
"""Log odds this near to 0 are those of sensors that outweigh each other."""


def chance_of_yes(prompt: str) -> float:
    """Chance that the answer to a prompt such as ``6+8-7+?`` is yes.

    >>> round(chance_of_yes("6+8-7+?"), 3)
    0.467
    """
    return 1 / (1 + math.exp(-log_odds(prompt)))


def log_odds(prompt: str) -> float:
    """Sum of the sensors' log odds in nats, negative where they said no."""
    total = 0.0
    for digit, report in zip(prompt[:-1:2], prompt[1::2], strict=True):
        weight = math.log(int(digit) / (10 - int(digit)))
        total += weight if report == "+" else -weight
    return total


def decile(chance: float) -> str:
    """The digit that states a chance.

    >>> decile(0.75), decile(1.0)
    ('7', '9')
    """
    return str(min(9, int(10 * chance + TIE)))


@dataclass(frozen=True)
class Sensors:
    """``count`` sensors of known reliability report on a hidden yes or no; the answer states its
    confidence.

    ``problem.facts`` holds the chance of either answer. Strategies say whether the completion gave
    the answer that the reports make likelier, which needs no key.

    Source:
        After Damani et al. 2025, arXiv:2507.16806 (RLCR), who remove a known share of the evidence;
            here the chance itself is known.
    """

    count: int = 5

    name: ClassVar[str] = "Sensors"
    strategies: ClassVar[tuple[str, ...]] = ("likelier", "unlikelier", "even")

    def __post_init__(self) -> None:
        if not 3 <= self.count <= 20:
            raise ComponentError(
                "Sensors has too few for different problems, or too many",
                value=self.count,
                allowed="3 to 20",
                do="Correct it in the study file",
            )

    def problem(self, split: str, index: int) -> Problem:
        """The reports at (split, index); they belong to one split by their content, and so does the
        key.
        """
        return draw("Sensors", split, index, SPLITS, self._make)

    def _make(self, seed: int) -> Problem:
        random = generator("sensors", seed)
        digits, reports = (
            random.integers(len(RELIABILITIES), size=self.count),
            random.integers(2, size=self.count),
        )
        prompt = (
            "".join(RELIABILITIES[d] + "-+"[r] for d, r in zip(digits, reports, strict=True)) + "?"
        )
        chance = chance_of_yes(prompt)
        answer = "y" if generator("sensors", "key", prompt).random() < chance else "n"
        known = {"chance y": repr(chance), "chance n": repr(1 - chance)}
        return Problem(content_id("Sensors", prompt), "Sensors", prompt, answer, self.count, known)

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: one letter and one digit; tolerant: the last y or n that stands alone. No
        confidence but in the strict form.
        """
        text = text.strip()
        whole, loose = WHOLE.fullmatch(text), LOOSE_ANSWER.findall(text)
        answer = loose[-1] if loose else None
        chance = chance_of_yes(problem.prompt)
        return Grade(
            correct=answer == problem.answer,
            strict=whole is not None and whole[1] == problem.answer,
            well_formed=whole is not None,
            answer=answer,
            confidence=(int(whole[2]) + 0.5) / 10 if whole else None,
            feedback=f"the chance of y is {chance:.2f}, and it is {problem.answer}",
            strategy=_strategy(log_odds(problem.prompt), answer),
        )

    def oracle(self, problem: Problem) -> str:
        """The key, of which who reads it is sure."""
        return problem.answer + "9"


def _strategy(odds: float, answer: str | None) -> str | None:
    if answer is None or abs(odds) < TIE:
        return None if answer is None else "even"
    return "likelier" if (answer == "y") == (odds > 0) else "unlikelier"
