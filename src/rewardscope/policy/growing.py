"""The text of a list of tokens that grows, a few tokens decoded at a time."""

from collections.abc import Callable, Sequence

MOST_PENDING = 8
"""Tokens that an unfinished character may have; it has at most four bytes."""
UNFINISHED = "\ufffd"


class GrowingText:
    """``decode`` of all tokens so far, at a cost per token that does not grow with them.

    Only the tokens since the last settled text are decoded, behind the piece before them, whose
    text tells a decoder that this is no beginning. Text that ends inside a character is not settled
    before more tokens complete it.
    """

    def __init__(self, decode: Callable[[tuple[int, ...]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._before, self._settled = 0, 0  # where the last settled piece begins and ends
        self._text, self._pending = "", ""

    def __len__(self) -> int:
        """Characters."""
        return len(self._text) + len(self._pending)

    @property
    def settled(self) -> int:
        """Characters that no later token changes."""
        return len(self._text)

    def add(self, token: int) -> None:
        """Takes one more token."""
        self._ids.append(token)
        known = self._decode(tuple(self._ids[self._before : self._settled]))
        now = self._decode(tuple(self._ids[self._before :]))
        if not now.startswith(known):  # a decoder that looks further back
            self._text, self._pending = self._decode(tuple(self._ids)), ""
        elif now.endswith(UNFINISHED) and len(self._ids) - self._settled < MOST_PENDING:
            self._pending = now[len(known) :]
            return
        else:
            self._text, self._pending = self._text + now[len(known) :], ""
        self._before, self._settled = self._settled, len(self._ids)

    def ends(self, texts: Sequence[str], since: int) -> bool:
        """Whether one of the texts occurs and ends behind the first ``since`` characters."""
        return any(
            text in self._text[max(0, since - len(text) + 1) :] + self._pending for text in texts
        )
