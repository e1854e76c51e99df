"""Records the files that a user's own code opens while it is loaded and tried: undeclared data."""

import contextlib
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rewardscope.identity.places import is_project_file

_watching = False
_hooked = False
Opened = Mapping[str, Sequence[tuple[int, str]]]
"""Source file -> (line that opened it, file)."""
_opened: dict[str, set[tuple[int, str]]] = defaultdict(set)


@contextlib.contextmanager
def watching() -> Iterator[None]:
    """A context that records every file a project's Python code opens, for :func:`opened_by`.

    Readers that are not written in Python, such as Polars', open files unseen. Such files are known
    only from file names in the code, or because a component declares them.
    """
    global _watching, _hooked
    if not _hooked:
        sys.addaudithook(_note)
        _hooked = True
    before, _watching = _watching, True
    try:
        yield
    finally:
        _watching = before


def opened_by(source: Path, lines: Iterable[tuple[int, int]]) -> tuple[Path, ...]:
    """Existing files that code in these ranges of lines opened while it was watched."""
    noted = _opened.get(str(source), set())
    names = {name for line, name in noted for first, last in lines if first <= line <= last}
    return tuple(path for path in map(Path, sorted(names)) if path.is_file())


def opened_files() -> Opened:
    """All recorded files, to pass to another process."""
    return {source: sorted(notes) for source, notes in _opened.items()}


def note_opened(files: Opened) -> None:
    """Adds the files recorded by another process."""
    for source, notes in files.items():
        _opened[source] |= set(notes)


def forget_opened(sources: Iterable[Path]) -> None:
    """Removes the records of these source files, which are about to be loaded again."""
    for source in sources:
        _opened.pop(str(source.resolve()), None)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    global _watching
    if not _watching or event != "open":
        return
    path, mode, flags = arguments
    reads = "r" in mode if isinstance(mode, str) else int(str(flags)) & os.O_ACCMODE == os.O_RDONLY
    if not reads or not isinstance(path, (str, bytes)):
        return
    _watching = False  # the code below opens files of its own
    try:
        _attribute(Path(path.decode(errors="surrogateescape") if isinstance(path, bytes) else path))
    finally:
        _watching = True


def _attribute(path: Path) -> None:
    """Records the file for the innermost project code on the stack. All access to the same data,
    even through a cache, goes through that code.
    """
    if path.suffix in (".py", ".pyc") or not path.is_file():
        return
    resolved = path.resolve()
    if resolved.parts[1:2] in (("proc",), ("sys",), ("dev",)):
        return
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if is_project_file(name):
            _opened[str(Path(name).resolve())].add((frame.f_lineno, str(resolved)))
            return
        frame = frame.f_back  # type: ignore[assignment]
