"""What a call of a function that a model wrote came to."""

import reprlib
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["value", "error", "unknown", "late"]
"""Late = out of time on the clock, so to be run again with its processor time watched."""
_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = _shorten.maxlong = 60
_shorten.maxlist = _shorten.maxtuple = _shorten.maxdict = 8
_shorten.maxlevel = 3


@dataclass(frozen=True)
class Outcome:
    """What one call came to: a value, an error of the program, or unknown where the interpreter
    itself failed.
    """

    kind: Kind
    value: Any = None
    message: str = ""


def shown(value: object) -> str:
    """The value as Python writes it, shortened."""
    try:
        return _shorten.repr(value)
    except ValueError:
        return "a number of over 4,300 digits"
