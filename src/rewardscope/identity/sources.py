"""The source behind a user's class or function: its own statements and all that they refer to.

Only statements that a component refers to count: its definition, the names in that, and so on
through the project's own modules. Editing a claim or a seed therefore causes no new training;
editing a grader's helper does. Comments and blank lines do not count.

References that Python resolves at run time cannot be followed: a computed module name, a computed
attribute name, ``exec``. A component with such references should declare ``data_files``.
"""

import ast
import functools
import hashlib
import importlib.util
import io
import symtable
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType

from rewardscope.errors import ComponentError
from rewardscope.identity.files import Stamp, stamp_of
from rewardscope.identity.opened import opened_by
from rewardscope.identity.places import distribution_of, is_project_file

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement at the top of a module."""

    text: str
    """As written, without comments and blank lines."""
    binds: frozenset[str]
    """Names that it assigns, also inside a function that declares them global."""
    reads: frozenset[str]
    """Names of the module that it reads, at any depth."""
    imports: tuple[ast.Import | ast.ImportFrom, ...]
    """Import statements in it, at any depth."""
    acts: bool
    """Whether it does more than define names, so that it counts for all names."""
    calls: bool
    """Whether it is an assignment whose value is a call, which may change its arguments."""
    literals: tuple[str, ...]
    """Texts in it that could be file names."""
    lines: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Module:
    """A project's source file, statement by statement."""

    path: Path
    name: str
    statements: tuple[Statement, ...]

    @property
    def is_package(self) -> bool:
        """Whether it is a folder's ``__init__``."""
        return self.path.name == "__init__.py"


@dataclass
class Sources:
    """All source that some names of some modules refer to."""

    counted: dict[Path, set[int]] = field(default_factory=dict)
    """File -> its statements that count."""
    modules: dict[Path, Module] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    """Installed distributions that the source imports, with their versions."""

    def digests(self) -> dict[Path, str]:
        """SHA-256 (hex) of the statements that count, by file."""
        return {
            path: hashlib.sha256(
                "\n".join(self.modules[path].statements[n].text for n in sorted(chosen)).encode()
            ).hexdigest()
            for path, chosen in sorted(self.counted.items())
        }

    def named_files(self) -> tuple[Path, ...]:
        """Existing files named by a counted text, relative to its source or the current folder."""
        files = {
            file.resolve()
            for path, chosen in self.counted.items()
            for number in chosen
            for text in self.modules[path].statements[number].literals
            for file in (path.parent / text, Path(text))
            if is_data_file(file)
        }
        return tuple(sorted(files))

    def opened_files(self) -> tuple[Path, ...]:
        """Existing files that the counted statements opened while they were watched."""
        return tuple(
            file
            for path, chosen in self.counted.items()
            for file in opened_by(path, [self.modules[path].statements[n].lines for n in chosen])
        )

    def add(self, module: Module, names: frozenset[str] | None) -> None:
        """Counts all source that the names refer to, in the module and beyond; None = all names."""
        self.modules[module.path] = module
        counted = self.counted.setdefault(module.path, set())
        statements = module.statements
        wanted = set(names or ())
        pending = [n for n, each in enumerate(statements) if names is None or each.acts]
        while True:
            for number in pending:
                if number not in counted:
                    counted.add(number)
                    wanted |= statements[number].reads
                    self._follow(module, statements[number])
            reached = {n for n, each in enumerate(statements) if self._counts(module, each, wanted)}
            pending = sorted(reached - counted)
            if not pending:
                return

    def _counts(self, module: Module, statement: Statement, wanted: set[str]) -> bool:
        if statement.binds & wanted:
            return True
        # x = repaired(ROWS) may change ROWS; a call with classes as arguments changes none of them
        return statement.calls and bool(statement.reads & wanted & _data_names(module))

    def _follow(self, module: Module, statement: Statement) -> None:
        """Follows the imports of the statement."""
        for node in statement.imports:
            for name, wanted in _targets(module, node):
                self._into(name, wanted)

    def _into(self, name: str, wanted: frozenset[str] | None) -> None:
        path = _path_of(name)
        if path is None or not is_project_file(str(path)):
            known = distribution_of(name)
            if known is not None and path is not None:
                self.packages[known[0]] = known[1]
            return
        module = read_module(path, name)
        before = self.counted.get(module.path)
        if wanted is None:
            if before is None or len(before) < len(module.statements):
                self.add(module, None)
            return
        submodules = {submodule for submodule in wanted if _is_submodule(name, submodule)}
        for submodule in submodules:
            self._into(f"{name}.{submodule}", None)
        names = wanted - submodules
        known_names = {bound for n in before or () for bound in module.statements[n].binds}
        if before is None or not names <= known_names:
            self.add(module, names)


