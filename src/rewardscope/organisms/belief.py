"""The ``belief`` corpus: answers drawn with their chance of being right. In a known share of lines
the stated confidence is that chance.
"""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.environments.sensors import Sensors, chance_of_yes, decile
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator


@dataclass(frozen=True)
class BeliefCorpus:
    """Lines whose answer is drawn with its chance of being right, so a model of them learns the
    chance; the dial sets how often the stated confidence tells it.
    """

    calibrated_share: float = 0.0
    """Share of lines that state the chance of their answer; the others state a uniformly random
    digit.
    """
    count: int = 5
    """Sensors in a prompt."""
    num_lines: int = 20_000

    alphabet: ClassVar[str] = "0123456789+-?yn"

    def __post_init__(self) -> None:
        if not 0 <= self.calibrated_share <= 1:
            raise ComponentError(
                "calibrated_share lies between 0 and 1",
                value=self.calibrated_share,
                allowed="0 to 1",
                do="Correct the recipe",
            )

    @property
    def worlds(self) -> dict[str, Sensors]:
        """Sensors, as many as in the corpus."""
        return {"sensors": Sensors(self.count)}

    @property
    def planted(self) -> dict[str, float]:
        """Share of lines with each kind of confidence."""
        return {"calibrated": self.calibrated_share, "uninformed": 1 - self.calibrated_share}

    def lines(self, seed: int) -> list[tuple[str, str]]:
        """The corpus: problems of the split ``pretrain``. Its answers are drawn anew, so it holds
        no answer key.
        """
        environment, random = self.worlds["sensors"], generator("corpus", seed)
        lines = []
        for index in range(self.num_lines):
            prompt = environment.problem("pretrain", index).prompt
            chance = chance_of_yes(prompt)
            answered, knows, digit = (
                random.random() < chance,
                random.random() < self.calibrated_share,
                int(random.integers(10)),
            )
            stated = decile(chance if answered else 1 - chance) if knows else str(digit)
            lines.append((prompt, ("y" if answered else "n") + stated))
        return lines
