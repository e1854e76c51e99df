"""Where things lie in a run directory, which cells there are, and how far each is
(docs/run-directory.md).
"""

import contextlib
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rewardscope.codec import signature
from rewardscope.errors import RunDirectoryError
from rewardscope.identity import file_digest
from rewardscope.store.files import (
    not_written,
    read_json,
    read_sealed_json,
    sync_folder,
    write_json,
    write_sealed_json,
)
from rewardscope.store.locks import held, is_held
from rewardscope.store.looks import LOOKS, Look, look_at, looks_after, plain, read_looks
from rewardscope.store.seals import (
    COMPLETE,
    SEAL,
    TRACEBACK,
    damaged_files,
    new_seal,
    read_seal,
    write_seal,
)
from rewardscope.store.steps import StepTable
from rewardscope.store.tables import read_gaps, read_measurements, read_verdicts, write_gaps
from rewardscope.types import Gap, Measurement, Verdict

RECORD = ("name", "arms", "seeds", "claims")
"""What study.json must hold to be read at all; and of each arm:"""
ARM_RECORD = ("name", "cells", "base_cell")
GAPS = "gaps.json"
VERDICTS_FILE = "verdicts.json"
STATES = ("owed", "running", "done", "failed")
SEALED = "seal"
"""Where status.json holds the digest of the seal, so that a seal that is gone is missed."""
ASIDE = "superseded"
"""Folder of the cells that an edit of the study made stale."""


def measuring_signature(record: Mapping[str, Any]) -> str:
    """Hash of what turns a trained policy into rows, from what study.json says of it: change it and
    cells are measured again.
    """
    measured = {name: record.get(name) for name in ("evaluation", "probes", "version")}
    made_of = {"made_of": record["made_of"]} if record.get("made_of") else {}
    return signature(measured | made_of)


