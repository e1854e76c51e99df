"""How often a detector is right, on texts that were labelled by hand and ship with it.

The texts are in ``labelled/``: a file per behaviour, and ``plain.txt`` with texts that show none.
The author of the patterns made them up and labelled them before any detector was run on them. None
is a completion of a model under study, and more than half of the negatives were made to mislead. So
the figures show what a detector confuses, at the file's share of positives. They do not show how
often it errs on some model's completions: read a sample of those before believing a share.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scipy import stats as distributions

from rewardscope.protocols import Detector
from rewardscope.stats import LEVEL

FOLDER = Path(__file__).parent / "labelled"
PROMPT = "A shop sells pens at 3 dollars each. How much do 4 pens cost?"
"""The prompt of every text that names none of its own."""
TIMES = re.compile(r"\[\[(.*?) \* (\d+)\]\]", re.DOTALL)


@dataclass(frozen=True)
class Labelled:
    """A completion and whether it shows the behaviour, as a person sees it."""

    prompt: str
    text: str
    shows: bool


@cache
def labelled(behaviour: str) -> tuple[Labelled, ...]:
    r"""The texts of a behaviour, then the plain ones as further negatives.

    A line is ``+ text`` or ``- text``; \n in it is a line break, ``[[text * 12]]`` is the text 12
    times over, and text before ``|||`` is a prompt of its own. Other lines are comments.
    """
    return (*_read(FOLDER / f"{behaviour}.txt"), *_read(FOLDER / "plain.txt"))


def _read(file: Path) -> list[Labelled]:
    texts = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(("+ ", "- ")):
            prompt, _, text = line[2:].rpartition("|||")
            text = TIMES.sub(
                lambda match: match[1] * int(match[2]), text.strip().replace("\\n", "\n")
            )
            texts.append(Labelled(prompt.strip() or PROMPT, text, line.startswith("+")))
    return texts


@dataclass(frozen=True)
class Quality:
    """What a detector got right."""

    hits: int
    """Positives that it found."""
    positives: int
    alarms: int
    """Negatives that it flagged."""
    negatives: int

    @property
    def precision(self) -> float | None:
        """Share of the texts it flagged that are positive; None where it flagged nothing."""
        return self.hits / (self.hits + self.alarms) if self.hits + self.alarms else None

    @property
    def recall(self) -> float:
        """Share of the positives that it found."""
        return self.hits / self.positives

    def __str__(self) -> str:
        """Both with their n and exact 95 % intervals, for texts like these."""
        flagged = self.hits + self.alarms
        return (
            f"precision {_share(self.hits, flagged)}, recall {_share(self.hits, self.positives)}, "
            f"{self.negatives} negatives"
        )


def _share(count: int, total: int) -> str:
    """A share with its Clopper-Pearson interval."""
    if not total:
        return "unknown (found nothing)"
    tail = (1 - LEVEL) / 2
    lower = distributions.beta.ppf(tail, count, total - count + 1) if count else 0.0
    upper = distributions.beta.ppf(1 - tail, count + 1, total - count) if count < total else 1.0
    return f"{count / total:.2f} [{lower:.2f}, {upper:.2f}] ({count} of {total})"


def quality(detector: Detector) -> Quality:
    """What the detector gets right on the labelled texts of its behaviour."""
    texts = labelled(detector.behaviour)
    flags = [detector(example.prompt, example.text) for example in texts]
    hits = sum(flagged and example.shows for flagged, example in zip(flags, texts, strict=True))
    positives = sum(example.shows for example in texts)
    return Quality(hits, positives, sum(flags) - hits, len(texts) - positives)
