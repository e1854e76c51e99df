"""Reads a run directory into the rows of the page; what cannot be read is listed as missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from rewardscope.codec import decode
from rewardscope.errors import RewardscopeError
from rewardscope.report.rows import (
    LABEL_NAMES,
    MEASUREMENT_COLUMNS,
    PASS_AT_K,
    PROBLEM_COLUMNS,
    ROW_COLUMNS,
    Arm,
    Cell,
    Missing,
    Run,
)
from rewardscope.section import Section, read_section
from rewardscope.store import CellDirectory, RunDirectory, measuring_signature, read_table
from rewardscope.types import Gap, Outcome, Verdict


def load_run(root: Path, judged: bool = True) -> Run:
    """The run in a directory, finished or not.

    Args:
        root: Of the run.
        judged: Whether to show its verdicts; not while it goes on, since they would be a look at
            part of the evidence.

    Raises:
        RunDirectoryError: If there is no readable study.json; everything else may be missing and is
            then listed.
    """
    directory = RunDirectory(root)
    study = directory.record()
    arms = arms_of(study)
    cells = _cells(directory, arms)
    verdicts, missing = _verdicts(directory, study, judged)
    tables = _Tables(directory, cells, measuring_signature(study))
    (whole, by_problem), gaps = tables.measurements(), tables.gaps()
    sections, unread = _sections(study)
    missing += unread
    last = pl.col("step") == pl.col("step").max().over("arm", "seed", "metric")
    return Run(
        root=root,
        study=study,
        arms=arms,
        cells=cells,
        verdicts=verdicts,
        steps=tables.steps(),
        measurements=whole.filter(last),
        problem_pass=by_problem.filter(last),
        missing=(*missing, *_unfinished(cells), *tables.missing),
        gaps=gaps,
        sections=sections,
        every_step=whole,
        looks=tuple(directory.looks()) if judged else (),
    )


def arms_of(study: Mapping[str, Any]) -> tuple[Arm, ...]:
    """The arms that study.json describes."""
    return tuple(_arm(entry) for entry in study["arms"])


def _arm(entry: Mapping[str, Any]) -> Arm:
    start = str(entry.get("start", ""))
    return Arm(
        name=str(entry["name"]),
        start=start,
        placebo=bool(entry.get("placebo", False)),
        base=str(entry.get("base", f"base:{start}")),
        base_cell=str(entry.get("base_cell", "")),
        cells={
            int(seed): str(name)
            for seed, name in sorted(entry.get("cells", {}).items(), key=lambda item: int(item[0]))
        },
        uses_truth={str(name): bool(used) for name, used in entry.get("uses_truth", {}).items()},
        config=entry.get("config") or {},
    )


def _cells(directory: RunDirectory, arms: Sequence[Arm]) -> tuple[Cell, ...]:
    named: dict[str, tuple[str, int | None]] = {
        arm.base_cell: (arm.base, None) for arm in arms if arm.base_cell
    }
    named |= {name: (arm.name, seed) for arm in arms for seed, name in arm.cells.items()}
    cells = []
    for name, (arm_name, seed) in named.items():
        status = directory.cell(name).status()
        reason, measured = str(status.get("reason") or ""), status.get("measured")
        cells.append(Cell(name, arm_name, seed, status["state"], status["step"], reason, measured))
    return tuple(cells)


def _unfinished(cells: Sequence[Cell]) -> list[Missing]:
    words = {"owed": "not begun", "running": "still running, or stopped"}
    return [
        Missing(
            f"cell {cell.name}",
            f"{words.get(cell.state, cell.state)} at step {cell.step}"
            + (f": {cell.reason}" if cell.reason else ""),
        )
        for cell in cells
        if cell.state != "done"
    ]


def _verdicts(
    directory: RunDirectory, study: Mapping[str, Any], judged: bool
) -> tuple[tuple[Verdict, ...], list[Missing]]:
    if not judged:
        reason = "claims are judged when the run has ended"
    elif (directory.root / "verdicts.json").is_file():
        try:
            return tuple(directory.verdicts()), []
        except (RewardscopeError, TypeError, ValueError) as error:
            reason = f"verdicts.json cannot be read: {error}"
    else:
        reason = "the claims have not been judged yet: there is no verdicts.json"
    try:
        claims = [decode(entry) for entry in study.get("claims", ())]
    except (RewardscopeError, TypeError, ValueError) as error:
        return (), [
            Missing("verdicts", reason),
            Missing("claims", f"the claims in study.json cannot be read: {error}"),
        ]
    waiting = tuple(
        Verdict(
            claim=claim,
            outcome=Outcome.NOT_RUN,
            estimate=None,
            lower=None,
            upper=None,
            unit="",
            interval="",
            num_seeds=0,
            num_problems=0,
            treatment_mean=None,
            control_mean=None,
            smallest_visible=None,
            evidence=(),
            reason=reason,
        )
        for claim in claims
    )
    return waiting, [Missing("verdicts", reason)]


def _sections(study: Mapping[str, Any]) -> tuple[tuple[Section, ...], list[Missing]]:
    """The sections in study.json, and those that cannot be read."""
    sections: list[Section] = []
    missing = []
    records = study.get("sections")
    for record in records if isinstance(records, list) else ():
        try:
            sections.append(read_section(record))
        except RewardscopeError as error:
            missing.append(Missing("a section of an instrument", str(error)))
    return tuple(sections), missing


@dataclass(slots=True)
class _Tables:
    """Reads the tables of all cells and notes those that are missing."""

    directory: RunDirectory
    cells: tuple[Cell, ...]
    measuring: str
    """Signature of the settings that rows must have been measured with."""
    missing: tuple[Missing, ...] = ()

    def _read(
        self, cell: Cell, path: Path, columns: Sequence[str] | None = None
    ) -> pl.DataFrame | None:
        """The table's columns, or None with a note; a cell that is not done owes nothing yet."""
        if not path.is_file():
            if cell.state == "done":
                self.missing = (
                    *self.missing,
                    Missing(
                        f"{path.name} of cell {cell.name}",
                        "the cell is done, but the file is missing",
                    ),
                )
            return None
        try:
            return read_table(path, columns)
        except RewardscopeError as error:
            self.missing = (
                *self.missing,
                Missing(f"{path.name} of cell {cell.name}", str(error)),
            )
            return None

    def _cell(self, cell: Cell) -> CellDirectory:
        return self.directory.cell(cell.name)

    def steps(self) -> pl.DataFrame:
        frames = []
        for cell in self.cells:
            if cell.seed is None:
                continue
            frame = self._steps(cell)
            if frame is not None and frame.height and "step" in frame.columns:
                frames.append(
                    frame.with_columns(
                        pl.lit(cell.arm).alias("arm"), pl.lit(cell.seed, pl.Int64).alias("seed")
                    )
                )
        if not frames:
            return pl.DataFrame(schema={"arm": pl.String, "seed": pl.Int64, "step": pl.Int64})
        return pl.concat(frames, how="diagonal_relaxed")

    def _steps(self, cell: Cell) -> pl.DataFrame | None:
        """The cell's steps so far, or None with a note."""
        table = self._cell(cell).step_table
        if not table.growing.is_file():
            return self._read(cell, table.finished)
        try:
            return table.read()
        except RewardscopeError as error:
            self.missing = (*self.missing, Missing(f"steps of cell {cell.name}", str(error)))
            return None

    def measurements(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows over problems, and pass@k of single problems, of the cells that are measured as the
        study asks now: any others are of older problems, draws or probes.

        Other rows of single problems are not kept: a large study has millions.
        """
        frames, by_problem = [], []
        for cell in self.cells:
            if cell.state != "done":
                continue
            if cell.measured != self.measuring:
                reason = (
                    "they were measured with another evaluation, other probes or another version: "
                    "run the study again"
                )
                self.missing = (*self.missing, Missing(f"rows of cell {cell.name}", reason))
                continue
            frame = self._read(cell, self._cell(cell).measurements, (*ROW_COLUMNS, "labels"))
            if frame is not None:
                problem = frame.select(_label("problem")).to_series()
                cell_columns = (
                    pl.lit(cell.arm).alias("arm"),
                    pl.lit(cell.seed, pl.Int64).alias("seed"),
                )
                whole = frame.filter(problem.is_null())
                frames.append(_label_columns(whole).with_columns(cell_columns))
                shown = problem.is_not_null() & frame["metric"].str.starts_with(PASS_AT_K)
                rows = frame.filter(shown).with_columns(problem.filter(shown), _label("k"))
                by_problem.append(rows.with_columns(cell_columns).select(list(PROBLEM_COLUMNS)))
        return (
            pl.concat([pl.DataFrame(schema=MEASUREMENT_COLUMNS), *frames], how="diagonal_relaxed"),
            pl.concat([pl.DataFrame(schema=PROBLEM_COLUMNS), *by_problem]),
        )

    def gaps(self) -> tuple[Gap, ...]:
        """What could not be measured in those cells."""
        gaps: list[Gap] = []
        for cell in self.cells:
            if cell.state == "done" and cell.measured == self.measuring:
                try:
                    gaps += self._cell(cell).gaps()
                except RewardscopeError as error:
                    self.missing = (*self.missing, Missing(f"gaps of cell {cell.name}", str(error)))
        return tuple(gaps)


def _label_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with a column per label; null where a row lacks the label. A label with the name
    of a row column is under "label NAME".
    """
    here = frame["labels"].explode().drop_nulls().struct.field("name").drop_nulls().unique()
    names = dict.fromkeys([*LABEL_NAMES, *sorted(here.to_list())])
    return frame.select(*ROW_COLUMNS, *map(_label, names))


def _label(name: str) -> pl.Expr:
    element = pl.element()
    wanted = element.filter(element.struct.field("name") == name).struct.field("value")
    column = f"label {name}" if name in ROW_COLUMNS else name
    return pl.col("labels").list.eval(wanted).list.first().cast(pl.String).alias(column)
