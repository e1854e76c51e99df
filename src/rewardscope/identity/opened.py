"""Records the files that a user's own code opens while it is loaded and tried: undeclared data."""

import contextlib
import glob
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from rewardscope.identity.places import is_project_file

LONGEST_PATH = 1024
_watching = False
_hooked = False
Opened = Mapping[str, Sequence[tuple[int, str]]]
"""Source file -> (line that opened it, file)."""
_opened: dict[str, set[tuple[int, str]]] = defaultdict(set)


@contextlib.contextmanager
def watching() -> Iterator[None]:
    """A context that records every file a project's Python code opens, for :func:`opened_by`.

    Readers that are not written in Python, such as Polars', open files unseen. So a file also
    counts when project code passes its name to somebody else's function.
    """
    global _watching, _hooked
    if not _hooked:
        sys.addaudithook(_note)
        _hooked = True
    before, _watching = _watching, True
    profile = sys.getprofile()
    sys.setprofile(_passed)
    try:
        yield
    finally:
        sys.setprofile(profile)
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
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and not is_project_file(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is not None:
        _record(frame, path)


def _record(frame: FrameType, path: Path) -> None:
    """Records that the project's code in this frame reads the file, if it is one."""
    if path.suffix in (".py", ".pyc") or not path.is_file():
        return
    resolved = path.resolve()
    if resolved.parts[1:2] not in (("proc",), ("sys",), ("dev",)):
        source = str(Path(frame.f_code.co_filename).resolve())
        _opened[source].add((frame.f_lineno, str(resolved)))


def _passed(frame: FrameType, event: str, _: object) -> None:
    """Records the files that project code names to a function that is not the project's."""
    caller = frame.f_back
    if event != "call" or caller is None or not is_project_file(caller.f_code.co_filename):
        return
    if is_project_file(frame.f_code.co_filename):
        return
    for value in _arguments(frame):
        for path in _paths_in(value):
            _record(caller, path)


def _arguments(frame: FrameType) -> Iterator[object]:
    """What the function was called with, a list or mapping of arguments item by item."""
    for value in frame.f_locals.values():
        if isinstance(value, Mapping):
            yield from value.values()
        elif isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def _paths_in(value: object) -> Iterator[Path]:
    """Files that a text or path may mean; none for a text that is too long or says too much."""
    if not isinstance(value, (str, os.PathLike)):
        return
    text = os.fspath(value)
    if not isinstance(text, str) or len(text) > LONGEST_PATH or not set(text).isdisjoint("\n\0{"):
        return
    with contextlib.suppress(OSError, ValueError):  # no name that a file could have
        if "*" in text:
            yield from map(Path, glob.glob(text))
        elif "." in text or os.sep in text:
            yield Path(text)
