"""Sentences that cite their rows: numbers for claims, letters for what is described, not tested."""

from dataclasses import dataclass, field

from rewardscope.hostile import visible
from rewardscope.types import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Cite:
    """A superscript: the mark of a row, and where it leads."""

    mark: str
    target: str
    """Id on the page."""
    outcome: Outcome | None = None
    """The claim's; None where nothing was tested."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name that the study gave: an arm, a start or a behaviour."""

    text: str


Piece = str | Name | Cite


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, or a few that belong together, in pieces."""

    pieces: tuple[Piece, ...]
    code: str = ""
    """A command or a line of Python that goes with it."""

    @property
    def text(self) -> str:
        """The sentence as plain text, with marks in brackets."""
        parts = [f" [{p.mark}]" if isinstance(p, Cite) else _plain(p) for p in self.pieces]
        return "".join(parts).replace("] [", ", ")

    @property
    def cites(self) -> list[str]:
        """Marks of its rows."""
        return [piece.mark for piece in self.pieces if isinstance(piece, Cite)]


def _plain(piece: str | Name) -> str:
    return visible(piece if isinstance(piece, str) else piece.text)


def said(*pieces: Piece | None, code: str = "") -> Said:
    """The sentence of these pieces; None is left out."""
    return Said(tuple(piece for piece in pieces if piece is not None), code)


@dataclass(frozen=True, slots=True)
class Note:
    """What a letter stands for."""

    mark: str
    metric: str
    of: str
    """Arms, seeds and labels of its rows."""
    section: str
    """Id of the section that shows them."""


@dataclass(slots=True)
class Notes:
    """Hands out letters in the order of citing; the same rows keep their letter."""

    notes: dict[tuple[str, str], Note] = field(default_factory=dict)

    def letter(self, metric: str, of: str, section: str = "") -> Cite:
        """The citation of rows of a metric that no claim is about."""
        key = (metric, of)
        if key not in self.notes:
            self.notes[key] = Note(_letters(len(self.notes)), metric, of, section)
        return Cite(self.notes[key].mark, f"note-{self.notes[key].mark}")


def _letters(index: int) -> str:
    """a, b, ..., z, aa, ab, ...

    >>> _letters(0), _letters(25), _letters(26)
    ('a', 'z', 'aa')
    """
    before = "" if index < 26 else _letters(index // 26 - 1)
    return before + chr(ord("a") + index % 26)


def claim_cite(index: int, verdict: Verdict) -> Cite:
    """The citation of the claim at ``index``, counted from 0."""
    return Cite(str(index + 1), f"verdict-{index + 1}", verdict.outcome)
