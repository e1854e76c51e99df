"""Which entries of a bank are recalled for a problem: those of its category, or a placebo."""

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
    """The entries of a bank, and their similarity to a prompt."""

    entries: tuple[Entry, ...]

    @cached_property
    def _similarity(self) -> Similarity:
        return Similarity([f"{entry.about} {entry.text}" for entry in self.entries])

    @property
    def categories(self) -> list[str]:
        """Categories with an entry of their own, sorted."""
        return sorted({entry.category for entry in self.entries} - {GENERAL})

    def after(self, category: str) -> str | None:
        """The next category by name, the first after the last; None if there is no other."""
        others = [name for name in self.categories if name != category]
        return next((name for name in others if name > category), others[0] if others else None)

    def ranked(self, category: str, prompt: str, above: float) -> list[Entry]:
        """The category's entries with a cosine above ``above`` to the prompt: most similar first,
        then most supported, then oldest.
        """
        candidates = [
            (alike, entry)
            for alike, entry in zip(self._similarity.to(prompt), self.entries, strict=True)
            if entry.category == category
        ]
        order = sorted(
            candidates, key=lambda pair: (-round(pair[0], 9), -pair[1].support, pair[1].id)
        )
        return [entry for alike, entry in order if alike > above]


@dataclass(frozen=True)
class Query:
    """A problem to recall entries for."""

    prompt: str
    category: str
    block: Block
    reader: Reader
    address: tuple[Address, ...]
    """Address of the randomness of a recall that draws."""


@dataclass(frozen=True)
class OwnCategory:
    """Entries of the problem's own category and general ones in turn, the most similar first.

    Source:
        SkillRL, arXiv:2602.08234, section 3: all general skills, and the top 6 of the category
            above a similarity. Here the two take turns under one budget, so that neither crowds out
            the other, as dynamic skills do in the released code.
    """

    top: int = 6
    """Most entries of either kind."""
    similar_above: float = -1.0
    """An entry of the category must exceed this cosine with the prompt; -1 = no threshold."""

    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.top < 1:
            raise ComponentError(
                "OwnCategory recalls at least one entry",
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
    """Shuffled: entries of the next category by name; none if there is no other category."""

    top: int = 6

    placebo: ClassVar[bool] = True

    def texts(self, known: Known, query: Query) -> list[str]:
        """As many as fit; general entries are left out."""
        other = known.after(query.category)
        entries = [] if other is None else known.ranked(other, query.prompt, -1.0)[: self.top]
        return query.block.chosen([entry.text for entry in entries], query.prompt, query.reader)


@dataclass(frozen=True)
class RandomText:
    """As many tokens of random pieces instead of each entry that ``base`` would recall."""

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
    """Pieces to draw from; each is one token."""
    base: Recall = OwnCategory()

    placebo: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.pieces or not all(self.pieces):
            raise ComponentError(
                "RandomText needs pieces",
                value=self.pieces,
                do="Give one or more that are not empty",
            )

    def texts(self, known: Known, query: Query) -> list[str]:
        """As many as the base would recall, without those whose random text became too long."""
        recalled = self.base.texts(known, query)
        drawn = [self._drawn(text, query, index) for index, text in enumerate(recalled)]
        return query.block.chosen(drawn, query.prompt, query.reader)

    def _drawn(self, text: str, query: Query, index: int) -> str:
        length, random = query.reader.tokens(text), generator(*query.address, "random text", index)
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
