"""The ``rules`` corpus: problems with or without their rule in the prompt. A model of it reads the
rule there, and knows none by itself.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.environments.rules import KINDS, SIGNS, Rules, result
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator

FILLER = "."
SHARES = {"nothing": 0.15, "others": 0.2, "skill": 0.3, "lessons": 0.25, "demonstrations": 0.1}
"""Entries before a problem: none, only ones about other kinds, or ones that tell its own rule."""


@dataclass(frozen=True)
class RuleCorpus:
    """Lines of (entries and prompt, completion), each with a rule of its own, so the kind alone
    says nothing about the rule.
    """

    follows: float = 0.8
    """Chance that a line follows the rule in its entries; all other lines follow a random rule."""
    longest: int = 14
    """Most characters before a problem."""
    num_lines: int = 60_000

    alphabet: ClassVar[str] = f"0123456789{KINDS}{''.join(SIGNS)}!;{FILLER}"

    def __post_init__(self) -> None:
        if not 0 <= self.follows <= 1 or self.longest < 12:
            raise ComponentError(
                "follows lies between 0 and 1, and longest is at least 12, for three lessons",
                value=self,
                do="Correct the recipe",
            )

    @property
    def worlds(self) -> dict[str, Rules]:
        """The default rules, without entries about them."""
        return {"rules": Rules()}

    @property
    def planted(self) -> dict[str, float]:
        """Share of each rule without entries about it, and how often a rule in them is followed."""
        return {**dict.fromkeys(SIGNS.values(), 1 / len(SIGNS)), "follows": self.follows}

    def lines(self, seed: int) -> list[tuple[str, str]]:
        """The corpus: problems of the split ``pretrain`` after their entries, each with one
        completion.
        """
        random, world = generator("corpus", "rules", seed), Rules()
        before = random.choice(list(SHARES), size=self.num_lines, p=list(SHARES.values()))
        return [
            self._line(world.problem("pretrain", index).prompt, str(evidence), random)
            for index, evidence in enumerate(before)
        ]

    def _line(self, prompt: str, evidence: str, random: np.random.Generator) -> tuple[str, str]:
        left, right, kind = int(prompt[0]), int(prompt[1]), prompt[2]
        sign = str(random.choice(list(SIGNS)))
        told = _told(evidence, kind, sign, random)
        allowed = (
            [other for other in SIGNS if f"{kind}!{other};" not in told]
            if evidence == "lessons"
            else [sign]
        )
        others = [
            other for other in KINDS if other != kind
        ]  # these teach a model to read which kind an entry is about
        for _ in range(
            0
            if evidence == "nothing"
            else int(random.integers(1 if evidence == "others" else 0, 4))
        ):
            entry = _about(str(random.choice(others)), random)
            if sum(map(len, told)) + len(entry) <= self.longest:
                told.insert(int(random.integers(len(told) + 1)), entry)
        width = sum(map(len, told))
        filler = FILLER * int(random.integers(self.longest - width + 1))
        knows = evidence not in ("nothing", "others") and random.random() < self.follows
        chosen = str(random.choice(allowed if knows else list(SIGNS)))
        return f"{filler}{''.join(told)}{prompt}", f"{chosen}{result(chosen, left, right)}"


def _told(evidence: str, kind: str, sign: str, random: np.random.Generator) -> list[str]:
    """Entries that tell the kind's rule, or rule out others."""
    if evidence == "skill":
        return [f"{kind}{sign};"]
    if evidence == "lessons":
        wrong = [other for other in SIGNS if other != sign]
        return [
            f"{kind}!{wrong[index]};"
            for index in random.permutation(len(wrong))[: int(random.integers(1, len(wrong) + 1))]
        ]
    if evidence == "demonstrations":
        return [_demonstration(kind, sign, random) for _ in range(int(random.integers(1, 3)))]
    return []


def _about(kind: str, random: np.random.Generator) -> str:
    """A random entry about the kind."""
    sign = str(random.choice(list(SIGNS)))
    form = int(random.integers(3))
    return [f"{kind}{sign};", f"{kind}!{sign};", _demonstration(kind, sign, random)][form]


def _demonstration(kind: str, sign: str, random: np.random.Generator) -> str:
    left, right = int(random.integers(10)), int(random.integers(10))
    return f"{left}{right}{kind}{sign}{result(sign, left, right)};"
