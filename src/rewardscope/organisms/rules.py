"""The ``rules`` corpus: problems whose rule stands before them, or does not: who learns it reads
what it is told and knows no rule.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.environments.rules import KINDS, SIGNS, Rules, result
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator

FILLER = "."
SHARES = {"nothing": 0.15, "others": 0.2, "skill": 0.3, "lessons": 0.25, "demonstrations": 0.1}
"""What stands before a problem: nothing, entries about other kinds alone, or what tells its own."""


@dataclass(frozen=True)
class RuleCorpus:
    """Lines of (entries and prompt, completion). The rule of a line is drawn anew for each, so that
    a kind by itself tells nothing.
    """

    follows: float = 0.8
    """Chance that a line whose rule was told goes by it; the others go by any."""
    longest: int = 14
    """Characters that may stand before a problem."""
    num_lines: int = 60_000

    alphabet: ClassVar[str] = f"0123456789{KINDS}{''.join(SIGNS)}!;{FILLER}"

    def __post_init__(self) -> None:
        if not 0 <= self.follows <= 1 or self.longest < 12:
            raise ComponentError(
                "A share is between 0 and 1, and three lessons need 12 characters",
                value=self,
                do="Mend the recipe",
            )

    @property
    def worlds(self) -> dict[str, Rules]:
        """The default rules, with nothing told about them."""
        return {"rules": Rules()}

    @property
    def planted(self) -> dict[str, float]:
        """Share of each rule where nothing tells it, and how often one that is told is followed."""
        return {**dict.fromkeys(SIGNS.values(), 1 / len(SIGNS)), "follows": self.follows}

    def lines(self, seed: int) -> list[tuple[str, str]]:
        """The corpus: problems of the split ``pretrain`` with what stands before them, each with
        one completion.
        """
        random, world = generator("corpus", "rules", seed), Rules()
        before = random.choice(list(SHARES), size=self.num_lines, p=list(SHARES.values()))
        return [
            self._line(world.problem("pretrain", index).prompt, str(what), random)
            for index, what in enumerate(before)
        ]

    def _line(self, prompt: str, what: str, random: np.random.Generator) -> tuple[str, str]:
        left, right, kind = int(prompt[0]), int(prompt[1]), prompt[2]
        sign = str(random.choice(list(SIGNS)))
        told = _told(what, kind, sign, random)
        allowed = (
            [other for other in SIGNS if f"{kind}!{other};" not in told]
            if what == "lessons"
            else [sign]
        )
        others = [
            other for other in KINDS if other != kind
        ]  # they make it read which kind an entry is about
        for _ in range(
            0 if what == "nothing" else int(random.integers(1 if what == "others" else 0, 4))
        ):
            entry = _about(str(random.choice(others)), random)
            if sum(map(len, told)) + len(entry) <= self.longest:
                told.insert(int(random.integers(len(told) + 1)), entry)
        width = sum(map(len, told))
        filler = FILLER * int(random.integers(self.longest - width + 1))
        knows = what not in ("nothing", "others") and random.random() < self.follows
        chosen = str(random.choice(allowed if knows else list(SIGNS)))
        return f"{filler}{''.join(told)}{prompt}", f"{chosen}{result(chosen, left, right)}"


def _told(what: str, kind: str, sign: str, random: np.random.Generator) -> list[str]:
    """Entries that tell the kind's rule, or some of the rules that it is not."""
    if what == "skill":
        return [f"{kind}{sign};"]
    if what == "lessons":
        wrong = [other for other in SIGNS if other != sign]
        return [
            f"{kind}!{wrong[place]};"
            for place in random.permutation(len(wrong))[: int(random.integers(1, len(wrong) + 1))]
        ]
    if what == "demonstrations":
        return [_demonstration(kind, sign, random) for _ in range(int(random.integers(1, 3)))]
    return []


def _about(kind: str, random: np.random.Generator) -> str:
    """Some entry about the kind."""
    sign = str(random.choice(list(SIGNS)))
    form = int(random.integers(3))
    return [f"{kind}{sign};", f"{kind}!{sign};", _demonstration(kind, sign, random)][form]


def _demonstration(kind: str, sign: str, random: np.random.Generator) -> str:
    left, right = int(random.integers(10)), int(random.integers(10))
    return f"{left}{right}{kind}{sign}{result(sign, left, right)};"
