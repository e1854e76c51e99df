"""What of a bank stands before a problem: what is known of its category, or the placebos of
that.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.experience.block import Block
from rewardscope.experience.entries import GENERAL, Entry
from rewardscope.experience.similarity import Similarity
from rewardscope.protocols import Reader, Recall
from rewardscope.seeds import Address, generator


@dataclass(frozen=True)
class Known:
    """The entries of a bank, and how alike they are to what is asked."""

    entries: tuple[Entry, ...]

    @cached_property
    def _similarity(self) -> Similarity:
        return Similarity([f"{entry.about} {entry.text}" for entry in self.entries])

    @property
    def categories(self) -> list[str]:
        """Those that have an entry of their own, sorted."""
        return sorted({entry.category for entry in self.entries} - {GENERAL})

    def after(self, category: str) -> str | None:
        """The category that comes after another, from the first again; None where there is no
        other.
        """
        others = [name for name in self.categories if name != category]
        return next((name for name in others if name > category), others[0] if others else None)

    def ranked(self, category: str, prompt: str, above: float) -> list[Entry]:
        """The category's entries that are more than ``above`` alike to the prompt: most alike
        first, then most supported, then oldest.
        """
        found = [
            (alike, entry)
            for alike, entry in zip(self._similarity.to(prompt), self.entries, strict=True)
            if entry.category == category
        ]
        order = sorted(found, key=lambda pair: (-round(pair[0], 9), -pair[1].support, pair[1].id))
        return [entry for alike, entry in order if alike > above]


@dataclass(frozen=True)
class Query:
    """A problem that something is to be recalled for."""

    prompt: str
    category: str
    block: Block
    reader: Reader
    address: tuple[Address, ...]
    """Where a recall that draws finds its randomness."""


@dataclass(frozen=True)
class OwnCategory:
    """What is known of the problem's own category and of all, in turns, the most alike first.

    Source:
        SkillRL, arXiv:2602.08234, section 3: all general skills and the top 6 of the category above
            a similarity. Here the two take turns under one budget, so that neither crowds the other
            out, as the released code's dynamic skills do.
    """

    top: int = 6
    """Entries of each of the two at most."""
    similar_above: float = -1.0
    """Cosine with the problem's prompt that an entry of the category must exceed; -1 = none."""

    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.top < 1:
            raise ComponentError(
                "Something is recalled",
                value=f"top={self.top}",
                allowed="1 or more",
                do="Use Blank() to recall nothing",
            )

    def texts(self, known: Known, query: Query) -> list[str]:
        """As many as fit."""
        own = known.ranked(query.category, query.prompt, self.similar_above)[: self.top]
        general = known.ranked(GENERAL, query.prompt, -1.0)[: self.top]
        turns = [
            entry.text for pair in zip_longest(own, general) for entry in pair if entry is not None
        ]
        return query.block.chosen(turns, query.prompt, query.reader)


@dataclass(frozen=True)
class OtherCategory:
    """Shuffled: what is known of another category, the next by name; nothing where there is no
    other.
    """

    top: int = 6

    placebo: ClassVar[bool] = True

    def texts(self, known: Known, query: Query) -> list[str]:
        """As many as fit; nothing that holds in every category is among them."""
        other = known.after(query.category)
        found = [] if other is None else known.ranked(other, query.prompt, -1.0)[: self.top]
        return query.block.chosen([entry.text for entry in found], query.prompt, query.reader)


@dataclass(frozen=True)
class RandomText:
    """In the place of each entry that ``base`` would recall, as many tokens of random pieces."""

    pieces: tuple[str, ...] = (
        " time",
        " year",
        " day",
        " way",
        " man",
        " thing",
        " life",
        " child",
        " world",
        " school",
        " state",
        " family",
    )
    """What is drawn from; each one token."""
    base: Recall = OwnCategory()

    placebo: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.pieces or not all(self.pieces):
            raise ComponentError(
                "Random text is made of pieces",
                value=self.pieces,
                do="Give one or more that are not empty",
            )

    def texts(self, known: Known, query: Query) -> list[str]:
        """As many as the base would recall, but for those whose random text came out too long."""
        found = self.base.texts(known, query)
        drawn = [self._drawn(text, query, place) for place, text in enumerate(found)]
        return query.block.chosen(drawn, query.prompt, query.reader)

    def _drawn(self, text: str, query: Query, place: int) -> str:
        length, random = query.reader.tokens(text), generator(*query.address, "random text", place)
        chosen: list[str] = []
        while query.reader.tokens("".join(chosen)) < length:
            chosen.append(self.pieces[int(random.integers(len(self.pieces)))])
        return "".join(chosen)


@dataclass(frozen=True)
class Blank:
    """Nothing: the block is filler alone, for an arm without experience at the same number of
    prompt tokens.
    """

    placebo: ClassVar[bool] = True

    def texts(self, known: Known, query: Query) -> list[str]:
        """None."""
        return []