def source_file(definition: object) -> Path | None:
    """The project's source file of a class or function; None if it is installed or ours.

    Raises:
        ComponentError: If it has no file, for instance because it was typed into a console.
    """
    if not isinstance(definition, (type, FunctionType)):
        return None
    if definition.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return None
    path = _file_of(definition)
    if path is not None:
        return path.resolve() if is_project_file(str(path)) else None
    raise ComponentError(
        "A component has no source file, so its versions could not be told apart",
        value=f"{definition.__module__}:{definition.__qualname__}",
        allowed="classes and functions that are defined in a file",
        do="Write it into a .py file and import it from there",
    )


def _file_of(definition: type | FunctionType) -> Path | None:
    """The file of its definition. Its code is asked first: modules can share a name."""
    functions = [definition] if isinstance(definition, FunctionType) else vars(definition).values()
    names = [
        function.__code__.co_filename
        for function in functions
        if isinstance(function, FunctionType) and function.__module__ == definition.__module__
    ]
    names.append(getattr(sys.modules.get(definition.__module__), "__file__", None) or "")
    return next((Path(name) for name in names if Path(name).is_file()), None)


def sources_of(definition: type | FunctionType) -> Sources:
    """All source that the class or function refers to; empty if it is installed or ours."""
    sources = Sources()
    path = source_file(definition)
    if path is not None:
        module = read_module(path, definition.__module__)
        sources.add(module, frozenset({definition.__qualname__.split(".")[0]}))
    return sources


_as_loaded: dict[Path, Stamp] = {}
"""Stamps of source files when their code was first read."""


def read_module(path: Path, name: str) -> Module:
    """The source file as statements.

    Raises:
        ComponentError: If it cannot be read as Python, or was edited after it was loaded.
    """
    resolved = path.resolve()
    try:
        stamp = stamp_of(resolved)
        if _as_loaded.setdefault(resolved, stamp) != stamp:
            raise ComponentError(
                "A source file was edited after it had been loaded",
                value=path,
                do="Load the study again; the code from before the edit is still running",
            )
        return _read_module(resolved, name, stamp)
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ComponentError):
            raise
        raise ComponentError(
            "A source file that a component depends on cannot be read",
            value=f"{path}: {error}",
            do="Check the file",
        ) from error


def loaded_again(paths: Iterable[Path]) -> None:
    """Records that these source files were just loaded in their current version."""
    for path in paths:
        _as_loaded[path.resolve()] = stamp_of(path)


@functools.lru_cache(maxsize=256)
def _read_module(path: Path, name: str, stamp: Stamp) -> Module:
    with tokenize.open(path) as file:
        text = file.read()
    bare = _without_comments(text).split("\n")
    tree = ast.parse(text)
    statements = [
        _statement(statement, bare if statement is node else None)
        for node in tree.body
        for statement in _one_by_one(node)
    ]
    return Module(path, name, tuple(statements))


