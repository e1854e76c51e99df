"""reasoning-gym's records as JSON that reads back equal."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any


def pack(value: Any) -> Any:
    """JSON that gives tuples, fractions, and keys that are not text, back as they were: some
    scorers compare them.
    """
    if isinstance(value, tuple):
        return {"tuple": [pack(item) for item in value]}
    if isinstance(value, list):
        return [pack(item) for item in value]
    if isinstance(value, dict):
        return {"dict": list(_pairs(value))}
    if isinstance(value, Fraction):
        return {"fraction": [value.numerator, value.denominator]}
    return value


def _pairs(value: dict[Any, Any]) -> Iterator[list[Any]]:
    for name, item in value.items():
        yield [pack(name), pack(item)]


def unpack(value: Any) -> Any:
    """What ``pack`` was given."""
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if isinstance(value, dict):
        if "tuple" in value:
            return tuple(unpack(item) for item in value["tuple"])
        if "fraction" in value:
            return Fraction(*value["fraction"])
        return {unpack(name): unpack(item) for name, item in value["dict"]}
    return value
