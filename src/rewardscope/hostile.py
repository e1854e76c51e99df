"""Text from outside, made safe to display."""

import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories of characters that are invisible or that rearrange the text around them."""
FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters that are drawn as blanks."""


def visible(text: str) -> str:
    r"""The text with every control, bidirectional and invisible character written out; newlines and
    tabs stay.

    >>> visible("a\u202eb\x1b")
    'a⟨U+202E⟩b⟨U+001B⟩'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    if character in "\n\t" or (
        unicodedata.category(character) not in HIDDEN and character not in FILLERS
    ):
        return character
    return f"⟨U+{ord(character):04X}⟩"
