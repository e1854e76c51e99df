"""Letters of a script that the prompt is not written in."""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

SCRIPTS = (
    *(
        "CJK",
        "HIRAGANA",
        "KATAKANA",
        "HANGUL",
        "CYRILLIC",
        "ARABIC",
        "HEBREW",
        "DEVANAGARI",
        "BENGALI",
        "TAMIL",
        "TELUGU",
        "THAI",
    ),
    *(
        "GEORGIAN",
        "ARMENIAN",
        "GUJARATI",
        "GURMUKHI",
        "KANNADA",
        "MALAYALAM",
        "KHMER",
        "LAO",
        "MYANMAR",
        "ETHIOPIC",
        "SINHALA",
        "TIBETAN",
    ),
)
"""As Unicode's character names begin. Latin and Greek are left out: formulas in any language are
written in them.
"""
LEAST = 2
"""Letters of a script that make a switch; one alone is a symbol, as Ш is in number theory."""


@lru_cache(maxsize=4096)
def script_of(character: str) -> str | None:
    """The letter's script; None for Latin, Greek, digits and signs.

    >>> script_of("答"), script_of("Ж"), script_of("π"), script_of("7")
    ('CJK', 'CYRILLIC', None, None)
    """
    if character.isascii() or not character.isalpha():
        return None
    first = unicodedata.name(character, "").split(" ")[0]
    return first if first in SCRIPTS else None


@dataclass(frozen=True)
class OtherScript:
    """Two letters or more of a script that the prompt has none of: Chinese in the answer to an
    English question.

    A switch between languages of one script, German in the answer to an English question, is
    missed. Latin and Greek never count.

    Source:
        DeepSeek-AI 2025, arXiv:2501.12948, section 2.2.4 (language mixing, which they measure by
            words of the target language).
    """

    name: ClassVar[str] = "other_script"
    behaviour: ClassVar[str] = "other_script"
    published: ClassVar[bool] = False

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether it contains one."""
        if text.isascii():
            return False
        known = {script_of(character) for character in prompt}
        counts = Counter(
            script
            for character in text
            if (script := script_of(character)) is not None and script not in known
        )
        return any(count >= LEAST for count in counts.values())
