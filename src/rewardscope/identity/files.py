"""Digests of files, computed once per version of a file."""

import contextlib
import functools
import hashlib
import json
import os
import tempfile
from pathlib import Path

from rewardscope.errors import ComponentError

KEPT_BYTES = 8 << 20
"""Digests of files of this size or more are cached on disk, so runs do not read models again."""

Stamp = tuple[int, int, int, int]
"""Size, time of the last change to the content and to the entry (ns), and inode."""


def cache_folder() -> Path:
    """The folder for cached files: in $XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rewardscope"


def file_digest(path: Path | str) -> str:
    """SHA-256 of a file's bytes in hex, cached while its size and times stay the same.

    Raises:
        ComponentError: If it is not a regular file, or cannot be read.
    """
    file = Path(path)
    try:
        if not file.is_file():
            raise FileNotFoundError(2, "no such file" if not file.exists() else "not a file")
        return _digest(str(file.resolve()), stamp_of(file))
    except OSError as error:
        raise ComponentError(
            "A file that a result depends on cannot be read",
            value=f"{file}: {error.strerror or error}",
            do="Check the path",
        ) from error


def stamp_of(file: Path) -> Stamp:
    """A stamp that changes with the file."""
    state = file.stat()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


@functools.cache
def _digest(path: str, stamp: Stamp) -> str:
    large = stamp[0] >= KEPT_BYTES
    kept = _kept(path, stamp) if large else None
    if kept is not None:
        return kept
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if large:
        _keep(path, stamp, digest)
    return digest


def _entry(path: str) -> Path:
    name = hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()[:24]
    return cache_folder() / "digests" / f"{name}.json"


def _kept(path: str, stamp: Stamp) -> str | None:
    try:
        entry = json.loads(_entry(path).read_text())
        same = entry["path"] == path and entry["stamp"] == list(stamp)
        return str(entry["sha256"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):  # not cached, or damaged: read the file
        return None


def _keep(path: str, stamp: Stamp, digest: str) -> None:
    entry = _entry(path)
    with contextlib.suppress(OSError):  # without a cache only time is lost
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=entry.parent, delete=False) as file:
            json.dump({"path": path, "stamp": list(stamp), "sha256": digest}, file)
        Path(file.name).replace(entry)
