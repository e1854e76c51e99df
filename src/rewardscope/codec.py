"""Components to JSON and back: a frozen dataclass is its own configuration, and this is how it
reads on disk.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from enum import Enum
from types import FunctionType, MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from rewardscope.errors import ComponentError
from rewardscope.registry import class_of, function_of, name_of

KIND = "is"
"""The key of a component's class name."""
FUNCTION, OF = "function", "of"
"""The value of that key for a function, and the key of the function's name."""
UNSIGNED = "~"
"""What the key of a field begins with that determines no result: where a file lies, say, of which
a digest is signed. A field says so by ``metadata=NOT_SIGNED``.
"""
NOT_SIGNED = MappingProxyType({"signed": False})


def encode(value: object) -> Any:
    """A JSON value for a component, record, or plain value; a dataclass becomes {"is": class name,
    field: ...}.

    Raises:
        ComponentError: If something inside is neither; a lambda, say, could never be read back.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            _key(f): encode(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init
        }
        return {KIND: name_of(type(value)), **fields}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, FunctionType):
        return {KIND: FUNCTION, OF: _function_name(value)}
    if isinstance(value, Mapping):
        return {str(name): encode(item) for name, item in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ComponentError(
            "A component holds a number that JSON cannot represent",
            value=value,
            do="Use a finite number or None",
        )
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ComponentError(
        "A component holds something that cannot be stored",
        value=f"{type(value).__name__} {value!r}",
        allowed="dataclasses, functions, numbers, text, booleans, None; lists, mappings of these",
        do="Make it a frozen dataclass with plain fields",
    )


def _key(field: dataclasses.Field[Any]) -> str:
    return field.name if field.metadata.get("signed", True) else f"{UNSIGNED}{field.name}"


def _signed(encoded: Any) -> Any:
    """The part of an encoded value that a signature holds."""
    if isinstance(encoded, dict):
        return {k: _signed(item) for k, item in encoded.items() if not k.startswith(UNSIGNED)}
    return [_signed(item) for item in encoded] if isinstance(encoded, list) else encoded


def _function_name(function: FunctionType) -> str:
    name = name_of(function)
    if "<" in name:  # <lambda>, or <locals> of another function
        raise ComponentError(
            "A component holds a function without a name to import it by",
            value=f"{name}, in {function.__code__.co_filename}, line "
            f"{function.__code__.co_firstlineno}",
            allowed="functions that are defined with def at the top of a file",
            do="Give it a name there",
        )
    return name


def decode(data: Mapping[str, Any], more: Mapping[str, type] = MappingProxyType({})) -> Any:
    """The component that :func:`encode` wrote.

    Args:
        data: A mapping with its class name under "is", as :func:`rewardscope.registry.name_of`
            gives it.
        more: Classes to accept in addition to the registry's, by class name.

    Raises:
        ComponentError: If the name or a field is not known, or a field is missing.
    """
    name = str(data.get(KIND))
    if name == FUNCTION:
        return function_of(str(data.get(OF)))
    cls = more[name] if name in more else class_of(name)
    if not dataclasses.is_dataclass(cls):
        raise ComponentError(
            "A component must be a dataclass", value=name, do="Make it a frozen dataclass"
        )
    hints = get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    given = {key.removeprefix(UNSIGNED): item for key, item in data.items() if key != KIND}
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise ComponentError(
            f"{name} has no such field",
            value=", ".join(unknown),
            allowed=", ".join(sorted(fields)),
            do="Check the spelling",
        )
    missing = [
        f
        for f, spec in fields.items()
        if f not in given and spec.default is spec.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ComponentError(
            f"{name} lacks a field that has no default",
            value=", ".join(missing),
            do="Give it a value",
        )
    return cls(**{field: _decode_value(item, hints[field], more) for field, item in given.items()})


def _decode_value(item: Any, hint: Any, more: Mapping[str, type]) -> Any:
    if isinstance(item, Mapping) and KIND in item:
        return decode(item, more)
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        if item is None:
            return None
        return _decode_value(item, next(a for a in get_args(hint) if a is not type(None)), more)
    if isinstance(item, list):
        arguments = [a for a in get_args(hint) if a is not Ellipsis]
        inner = arguments[0] if arguments else object
        return tuple(_decode_value(entry, inner, more) for entry in item)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(item)
    return item


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces; equal values give equal text."""
    return json.dumps(encode(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def signature(value: object) -> str:
    """The first 12 hex digits of the SHA-256 of what determines a result: what names a cell."""
    return hashlib.sha256(canonical(_signed(encode(value))).encode()).hexdigest()[:12]
