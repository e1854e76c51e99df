"""Seals: what a finished checkpoint and a finished cell hold, by SHA-256, so that whatever is read
from them is what was written.

A checkpoint's ``.complete`` has the digests of its files. A cell's ``seal.json`` has the cell's
name, the digests of all its files, and of each checkpoint the digest of its ``.complete``; it is
written last, when the cell becomes done.
"""

import contextlib
import functools
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rewardscope.errors import CheckpointError, ComponentError, RunDirectoryError
from rewardscope.identity import file_digest
from rewardscope.store.files import (
    PARTIAL,
    SELF,
    content_digest,
    read_json,
    sync_file,
    sync_folder,
    write_json,
    write_sealed_json,
)

COMPLETE = ".complete"
SEAL = "seal.json"
TRACEBACK = "traceback.txt"
UNSEALED = {SEAL, "status.json", ".lock", TRACEBACK}
"""Files of a cell that change without its results changing."""
OF_TRAINING = ("steps.parquet", "rollouts/", "heldout/", "evolve/", "checkpoints/")
"""How the names of files begin that only training makes; the others are made by measuring."""
AGAIN = "Run the study again: what was measured is measured again"
TRAIN_AGAIN = "Delete the folder {cell} and run the study again: the cell is trained again"


@dataclass(frozen=True)
class Seal:
    """What a finished cell consists of."""

    cell: str
    """Its name, so that one cell's files in the place of another's are seen."""
    step: int
    """Updates behind the policy that was measured."""
    measured: str | None
    """Signature of what its rows were made under; None = trained, and being measured again."""
    files: Mapping[str, str]
    """SHA-256 by path in the cell."""

    def of_training(self) -> "Seal":
        """The seal without what measuring made."""
        kept = {name: each for name, each in self.files.items() if name.startswith(OF_TRAINING)}
        return Seal(self.cell, self.step, None, kept)


def write_seal(folder: Path, seal: Seal) -> None:
    """Writes the cell's seal."""
    write_sealed_json(folder / SEAL, asdict(seal))


def read_seal(folder: Path, cell: str = "") -> Seal | None:
    """The cell's seal; None where there is none.

    Args:
        folder: The cell's.
        cell: Name that must be in it; empty = the folder's.

    Raises:
        RunDirectoryError: If it is damaged, or another cell's.
    """
    file = folder / SEAL
    try:
        state = file.stat()
    except OSError:
        return None
    name = cell or folder.resolve().name
    return _read_seal(file, name, state.st_size, state.st_mtime_ns, state.st_ino)


@functools.lru_cache(maxsize=4096)
def _read_seal(file: Path, cell: str, *_stamp: int) -> Seal:
    """Remembered while the file is the same: progress asks twice a second."""
    try:
        record = read_json(file)
        seal = Seal(record["cell"], record["step"], record["measured"], record["files"])
        whole = record[SELF] == content_digest(record)
    except (RunDirectoryError, KeyError, TypeError, ValueError):
        whole = False
    if not whole or seal.cell != cell:
        raise RunDirectoryError(
            "The seal of a cell is another cell's" if whole else "The seal of a cell is damaged",
            value=file,
            do=AGAIN,
        )
    return seal


def new_seal(folder: Path, step: int, measured: str, before: Seal | None) -> Seal:
    """The seal of the cell's files as they are; what training made keeps its digests of before."""
    kept = before.of_training().files if before is not None else {}
    files = {
        name: kept[name] if name in kept else file_digest(folder / name)
        for name in sealable(folder)
    }
    return Seal(folder.resolve().name, step, measured, files)


def sealable(folder: Path) -> list[str]:
    """Files of a cell that its seal covers: of a checkpoint, what holds its digests."""
    names = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.endswith(PARTIAL))
        inside = Path(parent).relative_to(folder)
        if inside.parts[:1] == ("checkpoints",) and len(inside.parts) > 1:
            folders.clear()
            files = [name for name in files if name == COMPLETE]
        names += [(inside / name).as_posix() for name in files if not name.endswith(PARTIAL)]
    return sorted(set(names) - UNSEALED)


