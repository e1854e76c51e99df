"""The block before a problem: entries, then filler up to the same number of tokens for every
problem of every arm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rewardscope.errors import ComponentError
from rewardscope.protocols import Reader

TRIES = 8
"""Corrections of the filler's length before it counts as unfit."""
SLOT = "{text}"


@dataclass(frozen=True)
class Block:
    """How entries are written into a prompt, and how many tokens they may take there.

    The prompt is filler + opening + entries + closing + the problem's prompt. With the filler it is
    exactly ``budget_tokens`` longer than the problem alone. Arms with the same budget therefore
    compare at equal prompt tokens, even if they recall nothing. An entry that does not fit the
    remaining budget is skipped, never cut.
    """

    budget_tokens: int = 64
    opening: str = "\nNotes from earlier problems:\n"
    """Left out, like the closing, if nothing is recalled."""
    entry: str = "- {text}\n"
    closing: str = "\n"
    filler: str = " ."
    """One token at each repetition; empty = no filler, so blocks may be shorter than the budget."""

    def __post_init__(self) -> None:
        if self.budget_tokens < 1 or SLOT not in self.entry:
            raise ComponentError(
                "Block needs a budget of tokens, and a slot for the text of an entry",
                value=self,
                allowed="budget_tokens >= 1, {text} in entry",
                do="Correct it in the study file",
            )

    def write(self, text: str) -> str:
        """The entry as written into the prompt."""
        return self.entry.replace(SLOT, text)

    def fits(self, text: str, prompt: str, reader: Reader) -> bool:
        """Whether the entry fits the budget alone; one that does not is never recalled."""
        alone = self.opening + self.write(text) + self.closing + prompt
        return reader.tokens(alone) - reader.tokens(prompt) <= self.budget_tokens

    def chosen(self, texts: Sequence[str], prompt: str, reader: Reader) -> list[str]:
        """The entries that fit together, in their order; earlier ones take precedence."""
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
        """Number of entries among the pieces from :meth:`pieces`."""
        return max(0, len(pieces) - 1 - bool(self.closing))

    def pieces(self, texts: Sequence[str], prompt: str, reader: Reader) -> tuple[str, ...]:
        """Text to put before the prompt, in pieces to be joined: filler with the opening, each
        entry, the closing.

        Raises:
            ComponentError: If the filler cannot fill the budget exactly, or the entries exceed it.
        """
        inner = tuple(map(self.write, texts))
        opening, closing = (self.opening, self.closing) if inner else ("", "")
        wanted, count = reader.tokens(prompt) + self.budget_tokens, 0
        for _ in range(TRIES):
            pieces = (self.filler * count + opening, *inner, *((closing,) if closing else ()))
            missing = wanted - reader.tokens("".join(pieces) + prompt)
            if missing == 0 or (missing > 0 and not self.filler):
                return pieces
            count = max(0, count + missing)
        raise ComponentError(
            "A block could not be made exactly as long as its budget",
            value=f"{self.budget_tokens} tokens with filler {self.filler!r} before {prompt[:60]!r}",
            allowed="a filler that is one token in any position, and entries within the budget",
            do="Choose another filler, or raise budget_tokens",
        )