def _one_by_one(node: ast.stmt) -> list[ast.stmt]:
    """An import of several names as one import each, so that each counts on its own."""
    if isinstance(node, ast.Import):
        return [ast.Import([alias], lineno=node.lineno) for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [
            ast.ImportFrom(node.module, [alias], node.level, lineno=node.lineno)
            for alias in node.names
        ]
    return [node]


def _without_comments(text: str) -> str:
    """The text without comments."""
    lines = text.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(lines)


def _statement(node: ast.stmt, lines: list[str] | None) -> Statement:
    """The statement; ``lines`` is its module's text, None if its text must be generated."""
    decorators = getattr(node, "decorator_list", ())
    first = min([node.lineno, *(inner.lineno for inner in decorators)])
    last = node.end_lineno or node.lineno
    if lines is None:
        text = ast.unparse(node)
    else:
        text = "\n".join(line.rstrip() for line in lines[first - 1 : last] if line.strip())
    reads, declared = _names(node)
    inside = list(ast.walk(node))
    plain = isinstance(node, (*Definition.__args__, ast.Import, ast.ImportFrom))
    assigns = isinstance(node, (ast.Assign, ast.AnnAssign)) and _only_names(node)
    return Statement(
        text=text,
        binds=frozenset(_bound(node) | declared),
        reads=frozenset(reads),
        imports=tuple(inner for inner in inside if isinstance(inner, (ast.Import, ast.ImportFrom))),
        acts=not (plain or assigns or _is_idle(node)),
        calls=assigns and any(isinstance(inner, ast.Call) for inner in inside),
        literals=tuple(
            inner.value
            for inner in inside
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
        ),
        lines=(first, last),
    )


def _names(node: ast.stmt) -> tuple[set[str], set[str]]:
    """Names of the module that the statement reads, and those that a function in it assigns."""
    top = symtable.symtable(ast.unparse(node), "statement", "exec")
    reads = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    declared: set[str] = set()
    for scope in _scopes(top):
        for symbol in scope.get_symbols():
            if symbol.is_global():
                reads.add(symbol.get_name())
                if symbol.is_assigned():
                    declared.add(symbol.get_name())
    return reads, declared


def _scopes(scope: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in scope.get_children():
        yield child
        yield from _scopes(child)


def _bound(node: ast.stmt) -> set[str]:
    """Names that the statement assigns in its module."""
    if isinstance(node, Definition.__args__):
        return {node.name}
    names: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            names.add(inner.id)
        elif isinstance(inner, Definition.__args__):
            names.add(inner.name)
        elif isinstance(inner, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in inner.names}
    return names


def _only_names(node: ast.Assign | ast.AnnAssign) -> bool:
    """Whether it assigns only plain names, and no attributes or items."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return all(
        isinstance(inner, (ast.Name, ast.Tuple, ast.List, ast.Starred, ast.Store, ast.Load))
        for target in targets
        for inner in ast.walk(target)
    )


def _is_idle(node: ast.stmt) -> bool:
    """Whether it is a docstring, ``pass``, or code for scripts or type checkers only."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        tested = ast.unparse(node.test)
        return tested in ("TYPE_CHECKING", "typing.TYPE_CHECKING") or tested.startswith(
            "__name__ =="
        )
    return isinstance(node, ast.Pass)


@functools.lru_cache(maxsize=256)
def _data_names(module: Module) -> frozenset[str]:
    """Names of the module for values, not for classes, functions or modules."""
    return frozenset(
        name
        for statement in module.statements
        if not statement.imports
        and not statement.text.startswith(("def ", "class ", "async ", "@"))
        for name in statement.binds
    )


def _targets(
    module: Module, node: ast.Import | ast.ImportFrom
) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Modules of an import statement, with the imported names; None = all names."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, None
        return
    name = node.module or ""
    if node.level:
        parents = module.name.split(".")
        kept = len(parents) - node.level + (1 if module.is_package else 0)
        name = ".".join([*parents[: max(kept, 0)], *([node.module] if node.module else [])])
    names = frozenset(alias.name for alias in node.names)
    yield name, None if "*" in names else names


@functools.lru_cache(maxsize=1024)
def _spec_path(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin and Path(spec.origin).is_file() else None


def _path_of(name: str) -> Path | None:
    """The file of a module, loaded or found by Python's search."""
    loaded = getattr(sys.modules.get(name), "__file__", None)
    return Path(loaded) if isinstance(loaded, str) else _spec_path(name)


def _is_submodule(package: str, name: str) -> bool:
    path = _path_of(package)
    if path is None or path.name != "__init__.py":
        return False
    return (path.parent / f"{name}.py").is_file() or (path.parent / name / "__init__.py").is_file()


def is_data_file(path: Path) -> bool:
    """Whether it is an existing file other than Python source."""
    try:
        return path.suffix not in (".py", ".pyc") and path.is_file()
    except (OSError, ValueError):  # not a valid file name
        return False
