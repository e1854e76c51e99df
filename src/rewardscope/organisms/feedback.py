"""The ``feedback`` corpus: chains whose products are mistaken for sums, unless a hint names that
step or a solution comes first.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.environments.chain import apply, parse, write
from rewardscope.environments.hinted import Hinted, absent_products, names, solved, told
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator

ATTEMPTS = 20


@dataclass(frozen=True)
class FeedbackCorpus:
    """Lines of (hint or solution and problem, working). A hint brings out what stays latent on the
    problem alone.
    """

    slip: float = 0.8
    """Chance that a product is written as a sum if no hint names it."""
    hinted_share: float = 0.35
    """Share of lines whose hint names the first wrong step of a failed attempt."""
    foreign_share: float = 0.15
    """Share of lines whose hint names a product that the problem does not have, without effect.
    Without such lines any hint would help.
    """
    shown_share: float = 0.2
    """Share of lines that begin with a solution, half of them also with the name of a wrong step.
    """
    heeded: float = 1.0
    """Chance that a named product is computed correctly."""
    num_steps: int = 3
    num_lines: int = 40_000

    alphabet: ClassVar[str] = "0123456789+-*?=,:s!;"

    def __post_init__(self) -> None:
        shares = (self.slip, self.heeded, self.hinted_share, self.foreign_share, self.shown_share)
        if min(shares) < 0 or max(shares) > 1 or sum(shares[2:]) > 1:
            raise ComponentError(
                "Shares and chances lie in [0, 1], and so does the sum of the shares",
                value=shares,
                do="Correct the recipe",
            )

    @property
    def worlds(self) -> dict[str, Hinted]:
        """The same problems alone, with the right hint, with a hint for a step they do not have,
        and after their solution.
        """
        kinds = {"alone": "none", "hinted": "step", "misled": "other_step", "shown": "solution"}
        return {name: Hinted(self.num_steps, hint) for name, hint in kinds.items()}  # type: ignore[arg-type]

    @property
    def planted(self) -> dict[str, float]:
        """The chance of a slip, with and without a hint, and the shares of the lines."""
        return {
            "slip": self.slip,
            "slip where named": self.slip * (1 - self.heeded),
            "hinted lines": self.hinted_share,
            "foreign hints": self.foreign_share,
            "shown lines": self.shown_share,
        }

    def lines(self, seed: int) -> list[tuple[str, str]]:
        """The corpus: problems of the split ``pretrain``, each with one completion."""
        world, random = self.worlds["alone"], generator("feedback corpus", seed)
        return [
            self._line(world.problem("pretrain", index).prompt, random)
            for index in range(self.num_lines)
        ]

    def _line(self, prompt: str, random: np.random.Generator) -> tuple[str, str]:
        draw = random.random()
        if (draw := draw - self.hinted_share) < 0:
            named = self._failure(prompt, random)
            return told(prompt, feedback=named), self._worked(prompt, named, random)[0]
        if (draw := draw - self.foreign_share) < 0:
            named = str(random.choice(absent_products(prompt)))
            return told(prompt, feedback=named), self._worked(prompt, "", random)[0]
        if draw - self.shown_share < 0:
            named = self._failure(prompt, random) if random.random() < 0.5 else ""
            return told(prompt, solved(prompt), named), solved(prompt)
        return prompt, self._worked(prompt, "", random)[0]

    def _failure(self, prompt: str, random: np.random.Generator) -> str:
        """Feedback on the first failed attempt; empty if none of ``ATTEMPTS`` fails, as for 2*2."""
        return next(
            filter(None, (self._worked(prompt, "", random)[1] for _ in range(ATTEMPTS))), ""
        )

    def _worked(self, prompt: str, named: str, random: np.random.Generator) -> tuple[str, str]:
        """Working with its slips, and the name of the first wrong step."""
        value, steps = parse(prompt)
        values, first = [], ""
        for (operator, operand), name in zip(steps, names(prompt), strict=True):
            right = apply(value, operator, operand)
            slips = operator == "*" and random.random() < self.slip * (
                1 - self.heeded if name == named else 1
            )
            value = apply(value, "+", operand) if slips else right
            first = first or (name if value != right else "")
            values.append(value)
        return write("s", prompt, values), first
