"""Locks on folders: one process at a time is at a run, and at each of its cells."""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rewardscope.errors import InUse
from rewardscope.store.files import not_written

LOCK = ".lock"
PATIENCE_SECONDS = 2.0
"""How long a lock is waited for: the workers of a killed run die a moment after it, and who looks
at a lock takes it for an instant.
"""


@contextlib.contextmanager
def held(folder: Path, otherwise: str) -> Iterator[None]:
    """Holds the folder's lock.

    Raises:
        InUse: If another process keeps it.
        RunDirectoryError: If there can be no such folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("w")
    except OSError as error:
        raise not_written(folder, error) from error
    with file:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise InUse(
                    otherwise,
                    value=folder,
                    do="Wait for it, or stop it, then run again: what is finished is kept",
                )
            time.sleep(0.05)
        yield


def is_held(folder: Path) -> bool:
    """Whether some process holds it."""
    try:
        with (folder / LOCK).open() as file:
            return not _locked(file, fcntl.LOCK_SH)
    except OSError:  # nobody was ever there
        return False


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
