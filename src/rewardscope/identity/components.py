"""The parts that determine a component's results, as a cell's signature holds them."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from rewardscope.errors import ComponentError
from rewardscope.identity.files import file_digest
from rewardscope.identity.places import distribution_of
from rewardscope.identity.sources import is_data_file, sources_of
from rewardscope.registry import is_guest, name_of, readable

OWN_PACKAGES = frozenset(
    {"rewardscope", "torch", "numpy", "scipy", "polars", "transformers", "tokenizers"}
)
"""Distributions, ours included, whose versions are recorded by a run but are in no signature."""


@dataclass(frozen=True, order=True, slots=True)
class Part:
    """One dependency of a component's results, apart from its fields."""

    component: str
    """As the registry names it."""
    what: str
    """``source FILE``, ``data FILE``, ``package NAME``, or what its ``identity`` says."""
    digest: str
    """SHA-256 in hex, or a version."""
    path: str = dataclasses.field(default="", compare=False)
    """Of the file, where it is one; no part of any signature."""

    @property
    def record(self) -> list[str]:
        """The part as a signature holds it."""
        return [self.component, self.what, self.digest]


def parts_of(value: object, without: Sequence[object] = ()) -> tuple[Part, ...]:
    """All parts of the components in a value, without duplicates, in order.

    Args:
        value: A component, or a tuple, list or mapping of components.
        without: Components whose ``identity`` a signature holds elsewhere; their code counts.

    Raises:
        ComponentError: If a source or data file cannot be read.
    """
    skipped = {id(excluded) for excluded in without}
    parts = {
        part
        for component in _components(value)
        for part in _parts(component, id(component) in skipped)
    }
    return tuple(sorted(parts))


def guests_of(value: object) -> tuple[object, ...]:
    """The components, and functions, in a value that come from outside the package."""
    return tuple(
        component for component in _components(value) if is_guest(name_of(_named(component)))
    )


def changes(before: Sequence[Sequence[str]], after: Sequence[Sequence[str]]) -> list[str]:
    """The differences between the parts of two records, one phrase each.

    >>> changes([["m:Mine", "source m.py", "ab"]], [["m:Mine", "source m.py", "cd"]])
    ['Mine (m): source m.py was edited']
    """
    old, new = _by_part(before), _by_part(after)
    phrases = []
    for component, what in sorted({*old, *new}):
        was, now = old.get((component, what)), new.get((component, what))
        if was == now:
            continue
        if was is None:
            change = "is new"
        elif now is None:
            change = "is gone"
        elif what.startswith("package "):
            change = f"went from {', '.join(was)} to {', '.join(now)}"
        else:
            change = "was edited" if " " in what else "changed"
        phrases.append(f"{readable(component)}: {what} {change}")
    return phrases


def _by_part(parts: Sequence[Sequence[str]]) -> dict[tuple[str, str], list[str]]:
    """Component and part -> its digests: two data sets of one study have a digest each."""
    digests: dict[tuple[str, str], list[str]] = {}
    for component, what, digest in sorted(map(tuple, parts)):
        digests.setdefault((component, what), []).append(digest)
    return digests


def _components(value: object) -> Iterator[object]:
    """The components in a value, outermost first, and functions that are fields of them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield value
        for field in dataclasses.fields(value):
            if field.init:
                yield from _components(getattr(value, field.name))
    elif isinstance(value, FunctionType):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _components(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _components(item)


def _named(component: object) -> Any:
    return component if isinstance(component, FunctionType) else type(component)


def _parts(component: object, known: bool) -> Iterator[Part]:
    definition = _named(component)
    name = name_of(definition)
    if is_guest(name):
        yield from _code_parts(name, definition, component)
    if not isinstance(component, FunctionType):
        if not known:
            yield from _declared_parts(name, component)
        yield from _data_parts(name, component)


def _code_parts(name: str, definition: Any, component: object) -> Iterator[Part]:
    sources = sources_of(definition)
    if not sources.counted:  # installed: its distribution's version identifies it
        known = distribution_of(definition.__module__)
        if known is not None:
            yield Part(name, f"package {known[0]}", known[1])
        return
    for path, digest in sources.digests().items():
        yield Part(name, f"source {path.name}", digest, str(path))
    for package, version in sources.packages.items():
        if package not in OWN_PACKAGES:
            yield Part(name, f"package {package}", version)
    data = {*sources.named_files(), *sources.opened_files()}
    for file in sorted(data):
        yield Part(name, f"data {file.name}", file_digest(file), str(file))


def _declared_parts(name: str, component: object) -> Iterator[Part]:
    identity = getattr(component, "identity", None)
    if not callable(identity):
        return
    said = identity()
    if isinstance(said, str):
        said = {"identity": said} if said else {}
    if not isinstance(said, Mapping) or not all(
        isinstance(text, str) for item in said.items() for text in item
    ):
        raise ComponentError(
            f"identity() of {name} must say what determines its results",
            value=repr(said),
            allowed="a text, or a mapping of texts to texts, such as {'rows': file_digest(path)}",
            do="Return one",
        )
    for what, digest in said.items():
        yield Part(name, what, digest)


def _data_parts(name: str, component: object) -> Iterator[Part]:
    declared = getattr(component, "data_files", ())
    if isinstance(declared, (str, Path)):
        declared = (declared,)
    for file in declared:
        yield Part(name, f"data {Path(file).name}", file_digest(file), str(Path(file).resolve()))
    if is_guest(name):
        for field in dataclasses.fields(component):  # type: ignore[arg-type]
            text = getattr(component, field.name)
            if isinstance(text, (str, Path)) and is_data_file(Path(text)):
                file = Path(text).resolve()
                yield Part(name, f"data {file.name}", file_digest(file), str(file))
