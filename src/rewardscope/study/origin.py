"""Where a study and this package come from: commits, and copies of the sources that made a run."""

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rewardscope.identity import Part, file_digest
from rewardscope.store import write_bytes

SOURCES = "sources"
"""Folder of a run with a copy of every source file that made it, a folder for each version."""


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Commit and whether files differ from it; (None, None) outside a repository."""
    commit, changes = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "--porcelain")
    return commit, None if changes is None or commit is None else bool(changes)


def package_state() -> tuple[str | None, bool | None]:
    """The same of this package, where it runs from a checkout of its own: one that is installed
    into somebody's repository is not of that repository's commit.
    """
    folder = Path(__file__).parent
    tracked = _git(folder, "ls-files", "--error-unmatch", Path(__file__).name)
    return (None, None) if tracked is None else git_state(folder)


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def project_state(file: Path | None) -> dict[str, Any] | None:
    """The repository that a study file is of; None for a study without a file."""
    if file is None:
        return None
    folder = file.resolve().parent
    commit, dirty = git_state(folder)
    return {"folder": str(folder), "commit": commit, "dirty": dirty}


def keep_sources(file: Path | None, parts: Sequence[Part], root: Path) -> dict[str, Any]:
    """Copies the study file and every source that its components lead to into the run directory.

    Returns:
        What study.json says of them: the folder, the study file in it, SHA-256 by source file, and
        of the data files their path and SHA-256.

    Raises:
        RunDirectoryError: If they cannot be written.
    """
    sources = {Path(part.path) for part in parts if part.what.startswith("source ")}
    sources |= {file.resolve()} if file else set()
    data = {part.path: part.digest for part in parts if part.what.startswith("data ")}
    if not sources:
        return {"folder": None, "study": None, "files": {}, "data": data}
    above = Path(os.path.commonpath([path.parent for path in sources]))
    digests = {path.relative_to(above).as_posix(): file_digest(path) for path in sorted(sources)}
    version = hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()[:12]
    folder = root / SOURCES / version
    for name, digest in digests.items():
        if not (folder / name).is_file() or file_digest(folder / name) != digest:
            write_bytes(folder / name, (above / name).read_bytes())
    return {
        "folder": f"{SOURCES}/{version}",
        "study": file.resolve().relative_to(above).as_posix() if file else None,
        "files": digests,
        "data": data,
    }
