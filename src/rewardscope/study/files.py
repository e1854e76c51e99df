"""Study files: Python that leaves a ``study`` behind."""

import importlib
import linecache
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from rewardscope.codec import decode
from rewardscope.errors import RewardscopeError, StudyError
from rewardscope.identity import (
    Opened,
    forget_opened,
    is_project_file,
    loaded_again,
    note_opened,
    watching,
)
from rewardscope.study.study import Study

NEEDED = {"claims": "(Claim(...),)", "seeds": "(0, 1, 2)", "arms": "(Arm(...), Arm(...))"}
"""What to write for a field that was left out."""


@dataclass(frozen=True)
class StudySource:
    """Where another process gets a study from."""

    file: Path | None
    """Python that leaves the study behind or, with ``encoded``, the classes that it is made of."""
    encoded: Mapping[str, Any] | None = None
    """The study as the codec writes it; None = the file's."""
    opened: Opened = field(default_factory=dict)
    """Data files that code is known to open, by source file: they are part of what names cells."""

    def load(self) -> Study:
        """The study.

        Raises:
            RewardscopeError: If it cannot be loaded here.
        """
        study = load_study(self.file) if self.file else None
        note_opened(self.opened)
        if self.encoded is not None:
            study = decode(self.encoded)
        assert isinstance(study, Study)
        return study


_loaded: dict[str, Path] = {}
"""Modules that the last study file brought, itself included, and their files."""
_folder: list[str] = []
"""The last study file's folder, as it stands in ``sys.path``."""


def module_name(path: Path) -> str:
    """What a study file's module is called, so that its classes have a name to be found by."""
    return f"rewardscope_study_{path.stem}"


def load_study(path: Path) -> Study:
    """The ``study`` of a Python file.

    The file may import its neighbours: its folder stands first in ``sys.path``, as it does for
    ``python FILE``, until another study is loaded. Loaded again, file and neighbours are read anew.

    Raises:
        StudyError: If the file does not import or leaves no study behind.
        RewardscopeError: If a component in it refused its fields.
    """
    if not path.is_file():
        raise StudyError(
            "There is no such study file",
            value=path,
            do="Give the path of a Python file that defines `study = Study(...)`",
        )
    if path.suffix != ".py":
        raise StudyError(
            "A study file is Python", value=path, allowed="a file that ends in .py", do="Rename it"
        )
    module = ModuleType(module_name(path))
    module.__file__ = str(path.resolve())
    try:
        with _fresh_imports(path), watching():
            sys.modules[module.__name__] = module
            # compiled from the text that is there now: bytecode is told stale by whole seconds
            exec(compile(path.read_bytes(), module.__file__, "exec"), module.__dict__)
    except RewardscopeError as error:
        error.where = error.where or _line_of(error, path)
        raise
    except Exception as error:  # a study file may fail in any way; the user gets one paragraph
        raise _not_imported(error, path) from error
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        others = [name for name, value in vars(module).items() if isinstance(value, Study)]
        line = "Define `study = Study(...)` in it"
        raise StudyError(
            "The study file leaves no study behind",
            value=f"{path}: study = {study!r}",
            allowed="a file whose `study` is a Study",
            do=f"Name it so: `study = {others[0]}`" if others else line,
            where=f"{path}, line {_given_at(others[0], path) if others else 1}",
        )
    return study


@contextmanager
def _fresh_imports(path: Path) -> Iterator[None]:
    """Lets go of what an earlier study file brought, and notes what this one brings."""
    forget_opened([path, *_loaded.values()])
    for name in _loaded:
        sys.modules.pop(name, None)
    for folder in _folder:
        if folder in sys.path:
            sys.path.remove(folder)
    _loaded.clear()
    importlib.invalidate_caches()
    linecache.checkcache()
    _folder[:] = [str(path.resolve().parent)]
    sys.path.insert(0, _folder[0])
    before, bytecode = set(sys.modules), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = bytecode
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and is_project_file(file):
                _loaded[name] = Path(file)
        loaded_again(_loaded.values())


def _not_imported(error: Exception, path: Path) -> StudyError:
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    misnamed = isinstance(error, (TypeError, NameError, ImportError)) and not isinstance(
        error, ModuleNotFoundError
    )
    return StudyError(
        "The study file does not import",
        value=f"{type(error).__name__}: {what}",
        allowed="known components with the fields that `rewardscope methods` lists"
        if misnamed
        else "Python that runs from top to bottom",
        do=_advice(error),
        where=_line_of(error, path),
    )


def _line_of(error: Exception, path: Path) -> str:
    """File and line of a mistake: where the text is no Python, or the last line of the study file
    that was run.
    """
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}"
    own = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    caller = f", called from line {own[-2]}" if len(own) > 1 else ""
    return f"{path}, line {own[-1]}{caller}" if own else str(path)


def _advice(error: Exception) -> str:
    """What to do about an error of Python's, as far as it can be told."""
    if isinstance(error, ModuleNotFoundError):
        return (
            f"Correct the name of '{error.name}', or install what has it; modules beside the study "
            "file are found"
        )
    lacking = re.match(r"(\w+)\.__init__\(\) missing .* arguments?: (.*)", str(error))
    if lacking:
        names = re.findall(r"'(\w+)'", lacking[2])
        lines = ", ".join(f"{name}={NEEDED.get(name, '...')}" for name in names)
        return f"Write {lacking[1]}(..., {lines})"
    return "Correct that line"


def _given_at(name: str, path: Path) -> int:
    """The line on which the name is given a value."""
    lines = enumerate(path.read_text().splitlines(), 1)
    return next((number for number, text in lines if re.match(rf"{name}\s*[:=]", text)), 1)
