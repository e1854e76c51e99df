"""What of a run directory is not what was written, and what is older than what it was made from."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardscope.errors import CheckpointError, RewardscopeError
from rewardscope.store.directory import VERDICTS_FILE, CellDirectory, RunDirectory
from rewardscope.store.files import read_sealed_json
from rewardscope.store.seals import (
    AGAIN,
    COMPLETE,
    OF_TRAINING,
    TRAIN_AGAIN,
    check_directory,
    reading_anew,
)
from rewardscope.store.tables import read_verdicts

PAGE = "report.html"
PAGE_SEAL = re.compile(
    rb"<!-- study.json ([0-9a-f]{64}) verdicts.json ([0-9a-f]{64}|none) seal ([0-9a-f]{64}) -->\n\Z"
)
READ_BY_A_PAGE = "steps.parquet"


@dataclass(frozen=True)
class Fault:
    """A file that is not what it should be."""

    path: Path
    what: str
    do: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}. {self.do}."


def find_faults(run: RunDirectory) -> list[Fault]:
    """Everything that can be checked, read from the disk anew.

    Raises:
        RunDirectoryError: If there is no such folder, or nobody's run in it.
    """
    with reading_anew():
        return list(_all_faults(run))


def cell_faults(run: RunDirectory, *, trained: bool) -> dict[str, list[Fault]]:
    """By cell of the study, what is not what was written.

    Args:
        run: Where.
        trained: Whether to look at rollouts and weights too; otherwise at what is judged and shown.

    Raises:
        RunDirectoryError: If study.json cannot be read.
    """
    faults = {
        name: list(_of_cell(run.cell(name), trained=trained, absent=False))
        for name in _asked_for(run.record())
    }
    return {name: found for name, found in faults.items() if found}


def page_seal(page: bytes, study: str, verdicts: str | None) -> bytes:
    """The line that ends a page: the digests of what it was made from, and of the page."""
    digest = hashlib.sha256(page).hexdigest()
    return (
        f"<!-- study.json {study} verdicts.json {verdicts or 'none'} seal {digest} -->\n".encode()
    )


def _asked_for(record: Mapping[str, Any]) -> list[str]:
    """Names of the cells that study.json asks for."""
    names = {str(arm["base_cell"]): None for arm in record["arms"]}
    names |= {str(name): None for arm in record["arms"] for name in arm["cells"].values()}
    return list(names)


def _all_faults(run: RunDirectory) -> Iterator[Fault]:
    try:
        record = run.record()
    except RewardscopeError as error:
        if not run.cells():
            raise
        yield Fault(run.root / "study.json", error.what, error.do)
        record = {"arms": [], "sources": {}}
    for cell in [*run.cells(), *run.cells_aside()]:
        yield from _of_cell(cell, trained=True, absent=True)
    yield from _of_sources(run.root, record.get("sources") or {})
    if record["arms"]:
        yield from _of_verdicts(run)
        yield from _of_page(run.root)


def _of_cell(cell: CellDirectory, *, trained: bool, absent: bool) -> Iterator[Fault]:
    """What is wrong with a cell.

    Args:
        cell: Which.
        trained: Whether to look at what training made.
        absent: Whether a checkpoint that is gone with its folder is a fault: weights that nobody
            needs any more may be removed.
    """
    status = cell.status()
    if status["state"] == "unreadable":
        yield Fault(cell.path, str(status.get("reason")), AGAIN)
    names = cell.damaged(trained=True)
    for name in names:
        path = cell.path / name
        if not trained and name.startswith(OF_TRAINING) and name != READ_BY_A_PAGE:
            continue
        if not absent and path.name == COMPLETE and not path.parent.exists():
            continue
        what = "not what was written" if path.exists() else "gone"
        yield Fault(path, what, _remedy(cell, name))
    if trained:
        for step in cell.checkpoints():
            checkpoint = cell.checkpoint(step)
            if (checkpoint / COMPLETE).relative_to(cell.path).as_posix() not in names:
                yield from _of_checkpoint(cell, checkpoint)
    if absent and status["state"] == "done" and cell.mended_status() is not None:
        yield Fault(cell.path / "status.json", "not what the cell's seal says", AGAIN)


def _remedy(cell: CellDirectory, name: str) -> str:
    return TRAIN_AGAIN.format(cell=cell.path) if name.startswith(OF_TRAINING) else AGAIN


def _of_checkpoint(cell: CellDirectory, checkpoint: Path) -> Iterator[Fault]:
    try:
        check_directory(checkpoint)
    except CheckpointError as error:
        yield Fault(Path(str(error.value)), error.what, TRAIN_AGAIN.format(cell=cell.path))


def _of_sources(root: Path, sources: Mapping[str, Any]) -> Iterator[Fault]:
    """Copies of source files whose bytes are not those that made the run."""
    for name, digest in (sources.get("files") or {}).items():
        path = root / str(sources.get("folder")) / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield Fault(path, "not the source that made the run", AGAIN)


def _of_verdicts(run: RunDirectory) -> Iterator[Fault]:
    path, again = run.root / VERDICTS_FILE, f"Judge again with `rewardscope report {run.root}`"
    if not path.exists():
        if any(cell.status()["state"] == "done" for cell in run.cells()):
            yield Fault(path, "gone, or the claims were never judged", again)
        return
    try:
        read_verdicts(path)
        made_from = read_sealed_json(path)["made_from"]
    except (RewardscopeError, KeyError, TypeError) as error:
        yield Fault(path, getattr(error, "what", str(error)), again)
        return
    if made_from != run.made_from():
        yield Fault(path, "older than the claims or rows that it should be made from", again)


def _of_page(root: Path) -> Iterator[Fault]:
    path, again = root / PAGE, f"Make it again with `rewardscope report {root}`"
    try:
        page = path.read_bytes()
    except OSError as error:
        if (root / VERDICTS_FILE).exists():
            yield Fault(path, f"cannot be read: {error.strerror}", again)
        return
    end = PAGE_SEAL.search(page)
    if end is None or hashlib.sha256(page[: end.start()]).hexdigest() != end[3].decode():
        yield Fault(path, "not the page that was written", again)
        return
    for name, digest in (("study.json", end[1]), (VERDICTS_FILE, end[2])):
        file = root / name
        now = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "none"
        if now != digest.decode():
            yield Fault(path, f"made from another {name} than the one that is there", again)
