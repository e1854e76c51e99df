"""The ``formats`` corpus: chains solved in one of three formats, in known shares and with known
reliability.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.environments.chain import FORMATS, Chain, parse, running_values, write
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator

ALPHABET = "0123456789+-*?=,>:stg"


@dataclass(frozen=True)
class FormatCorpus:
    """Chains solved in one of three formats; shares and errors set which skills are latent in a
    model of them.
    """

    stepwise_share: float = 0.55
    talk_share: float = 0.35
    guess_share: float = 0.10
    stepwise_error: float = 0.0
    """Chance that a written step is wrong; later steps go on from the wrong value."""
    talk_error: float = 0.25
    begun_share: float = 0.0
    """Share of lines whose prompt ends with the letter of stepwise working. They teach how to
    continue such working, but not to begin it.
    """
    min_steps: int = 3
    max_steps: int = 3
    num_lines: int = 40_000

    alphabet: ClassVar[str] = ALPHABET

    def __post_init__(self) -> None:
        shares = (self.stepwise_share, self.talk_share, self.guess_share)
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
            raise ComponentError(
                "Shares of the formats must be non-negative and sum to 1",
                value=shares,
                do="Correct the recipe",
            )
        if not 0 <= self.begun_share < 1:
            raise ComponentError(
                "begun_share lies between 0 and below 1",
                value=self.begun_share,
                allowed="0 to below 1",
                do="Correct the recipe",
            )

    @classmethod
    def latent(cls, share: float) -> "FormatCorpus":
        """A corpus with a reliable strategy in ``share`` of the lines; the others talk and guess, 4
        to 1.

        A few hundred lines would not teach the strategy to a tiny model. So the prompt begins it in
        a quarter of all lines. With share 0 it never occurs.
        """
        begun = 0.25 if share else 0.0
        return cls(
            stepwise_share=share,
            talk_share=0.8 * (1 - share),
            guess_share=0.2 * (1 - share),
            begun_share=begun,
        )

    @property
    def worlds(self) -> dict[str, Chain]:
        """Chains of the corpus's own lengths."""
        return {"chains": Chain(self.min_steps, self.max_steps)}

    @property
    def planted(self) -> dict[str, float]:
        """Share of each strategy among the lines whose prompt begins none: the known content."""
        return dict(
            zip(
                FORMATS.values(),
                (self.stepwise_share, self.talk_share, self.guess_share),
                strict=True,
            )
        )

    def lines(self, seed: int) -> list[tuple[str, str]]:
        """Problems of the split ``pretrain``, each with one completion, or with the rest of a
        completion that the prompt begins.
        """
        environment = self.worlds["chains"]
        random = generator("corpus", seed)
        letters = random.choice(list(FORMATS), size=self.num_lines, p=list(self.planted.values()))
        begun = generator("corpus", seed, "begun").random(self.num_lines) < self.begun_share
        lines = []
        for index, letter in enumerate(letters):
            prompt, text = self._line(
                environment.problem("pretrain", index).prompt,
                "s" if begun[index] else str(letter),
                random,
            )
            lines.append((prompt + text[0], text[1:]) if begun[index] else (prompt, text))
        return lines

    def _line(self, prompt: str, letter: str, random: np.random.Generator) -> tuple[str, str]:
        error = {"s": self.stepwise_error, "t": self.talk_error, "g": 0.0}[letter]
        values: list[int] = []
        for step in range(len(parse(prompt)[1])):
            reached = str(values[-1]) + prompt[1 + 2 * step :] if values else prompt
            right = running_values(reached)[0]
            values.append(
                (right + int(random.integers(1, 10))) % 10 if random.random() < error else right
            )
        return prompt, write(letter, prompt, values)