def check_sealed(path: Path) -> None:
    """Checks a file of a finished cell against the cell's seal; nothing is known of any other file.

    Raises:
        RunDirectoryError: If it is gone or not what was written, or the seal is damaged.
    """
    for folder in list(path.absolute().parents)[:3]:
        seal = read_seal(folder)
        if seal is not None:
            name = path.absolute().relative_to(folder).as_posix()
            if name in seal.files and not _is(path, seal.files[name]):
                raise not_as_written(folder, name)
            return


def not_as_written(folder: Path, name: str) -> RunDirectoryError:
    """What to tell of a cell's file that is not what its seal says."""
    path = folder / name
    return RunDirectoryError(
        f"A file of the run is {'not what was written' if path.exists() else 'gone'}",
        value=path,
        do=TRAIN_AGAIN.format(cell=folder) if name.startswith(OF_TRAINING) else AGAIN,
    )


_anew: ContextVar[bool] = ContextVar("anew", default=False)
"""Whether digests that are remembered do not count."""


@contextlib.contextmanager
def reading_anew() -> Iterator[None]:
    """Has every file read from the disk: one that decays there keeps its size and times."""
    token = _anew.set(True)
    try:
        yield
    finally:
        _anew.reset(token)


def _is(path: Path, digest: str) -> bool:
    """Whether the file has this SHA-256."""
    try:
        if not _anew.get():
            return file_digest(path) == digest
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except (ComponentError, OSError):  # gone, a folder, or cannot be read
        return False


def damaged_files(folder: Path, *, trained: bool) -> list[str]:
    """Names of the cell's files that are not what its seal says; none where it has no seal.

    Args:
        folder: The cell's.
        trained: Whether to look at what training made as well.

    Raises:
        RunDirectoryError: If the seal is damaged.
    """
    seal = read_seal(folder)
    return [
        name
        for name, digest in (seal.files if seal is not None else {}).items()
        if (trained or not name.startswith(OF_TRAINING)) and not _is(folder / name, digest)
    ]


def seal_directory(partial: Path, final: Path) -> None:
    """Turns a directory whose files are written into a finished checkpoint: digests into
    ``.complete``, everything flushed to disk, then one rename.
    """
    files = [
        path for path in sorted(partial.rglob("*")) if path.is_file() and path.name != COMPLETE
    ]
    for path in files:
        sync_file(path)
    digests = {path.relative_to(partial).as_posix(): file_digest(path) for path in files}
    write_json(partial / COMPLETE, digests)
    for folder in {path.parent for path in files}:
        sync_folder(folder)
    if final.exists():
        shutil.rmtree(final)
    partial.rename(final)
    sync_folder(final.parent)


def check_directory(directory: Path) -> None:
    """Checks every file of a finished checkpoint against its digest, and the digests against the
    seal of the cell, where it is done.

    Raises:
        CheckpointError: If the checkpoint is missing, unfinished, or a file is not what was
            written.
    """
    remedy = "Delete this directory and run the study again; it goes on from the checkpoint before"
    if not (directory / COMPLETE).is_file():
        raise CheckpointError(
            "A checkpoint is missing or was never finished", value=directory, do=remedy
        )
    try:
        check_sealed(directory / COMPLETE)
        digests = _digests(directory / COMPLETE)
    except RunDirectoryError as error:
        raise CheckpointError(
            "What a checkpoint's files should be cannot be read", value=error.value, do=remedy
        ) from error
    for name, digest in digests.items():
        if not _is(directory / name, digest):
            raise CheckpointError(
                "A checkpoint's file is not what was written", value=directory / name, do=remedy
            )


def _digests(file: Path) -> dict[str, str]:
    """What a ``.complete`` says.

    Raises:
        RunDirectoryError: If it says nothing of files.
    """
    record: Any = read_json(file)
    if not isinstance(record, dict) or not all(isinstance(each, str) for each in record.values()):
        raise RunDirectoryError("A checkpoint's digests are damaged", value=file, do="")
    return record


def check_own(folder: Path) -> None:
    """Checks a folder of weights if it is a checkpoint of ours; any other says nothing of itself.

    Raises:
        CheckpointError: If a file of it is not what was written.
    """
    if (folder / COMPLETE).is_file():
        check_directory(folder)
