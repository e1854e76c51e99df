"""What a component is, read from its source: a list of all of them has to be there at once, and
importing them takes seconds.
"""

import ast
import functools
import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardscope.errors import ComponentError
from rewardscope.registry import ANALYSES, BUILT_IN, PACKAGE, offered

ROOT = Path(__file__).parent
CARDS = ROOT / "organisms" / "weights"
VALIDATION = ROOT / "probes" / "validation"
"""One file of figures per instrument."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a component, as it stands in the source."""

    name: str
    type: str
    default: str | None
    """None = it has to be given."""
    about: str


@dataclass(frozen=True, slots=True)
class Outline:
    """A component, without its code."""

    kind: str
    name: str
    file: str
    line: int
    text: str
    """Its docstring."""
    fields: tuple[Field, ...] = ()
    placebo: bool = False

    @property
    def summary(self) -> str:
        """The first paragraph of its docstring, on one line."""
        return self.paragraphs[0] if self.text else ""

    @property
    def paragraphs(self) -> list[str]:
        """Its docstring, each paragraph on one line and code without its marks; what is indented
        keeps its lines.
        """
        parts = self.text.replace("``", "").split("\n\n")
        return [part if "\n " in part else " ".join(part.split()) for part in parts]


def outlines(kinds: Mapping[str, Mapping[str, str]] = BUILT_IN) -> list[Outline]:
    """All components of these kinds, in the order of the registry; those that installed packages
    offer follow, by name alone.
    """
    found = []
    for kind, names in kinds.items():
        found += [_outline(kind, name, module) for name, module in names.items()]
        for value, entry in offered(kind).items():
            package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a package"
            found.append(Outline(kind, value, "", 0, f"Offered by {package}."))
    return found


def outline(name: str, kinds: Mapping[str, Mapping[str, str]] = BUILT_IN) -> Outline:
    """The component of that name.

    Raises:
        ComponentError: If there is none.
    """
    for found in outlines(kinds):
        if found.name == name:
            return found
    names = sorted(name for some in kinds.values() for name in some)
    near = [known for known in names if name.lower() in known.lower()]
    raise ComponentError(
        "There is nothing of this name",
        value=repr(name),
        allowed=", ".join(near or names),
        do="Check the spelling; capitals count",
    )


def instruments() -> dict[str, Mapping[str, str]]:
    """Name -> module of the instruments, by kind."""
    kinds = {kind: BUILT_IN[kind] for kind in ("probes", "detectors")}
    return {"probes": kinds["probes"], "analyses": ANALYSES, "detectors": kinds["detectors"]}


def validation() -> list[dict[str, Any]]:
    """The results of ``studies/validation``, which runs each instrument on known cases: one record
    per figure.
    """
    return [
        record
        for file in sorted(VALIDATION.glob("*.json"))
        for record in json.loads(file.read_text())
    ]


def organism_cards() -> dict[str, dict[str, Any]]:
    """The card of every organism whose weights are here, by name."""
    files = sorted(CARDS.glob("*/card.json"))
    return {file.parent.name: json.loads(file.read_text()) for file in files}


def _outline(kind: str, name: str, module: str) -> Outline:
    home, _, last = module.rpartition(".")
    own, module = (last, home) if last[:1].isupper() else (name, module)
    file = _file(module)
    node = _classes(file)[own]
    flags = dict(_constants(node))
    return Outline(
        kind,
        name,
        file.relative_to(ROOT.parent).as_posix(),
        node.lineno,
        inspect.cleandoc(ast.get_docstring(node) or ""),
        tuple(_fields(node, file)),
        flags.get("placebo") is True,
    )


def _file(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def _classes(file: Path) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in _tree(file).body if isinstance(node, ast.ClassDef)}


def _constants(node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    """Class variables that are set to a constant."""
    for part in node.body:
        if not isinstance(part, ast.AnnAssign) or not isinstance(part.value, ast.Constant):
            continue
        if isinstance(part.target, ast.Name) and "ClassVar" in ast.unparse(part.annotation):
            yield part.target.id, part.value.value


def _fields(node: ast.ClassDef, file: Path) -> Iterator[Field]:
    """Fields of the class after those of its bases in this package."""
    for base in node.bases:
        if isinstance(base, ast.Name):
            yield from _base_fields(base.id, file)
    for place, part in enumerate(node.body):
        if not isinstance(part, ast.AnnAssign) or not isinstance(part.target, ast.Name):
            continue
        written = ast.unparse(part.annotation)
        if "ClassVar" in written or part.target.id.startswith("_"):
            continue
        after = node.body[place + 1] if place + 1 < len(node.body) else None
        told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        about = str(after.value.value) if told else ""  # type: ignore[union-attr]
        default = None if part.value is None else ast.unparse(part.value)
        yield Field(part.target.id, written, default, " ".join(about.split()))


def _base_fields(name: str, file: Path) -> Iterator[Field]:
    if name in _classes(file):
        yield from _fields(_classes(file)[name], file)
        return
    for node in _tree(file).body:
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(PACKAGE):
            continue
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                home = _file((node.module or "").removeprefix(f"{PACKAGE}."))
                known = _classes(home) if home.is_file() else {}
                if alias.name in known:
                    yield from _fields(known[alias.name], home)