@dataclass(frozen=True)
class CellDirectory:
    """One cell on disk."""

    path: Path

    def step_file(self, kind: str, step: int) -> Path:
        """Path of a per-step table: kind is rollouts, evaluation or readings."""
        return self.path / kind / f"step_{step:06d}.parquet"

    def checkpoint(self, step: int) -> Path:
        """Path of the checkpoint after ``step`` updates."""
        return self.path / "checkpoints" / f"step_{step:06d}"

    def checkpoints(self) -> list[int]:
        """Steps of the finished checkpoints, first to last."""
        names = [p.parent.name for p in self.path.glob(f"checkpoints/step_*/{COMPLETE}")]
        steps = [name.removeprefix("step_") for name in names]
        return sorted(int(step) for step in steps if step.isdecimal())  # others are being written

    @property
    def measurements(self) -> Path:
        """Path of the measurement table."""
        return self.path / "measurements.parquet"

    def gaps(self) -> list[Gap]:
        """What its instruments could not measure, and why.

        Raises:
            RunDirectoryError: If that cannot be read.
        """
        return read_gaps(self.path / GAPS)

    def write_gaps(self, gaps: Sequence[Gap]) -> None:
        """Replaces what could not be measured."""
        write_gaps(self.path / GAPS, gaps)

    def status(self) -> dict[str, Any]:
        """State (owed, running, done, failed, or unreadable: then a run goes on from what else is
        there), step, and the reason. Of a sealed cell, what its seal says.
        """
        written = self._written_status()
        try:
            seal = read_seal(self.path)
        except RunDirectoryError as error:
            return {"state": "unreadable", "step": 0, "reason": str(error)}
        if seal is not None and seal.measured is not None:
            return {"state": "done", "step": seal.step, "measured": seal.measured}
        if written["state"] == "done" and SEALED in written:
            reason = f"it was done, and its {SEAL} is gone: run the study again"
            return {"state": "unreadable", "step": 0, "reason": reason}
        return written

    def _written_status(self) -> dict[str, Any]:
        """What status.json says."""
        file = self.path / "status.json"
        if not file.is_file():
            if not file.exists():
                return {"state": "owed", "step": 0}
            return {"state": "unreadable", "step": 0, "reason": f"{file} is not a file"}
        try:
            written = read_json(file)
        except RunDirectoryError as error:
            return {"state": "unreadable", "step": 0, "reason": str(error)}
        if (
            isinstance(written, dict)
            and written.get("state") in STATES
            and isinstance(written.get("step"), int)
        ):
            return written
        return {
            "state": "unreadable",
            "step": 0,
            "reason": f"{file} says neither a state nor a step",
        }

    def measured_under(self, measuring: str) -> dict[str, Any] | None:
        """Its status if it is done and its rows were made under this :func:`measuring_signature`;
        None where they are older, or none.
        """
        status = self.status()
        return status if status["state"] == "done" and status.get("measured") == measuring else None

    def write_status(self, state: str, step: int, **more: Any) -> None:
        """Replaces the status atomically. A cell that is no longer done loses its seal, but for
        what training made.
        """
        if state != "done":
            self._break_seal()
        write_json(self.path / "status.json", {"state": state, "step": step, **more})

    def sealed_as(self, name: str, measured: str) -> bool:
        """Whether its seal is of this name, which it may get yet, and this measuring signature."""
        try:
            seal = read_seal(self.path, name)
        except RunDirectoryError:
            return False
        return seal is not None and seal.measured == measured

    @property
    def is_sealed(self) -> bool:
        """Whether it is done, and its files have digests."""
        try:
            seal = read_seal(self.path)
        except RunDirectoryError:
            return False
        return seal is not None and seal.measured is not None

    def finish(self, step: int, measured: str, name: str = "") -> None:
        """Seals what there is and says that the cell is done.

        Args:
            step: Updates behind the policy that was measured.
            measured: The :func:`measuring_signature` its rows were made under.
            name: Under which it will go; empty = the one that it has.
        """
        try:
            before = read_seal(self.path)
        except RunDirectoryError:  # damaged: what training made is taken as it is
            before = None
        seal = new_seal(self.path, step, measured, before)
        write_seal(self.path, replace(seal, cell=name or seal.cell))
        self.forget_traceback()
        self.write_status("done", step, measured=measured, **{SEALED: self._seal_digest()})

    def mended_status(self) -> dict[str, Any] | None:
        """What status.json should hold, where that is not what its seal says; None where it is."""
        if not self.is_sealed:
            return None
        wanted = self.status() | {SEALED: self._seal_digest()}
        return None if self._written_status() == wanted else wanted

    def _seal_digest(self) -> str:
        return file_digest(self.path / SEAL)

    def damaged(self, *, trained: bool) -> list[str]:
        """Names of files that are not what the seal says; the seal's own where that is damaged.

        Args:
            trained: Whether to look at what training made as well.
        """
        try:
            return damaged_files(self.path, trained=trained)
        except RunDirectoryError:
            return [SEAL]

    def _break_seal(self) -> None:
        try:
            seal = read_seal(self.path)
        except RunDirectoryError:
            self.forget_seal()
            return
        if seal is not None and seal.measured is not None:
            write_seal(self.path, seal.of_training())

    def forget_traceback(self) -> None:
        """Removes the traceback of an attempt that failed before the cell was done."""
        path = self.path / TRACEBACK
        if path.exists():
            path.unlink()

    def forget_seal(self) -> None:
        """Removes the seal: what it speaks of is about to be made anew."""
        path = self.path / SEAL
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    @property
    def step_table(self) -> StepTable:
        """A row per training step."""
        return StepTable(self.path)

    def steps(self) -> list[dict[str, Any]]:
        """The step rows written so far."""
        table = self.step_table.read()
        return [] if table is None else table.to_dicts()

    def write_steps(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replaces the step table."""
        self.step_table.replace(rows)

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Holds the cell for this process; the operating system lets go when the process ends,
        however it ends.

        Raises:
            InUse: If another process holds it.
        """
        return held(self.path, "Another process is working on this cell")

    @property
    def is_held(self) -> bool:
        """Whether somebody is working on it."""
        return is_held(self.path)


def _has(value: object, names: Sequence[str]) -> bool:
    return isinstance(value, Mapping) and all(name in value for name in names)


@dataclass(frozen=True)
class RunDirectory:
    """One study on disk."""

    root: Path

    def record(self) -> dict[str, Any]:
        """What study.json holds.

        Raises:
            RunDirectoryError: If there is none, or it describes no study.
        """
        file = self.root / "study.json"
        again = (
            f"Run it again with `rewardscope run STUDY --out {self.root}`, STUDY being its Python "
            "file: study.json is made again, and finished cells are kept"
        )
        if not file.is_file():
            raise RunDirectoryError(
                "There is no run here",
                value=f"{self.root}: "
                f"{'no study.json in it' if self.root.is_dir() else 'no such folder'}",
                allowed="a folder that `rewardscope run` made",
                do=again if self.cells() else "Give the run directory, such as runs/NAME",
            )
        try:
            found = read_sealed_json(file)
        except RunDirectoryError as error:
            raise RunDirectoryError(error.what, value=error.value, do=again) from error
        if (
            not _has(found, RECORD)
            or not isinstance(found["arms"], list)
            or not all(_has(arm, ARM_RECORD) for arm in found["arms"])
        ):
            raise RunDirectoryError(
                "study.json does not describe a study",
                value=file,
                allowed=f"an object with {', '.join(RECORD)}; of each arm {', '.join(ARM_RECORD)}",
                do=again,
            )
        return dict(found)

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Writes study.json, sealed."""
        write_sealed_json(self.root / "study.json", record)

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Holds the run for this process, as a cell is held.

        Raises:
            InUse: If another process holds it.
        """
        return held(self.root, "Another process is running a study in this directory")

    @property
    def is_held(self) -> bool:
        """Whether a study is running there."""
        return is_held(self.root)

    def cell(self, name: str) -> CellDirectory:
        """The directory of one cell."""
        return CellDirectory(self.root / "cells" / name)

    def cells(self) -> list[CellDirectory]:
        """Every cell directory there is, by name."""
        return [CellDirectory(path) for path in sorted(self.root.glob("cells/*")) if path.is_dir()]

    def cells_aside(self) -> list[CellDirectory]:
        """Cells that an edit of the study made stale, by name."""
        return [CellDirectory(path) for path in sorted((self.root / ASIDE).glob("*"))]

    def set_aside(self, name: str) -> None:
        """Moves a stale cell to where nothing reads it."""
        self._move(self.cell(name).path, self.root / ASIDE / name)

    def bring_back(self, name: str) -> None:
        """Moves a cell that is asked for again to where it was."""
        self._move(self.root / ASIDE / name, self.cell(name).path)

    def rename(self, name: str, new_name: str) -> None:
        """Gives a cell another name."""
        self._move(self.cell(name).path, self.cell(new_name).path)

    def _move(self, path: Path, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():  # set aside before, then made again: the newer one is kept
                shutil.rmtree(target)
            path.rename(target)
            sync_folder(target.parent)
            sync_folder(path.parent)
        except OSError as error:
            raise not_written(target, error) from error

    def account(self, expected: Sequence[str], edited: Sequence[str] = ()) -> None:
        """Checks that every cell on disk belongs to the study, or did before it was edited.

        Raises:
            RunDirectoryError: With the list of those that do not.
        """
        strangers = sorted({cell.path.name for cell in self.cells()} - {*expected, *edited})
        if strangers:
            raise RunDirectoryError(
                f"{self.root} holds cells that this study cannot account for",
                value=", ".join(strangers),
                allowed="cells of the arms and seeds of this study",
                do="They are of another study, or of arms or seeds that this one had before: "
                "choose another --out, or move them away",
            )

    def _measured_cells(self, without: Collection[str]) -> list[CellDirectory]:
        measuring = measuring_signature(read_sealed_json(self.root / "study.json"))
        return [
            cell
            for cell in self.cells()
            if cell.path.name not in without and cell.measured_under(measuring)
        ]

    def measurements(
        self, without: Collection[str] = (), metrics: Collection[str] | None = None
    ) -> list[Measurement]:
        """The measurement rows of the study as study.json describes it; a cell that has yet to be
        measured so has none.

        Args:
            without: Names of cells to leave out.
            metrics: Whose rows; None = all.

        Raises:
            RunDirectoryError: If there is no readable study.json, or a file of rows is gone or
                damaged.
        """
        return [
            row
            for cell in self._measured_cells(without)
            for row in read_measurements(cell.measurements, metrics)
        ]

    def gaps(self, without: Collection[str] = ()) -> list[Gap]:
        """What could not be measured, of the cells whose rows :meth:`measurements` gives.

        Raises:
            RunDirectoryError: If there is no readable study.json, or a file of gaps is damaged.
        """
        return [gap for cell in self._measured_cells(without) for gap in cell.gaps()]

    def made_from(self) -> dict[str, str]:
        """What verdicts are made of: the digests of the claims and of each table of rows, by its
        path, as the cells' seals have them.
        """
        record = read_sealed_json(self.root / "study.json")
        sources = {"claims": signature(record.get("claims"))}
        for cell in self._measured_cells(()):
            with contextlib.suppress(RunDirectoryError):
                seal = read_seal(cell.path)
                digest = seal.files.get(cell.measurements.name) if seal else None
                if digest is not None:
                    sources[cell.measurements.relative_to(self.root).as_posix()] = digest
        return sources

    def write_verdicts(
        self, verdicts: Sequence[Verdict], without: Collection[str] = (), headline: str = ""
    ) -> None:
        """Writes verdicts.json with the digests of what they were made from.

        Args:
            verdicts: One per claim.
            without: Names of cells that were left out.
            headline: The answer that follows from them, in words.
        """
        left_out = tuple(f"cells/{name}/" for name in without)
        sources = {
            name: digest
            for name, digest in self.made_from().items()
            if not name.startswith(left_out or ("\0",))
        }
        record = {
            "made_from": sources,
            "headline": headline,
            LOOKS: plain(looks_after(self.looks(), self._look(without))),
            "verdicts": list(verdicts),
        }
        write_sealed_json(self.root / VERDICTS_FILE, record)

    def looks(self) -> list[Look]:
        """The looks at its verdicts so far."""
        return read_looks(self.root / VERDICTS_FILE)

    def _look(self, without: Collection[str]) -> Look | None:
        try:
            record = self.record()
        except RunDirectoryError:  # rows that came without a study have no arms to be done
            return None
        names = [name for arm in record["arms"] for name in arm["cells"].values()]
        done = [n for n in names if n not in without and self.cell(n).status()["state"] == "done"]
        return look_at(record, done)

    def verdicts(self) -> list[Verdict]:
        """The verdicts, once there are some."""
        return read_verdicts(self.root / VERDICTS_FILE)
