"""A text that repeats itself."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

SHORTEST, LONGEST, TIMES = 10, 256, 10
"""Length of the string in characters, and how often it occurs in a row."""


def repeats(text: str) -> bool:
    """Whether a string of 10 to 256 characters occurs 10 times or more in a row.

    It does if 9 periods in a row equal the text one period further on. Each period takes one
    comparison of the text with itself.

    >>> repeats("So it is 7. " * 10), repeats("So it is 7. " * 9)
    (True, False)
    """
    if len(text) < SHORTEST * TIMES:
        return False
    code = np.array(list(text)).view(np.uint32)
    for period in range(SHORTEST, min(LONGEST, len(text) // TIMES) + 1):
        differs = np.flatnonzero(code[period:] != code[:-period])
        ends = np.concatenate([[-1], differs, [len(code) - period]])
        if np.diff(ends).max() - 1 >= period * (TIMES - 1):
            return True
    return False


@dataclass(frozen=True)
class Repetition:
    """A string of 10 to 256 characters that occurs 10 times or more in a row.

    A long rule of dashes counts; a loop that changes a number each time round does not.

    Source:
        Shao et al. 2025, arXiv:2506.10947, appendix E (no repetition reward: 0 if there is one,
            else 1).
    """

    name: ClassVar[str] = "repetition"
    behaviour: ClassVar[str] = "repetition"
    published: ClassVar[bool] = True

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether it contains one."""
        return repeats(text)
