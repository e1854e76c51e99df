"""The step table of a cell: a line a step while it trains, one Parquet table once it has."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from rewardscope.errors import RunDirectoryError
from rewardscope.store.files import not_written, write_bytes
from rewardscope.store.tables import read_table, write_table

Step = Mapping[str, Any]


@dataclass(frozen=True)
class StepTable:
    """The rows of a cell's steps.

    ``steps.jsonl`` grows by a line a step. When the last step is done it becomes ``steps.parquet``
    and goes. While both are there, which is so for a moment, the lines count.
    """

    folder: Path

    @property
    def finished(self) -> Path:
        """Path of the table once training is done."""
        return self.folder / "steps.parquet"

    @property
    def growing(self) -> Path:
        """Path of the lines while it trains."""
        return self.folder / "steps.jsonl"

    def begin(self, done: int) -> None:
        """Keeps the rows of the first ``done`` steps and no others; what comes next is appended to
        them.
        """
        kept = [row for row in self._stored() if row["step"] < done]
        write_bytes(self.growing, b"".join(map(_line, kept)))
        self.finished.unlink(missing_ok=True)

    def append(self, row: Step) -> None:
        """Adds a step's row, flushed to disk. A kill in the middle of it leaves a line without its
        end, which nobody reads and the next :meth:`begin` drops.

        Raises:
            RunDirectoryError: If the disk is full or the place cannot be written.
        """
        try:
            with self.growing.open("ab") as file:
                file.write(_line(row))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise not_written(self.growing, error) from error

    def finish(self) -> None:
        """Turns the lines into the table; nothing where that was done."""
        if self.growing.is_file():
            self.replace(self._stored())

    def replace(self, rows: Sequence[Step]) -> None:
        """Writes the table of these rows, and lets go of the lines."""
        write_table(self.finished, _frame(rows))
        self.growing.unlink(missing_ok=True)

    def read(self) -> pl.DataFrame | None:
        """The rows written so far, a column per number; None where there are none yet.

        Raises:
            RunDirectoryError: If they cannot be read.
        """
        if self.growing.is_file():
            rows = self._stored()
            return _frame(rows) if rows else None
        return read_table(self.finished) if self.finished.is_file() else None

    def _stored(self) -> list[dict[str, Any]]:
        """The rows as they were given."""
        if not self.growing.is_file():
            return read_table(self.finished).to_dicts() if self.finished.is_file() else []
        whole = self.growing.read_bytes().splitlines(keepends=True)
        try:
            return [json.loads(line) for line in whole if line.endswith(b"\n")]
        except ValueError as error:
            raise RunDirectoryError(
                "A table of the run cannot be read",
                value=f"{self.growing}: {error}",
                do="Delete its cell's folder and run the study again",
            ) from error


def _frame(rows: Sequence[Step]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)


def _line(row: Step) -> bytes:
    """The row as one line; every float comes back as the same bits."""
    return (json.dumps(row, default=_plain) + "\n").encode()


def _plain(number: Any) -> Any:
    """The Python number in an array's or a tensor's scalar."""
    return number.item()
