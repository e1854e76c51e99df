"""Files that are there whole or not at all, whenever the process is killed."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from rewardscope.codec import encode
from rewardscope.errors import CheckpointError, RunDirectoryError

COMPLETE = ".complete"
CANNOT_WRITE = {
    errno.ENOSPC: "Free some space",
    errno.EDQUOT: "Free some space",
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
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise not_written(path, error) from error


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
    except (OSError, ValueError) as error:  # not JSON, or not even text
        raise RunDirectoryError(
            "A file of the run cannot be read",
            value=f"{path}: {error}",
            do="Run the study again; finished cells are kept",
        ) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal_directory(partial: Path, final: Path) -> None:
    """Turns a directory whose files are written into a finished checkpoint: digests into
    ``.complete``, then one rename.
    """
    files = [
        path for path in sorted(partial.rglob("*")) if path.is_file() and path.name != COMPLETE
    ]
    write_json(
        partial / COMPLETE, {path.relative_to(partial).as_posix(): _digest(path) for path in files}
    )
    if final.exists():
        shutil.rmtree(final)
    partial.rename(final)


def check_directory(directory: Path) -> None:
    """Checks every file of a finished checkpoint against its digest.

    Raises:
        CheckpointError: If the checkpoint is missing, unfinished, or a file is not what was
            written.
    """
    remedy = "Delete this directory and run the study again; it goes on from the checkpoint before"
    if not (directory / COMPLETE).is_file():
        raise CheckpointError(
            "A checkpoint is missing or was never finished", value=directory, do=remedy
        )
    for name, digest in read_json(directory / COMPLETE).items():
        if not (directory / name).is_file() or _digest(directory / name) != digest:
            raise CheckpointError(
                "A checkpoint's file is not what was written", value=directory / name, do=remedy
            )
