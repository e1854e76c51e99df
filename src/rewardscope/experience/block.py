"""The block that stands before a problem: entries, and filler up to the same number of tokens for
every problem of every arm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rewardscope.errors import ComponentError
from rewardscope.protocols import Reader

TRIES = 8
"""Corrections of the filler's length before it is called unfit."""
PLACE = "{text}"


@dataclass(frozen=True)
class Block:
    """How entries are written into a prompt, and how many tokens they may take there.

    The prompt is filler + opening + entries + closing + the problem's prompt. Filler makes the
    whole exactly ``budget_tokens`` longer than the problem alone, so arms with one budget compare
    at equal prompt tokens, those that recall nothing included. An entry that does not fit what is
    left is passed over, never cut.
    """

    budget_tokens: int = 64
    opening: str = "\nNotes from earlier problems:\n"
    """Left out, like the closing, where nothing is recalled."""
    entry: str = "- {text}\n"
    closing: str = "\n"
    filler: str = " ."
    """One token however often it is repeated; empty = none, and blocks of at most the budget."""

    def __post_init__(self) -> None:
        if self.budget_tokens < 1 or PLACE not in self.entry:
            raise ComponentError(
                "A block has room for tokens, and a place for its entries",
                value=self,
                allowed="budget_tokens >= 1, {text} in entry",
                do="Mend it in the study",
            )

    def write(self, text: str) -> str:
        """The entry as it stands in the prompt."""
        return self.entry.replace(PLACE, text)

    def fits(self, text: str, prompt: str, reader: Reader) -> bool:
        """Whether the entry could stand alone before the prompt; one that cannot is never
        recalled.
        """
        alone = self.opening + self.write(text) + self.closing + prompt
        return reader.tokens(alone) - reader.tokens(prompt) <= self.budget_tokens

    def chosen(self, texts: Sequence[str], prompt: str, reader: Reader) -> list[str]:
        """Those of the entries that fit together, in their order, the first ones first."""
        bare, kept = reader.tokens(prompt), list[str]()
        for text in texts:
            inner = "".join(map(self.write, [*kept, text]))
            if (
                reader.tokens(self.opening + inner + self.closing + prompt) - bare
                <= self.budget_tokens
            ):
                kept.append(text)
        return kept

    def count(self, pieces: Sequence[str]) -> int:
        """Number of entries in what :meth:`pieces` gave."""
        return max(0, len(pieces) - 1 - bool(self.closing))

    def pieces(self, texts: Sequence[str], prompt: str, reader: Reader) -> tuple[str, ...]:
        """What stands before the prompt, in pieces that need only be joined: filler with the
        opening, each entry, the closing.

        Raises:
            ComponentError: If the filler cannot make up the budget exactly, or the entries are
                beyond it.
        """
        inner = tuple(map(self.write, texts))
        opening, closing = (self.opening, self.closing) if inner else ("", "")
        wanted, count = reader.tokens(prompt) + self.budget_tokens, 0
        for _ in range(TRIES):
            found = (self.filler * count + opening, *inner, *((closing,) if closing else ()))
            missing = wanted - reader.tokens("".join(found) + prompt)
            if missing == 0 or (missing > 0 and not self.filler):
                return found
            count = max(0, count + missing)
        raise ComponentError(
            "A block could not be made exactly as long as its budget",
            value=f"{self.budget_tokens} tokens with filler {self.filler!r} before {prompt[:60]!r}",
            allowed="a filler that is one token wherever it stands, and entries within the budget",
            do="Choose another filler, or raise budget_tokens",
        )
