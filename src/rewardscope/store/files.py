"""Files that are there whole or not at all, whenever the process is killed."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rewardscope.codec import encode
from rewardscope.errors import RunDirectoryError

SELF = "seal"
"""Name under which a sealed record holds the digest of the rest."""
PARTIAL = ".partial"
"""Ending of files and folders that are being written."""
CANNOT_WRITE = {
    errno.ENOSPC: "Free some space",
    errno.EDQUOT: "Free some space",
    errno.EISDIR: "A folder stands where a file should be: move it away",
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
    errno.EEXIST: "A file stands where a folder should be: choose another place",
    errno.ENOTDIR: "A file stands where a folder should be: choose another place",
    errno.EACCES: "Choose a place where you may write",
    errno.EPERM: "Choose a place where you may write",
    errno.EROFS: "Choose a place where you may write",
}
"""What the operating system says -> what to do."""


def write_bytes(path: Path, data: bytes) -> None:
    """Puts the bytes at the path whole or not at all: a temporary file beside it, flushed to disk,
    then renamed.

    Raises:
        RunDirectoryError: If the disk is full or the place cannot be written; with what is the
            matter.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL, delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        if path.is_dir():  # nothing of ours; one that holds something stays, and is told
            with contextlib.suppress(OSError):
                path.rmdir()
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):  # a disk that takes no write may take no removal
                temporary.unlink(missing_ok=True)
        raise not_written(path, error) from error


def sync_folder(folder: Path) -> None:
    """Flushes the folder's entries to disk: a rename in it then outlives a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Flushes the file's bytes to disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed process was writing; the caller holds the folder."""
    for parent, folders, names in os.walk(folder):
        for name in list(folders):
            if name.endswith(PARTIAL):
                shutil.rmtree(Path(parent, name), ignore_errors=True)
                folders.remove(name)
        for name in names:
            if name.startswith(".") and name.endswith(PARTIAL):
                with contextlib.suppress(OSError):  # it is in nobody's way
                    Path(parent, name).unlink()


def not_written(path: Path, error: OSError) -> RunDirectoryError:
    """What to tell of a place that cannot be written."""
    remedy = CANNOT_WRITE.get(error.errno or 0, "Free some space or choose another place")
    return RunDirectoryError(
        "A file of the run could not be written",
        value=f"{path}: {error.strerror or error}",
        do=f"{remedy}, then run again",
    )


def write_json(path: Path, value: object) -> None:
    """Writes the value as indented JSON with sorted keys, whole or not at all."""
    write_bytes(
        path,
        (json.dumps(encode(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode(),
    )


def read_json(path: Path) -> Any:
    """The JSON at the path.

    Raises:
        RunDirectoryError: If it is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    # not JSON, not even text, or nested a thousand deep
    except (OSError, ValueError, RecursionError) as error:
        raise RunDirectoryError(
            "A file of the run cannot be read",
            value=f"{path}: {error}",
            do="Run the study again; finished cells are kept",
        ) from error


def write_sealed_json(path: Path, record: Mapping[str, Any]) -> None:
    """Writes the record with the SHA-256 of its content under ``seal``."""
    plain = json.loads(json.dumps(encode(dict(record))))
    write_json(path, plain | {SELF: content_digest(plain)})


def read_sealed_json(path: Path) -> Any:
    """The JSON at the path, checked against the seal in it; what was written before there were
    seals has none.

    Raises:
        RunDirectoryError: If it is missing, not JSON, or not what was written.
    """
    record = read_json(path)
    if isinstance(record, dict) and SELF in record and record[SELF] != content_digest(record):
        raise RunDirectoryError(
            "A file of the run is not what was written: it was edited or damaged",
            value=path,
            do="Run the study again; finished cells are kept",
        )
    return record


def content_digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of the record without its seal."""
    content = {name: value for name, value in record.items() if name != SELF}
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
