"""Where things lie in a run directory, which cells there are, and how far each is
(docs/run-directory.md).
"""

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardscope.codec import signature
from rewardscope.errors import RunDirectoryError
from rewardscope.store.files import COMPLETE, not_written, read_json, write_json
from rewardscope.store.locks import held, is_held
from rewardscope.store.steps import StepTable
from rewardscope.store.tables import read_gaps, read_measurements, read_verdicts, write_gaps
from rewardscope.types import Gap, Measurement, Verdict

RECORD = ("name", "arms", "seeds", "claims")
"""What study.json must hold to be read at all; and of each arm:"""
ARM_RECORD = ("name", "cells", "base_cell")
GAPS = "gaps.json"
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
        return sorted(
            int(p.parent.name.removeprefix("step_"))
            for p in self.path.glob(f"checkpoints/step_*/{COMPLETE}")
        )

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
        there), step, and the reason.
        """
        file = self.path / "status.json"
        if not file.is_file():
            return {"state": "owed", "step": 0}
        try:
            found = read_json(file)
        except RunDirectoryError as error:
            return {"state": "unreadable", "step": 0, "reason": str(error)}
        if (
            isinstance(found, dict)
            and isinstance(found.get("state"), str)
            and isinstance(found.get("step"), int)
        ):
            return found
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
        """Replaces the status atomically."""
        write_json(self.path / "status.json", {"state": state, "step": step, **more})

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
        if not file.is_file():
            raise RunDirectoryError(
                "There is no run here",
                value=f"{self.root}: "
                f"{'no study.json in it' if self.root.is_dir() else 'no such folder'}",
                allowed="a folder that `rewardscope run` made",
                do="Give the run directory, such as runs/NAME",
            )
        found = read_json(file)
        if (
            not _has(found, RECORD)
            or not isinstance(found["arms"], list)
            or not all(_has(arm, ARM_RECORD) for arm in found["arms"])
        ):
            raise RunDirectoryError(
                "study.json does not describe a study",
                value=file,
                allowed=f"an object with {', '.join(RECORD)}; of each arm {', '.join(ARM_RECORD)}",
                do="Delete it and run the study again: finished cells are kept",
            )
        return dict(found)

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

    def measurements(self) -> list[Measurement]:
        """All measurement rows of the study as study.json describes it; a cell that has yet to be
        measured so has none.

        Raises:
            RunDirectoryError: If there is no readable study.json, or a file of rows is gone.
        """
        measuring = measuring_signature(read_json(self.root / "study.json"))
        return [
            row
            for cell in self.cells()
            if cell.measured_under(measuring)
            for row in read_measurements(cell.measurements)
        ]

    def gaps(self) -> list[Gap]:
        """What could not be measured, of the cells whose rows :meth:`measurements` gives.

        Raises:
            RunDirectoryError: If there is no readable study.json, or a file of gaps is damaged.
        """
        measuring = measuring_signature(read_json(self.root / "study.json"))
        return [
            gap for cell in self.cells() if cell.measured_under(measuring) for gap in cell.gaps()
        ]

    def write_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Writes verdicts.json."""
        write_json(self.root / "verdicts.json", list(verdicts))

    def verdicts(self) -> list[Verdict]:
        """The verdicts, once there are some."""
        return read_verdicts(self.root / "verdicts.json")
