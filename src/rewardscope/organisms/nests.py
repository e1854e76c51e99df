"""The corpus of ``composition`` and ``edge``: functions, alone and nested, with known shares per
depth and set.
"""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.environments.nest import MOST_LEVELS, SETS, Nest, write
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator


@dataclass(frozen=True)
class NestCorpus:
    """Lines of nested functions, each solved without an error; a share of 0 marks what a model of
    them has never seen.
    """

    shares_a: tuple[float, ...] = (0.5, 0.0)
    """Share of lines with one, two ... functions of set A."""
    shares_b: tuple[float, ...] = (0.5,)
    """The same of set B; the shares of both sets sum to 1."""
    at_once_share: float = 0.2
    """Share of lines, at every depth, that answer without working; the others write every step."""
    num_lines: int = 40_000

    alphabet: ClassVar[str] = f"0123456789{''.join(SETS.values())}=,:?"

    def __post_init__(self) -> None:
        shares = (*self.shares_a, *self.shares_b)
        if (
            not shares
            or min(shares) < 0
            or abs(sum(shares) - 1) > 1e-9
            or max(len(self.shares_a), len(self.shares_b)) >= MOST_LEVELS
        ):
            raise ComponentError(
                f"Shares per depth must be non-negative, sum to 1 over both sets, and go less than "
                f"{MOST_LEVELS} deep",
                value=f"shares_a={self.shares_a}, shares_b={self.shares_b}",
                do="Correct the recipe",
            )
        if not 0 <= self.at_once_share <= 1:
            raise ComponentError(
                "at_once_share lies between 0 and 1",
                value=self.at_once_share,
                allowed="0 to 1",
                do="Correct the recipe",
            )

    @classmethod
    def traced(cls, share: float) -> "NestCorpus":
        """A corpus of single functions, half from each set, except a ``share`` with two nested
        functions of set A; set B is never nested.
        """
        return cls(((1 - share) / 2, share), ((1 - share) / 2,))

    @property
    def worlds(self) -> dict[str, Nest]:
        """Each set at each depth of its shares and one deeper, named like ``A2``."""
        depths = {"A": len(self.shares_a), "B": len(self.shares_b)}
        return {
            f"{name}{level}": Nest(level, level, name)
            for name, most in depths.items()
            if most
            for level in range(1, most + 2)
        }

    @property
    def planted(self) -> dict[str, float]:
        """Share of lines per world."""
        shares = {f"A{level}": share for level, share in enumerate(self.shares_a, 1)}
        return shares | {f"B{level}": share for level, share in enumerate(self.shares_b, 1)}

    def lines(self, seed: int) -> list[tuple[str, str]]:
        """The corpus: problems of the split ``pretrain``, each with its right completion."""
        random, worlds = generator("corpus", seed), self.worlds
        names = random.choice(
            list(self.planted), size=self.num_lines, p=list(self.planted.values())
        )
        at_once = random.random(self.num_lines) < self.at_once_share
        prompts = [
            worlds[str(name)].problem("pretrain", index).prompt for index, name in enumerate(names)
        ]
        return [
            (prompt, write(prompt, bool(short)))
            for prompt, short in zip(prompts, at_once, strict=True)
        ]
