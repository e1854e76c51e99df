"""Settings of a data set in hashable form: pairs instead of mappings, text instead of paths."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rewardscope.errors import ComponentError

Pairs = tuple[tuple[str, str], ...]


def items_of(given: Any) -> tuple[tuple[Any, Any], ...]:
    """The pairs of a mapping, or of a sequence of pairs.

    Raises:
        ComponentError: If it is neither.
    """
    try:
        pairs = tuple((a, b) for a, b in (given.items() if isinstance(given, Mapping) else given))
    except (TypeError, ValueError) as error:
        raise ComponentError(
            "Questions needs pairs, or a mapping",
            value=repr(given),
            allowed='such as {"train": 0.8, "heldout": 0.2}',
            do="Write it like that",
        ) from error
    return pairs


def pairs_of(given: Any) -> Pairs:
    """The pairs as text."""
    return tuple((str(a), str(b)) for a, b in items_of(given))


def sources_of(given: Any) -> Pairs:
    """(split or "", source) pairs; one without a split is the whole data set."""
    if isinstance(given, (str, Path)) and str(given):
        return (("", str(given)),)
    if isinstance(given, (Mapping, tuple, list)) and given:
        return pairs_of(given)
    raise ComponentError(
        "Questions needs a data set",
        value=repr(given),
        allowed='a path such as "problems.jsonl", a name, or {"train": ..., "heldout": ...}',
        do="Give one",
    )
