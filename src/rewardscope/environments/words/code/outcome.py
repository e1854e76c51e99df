"""What a call of a function that a model wrote came to; the interpreter that runs it is imported on
first use.
"""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rewardscope.environments.words.extra import needed

MAX_CODE_CHARACTERS = 20_000

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


def run_in_sandbox(
    user: str, code: str, function: str, arguments: Sequence[Sequence[Any]]
) -> list[Outcome]:
    """What ``sandbox.call`` says.

    Raises:
        ComponentError: If the sandbox's packages are not installed; it says that ``user`` needs
            them.
    """
    for module in ("pydantic_monty", "psutil"):
        needed(module, user)
    from rewardscope.environments.words.code import sandbox

    return sandbox.call(code, function, arguments)
