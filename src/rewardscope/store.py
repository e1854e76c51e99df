"""The run directory (docs/run-directory.md says what is where), written so that a kill at any instant leaves nothing half-done."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

import polars as pl

from rewardscope.codec import decode, encode, signature
from rewardscope.errors import CheckpointError, InUse, RunDirectoryError
from rewardscope.types import Claim, Completion, Ending, Grade, Measurement, Problem, Rollout, Verdict

COMPLETE = ".complete"
LOCK = ".lock"
PATIENCE_SECONDS = 2.0
"""How long a lock is waited for: the workers of a killed run die a moment after it, and who looks at a lock takes it for an instant."""
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
RECORD = ("name", "arms", "seeds", "claims")
"""What study.json must hold to be read at all; and of each arm:"""
ARM_RECORD = ("name", "cells", "base_cell")
LABELS: pl.DataType = pl.List(pl.Struct({"name": pl.String, "value": pl.String}))
MEASUREMENT_SCHEMA: dict[str, Any] = {
    "study": pl.String, "arm": pl.String, "seed": pl.Int64, "step": pl.Int64, "probe": pl.String, "metric": pl.String, "unit": pl.String,
    "value": pl.Float64, "lower": pl.Float64, "upper": pl.Float64, "interval": pl.String, "n": pl.Int64, "over": pl.String,
    "labels": LABELS, "sources": pl.List(pl.String), "dropped": pl.Int64,
}  # fmt: skip
ROLLOUT_SCHEMA: dict[str, Any] = {
    "group": pl.Int64, "problem": pl.String, "environment": pl.String, "prompt": pl.String, "key": pl.String, "level": pl.Int64,
    "facts": LABELS, "policy_step": pl.Int64, "index": pl.Int64, "text": pl.String, "token_ids": pl.List(pl.Int64),
    "logprobs": pl.List(pl.Float64), "ending": pl.String, "correct": pl.Boolean, "strict": pl.Boolean, "well_formed": pl.Boolean,
    "answer": pl.String, "confidence": pl.Float64, "feedback": pl.String, "strategy": pl.String, "steps": pl.List(pl.Boolean),
    "proxy": pl.Float64,
    "reward": pl.Float64, "told": pl.Boolean, "parts": pl.List(pl.Struct({"name": pl.String, "value": pl.Float64})),
    "recalled": pl.List(pl.String), "chosen": pl.List(pl.Boolean), "turns": pl.List(pl.String),
}  # fmt: skip


def write_bytes(path: Path, data: bytes) -> None:
    """Puts the bytes at the path whole or not at all: a temporary file beside it, flushed to disk, then renamed.

    Raises:
        RunDirectoryError: If the disk is full or the place cannot be written; with what is the matter.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> RunDirectoryError:
    remedy = CANNOT_WRITE.get(error.errno or 0, "Free some space or choose another place")
    return RunDirectoryError(
        "A file of the run could not be written", value=f"{path}: {error.strerror or error}", do=f"{remedy}, then run again"
    )


def write_json(path: Path, value: object) -> None:
    """Writes the value as indented JSON with sorted keys, whole or not at all."""
    write_bytes(path, (json.dumps(encode(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """The JSON at the path.

    Raises:
        RunDirectoryError: If it is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # not JSON, or not even text
        raise RunDirectoryError(
            "A file of the run cannot be read", value=f"{path}: {error}", do="Run the study again; finished cells are kept"
        ) from error


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Writes the table as Parquet, whole or not at all."""
    with tempfile.SpooledTemporaryFile(max_size=1 << 26) as buffer:
        frame.write_parquet(buffer, compression="zstd")
        buffer.seek(0)
        write_bytes(path, buffer.read())


def read_table(path: Path) -> pl.DataFrame:
    """The Parquet table at the path.

    Raises:
        RunDirectoryError: If it is missing or damaged.
    """
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunDirectoryError(
            "A table of the run cannot be read",
            value=f"{path}: {_first_line(error)}",
            do="Run the study again: what was measured is measured again; for a table of training, delete its cell's folder first",
        ) from error


def _first_line(error: Exception) -> str:
    """What the error says, without the query plan that may follow."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _pairs(mapping: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in sorted(mapping.items())]


def write_measurements(path: Path, measurements: Sequence[Measurement]) -> None:
    """Writes measurement rows."""
    rows = [
        {**{f.name: getattr(m, f.name) for f in fields(m)}, "labels": _pairs(m.labels), "sources": list(m.sources)} for m in measurements
    ]
    write_table(path, pl.DataFrame(rows, schema=MEASUREMENT_SCHEMA))


def read_measurements(path: Path) -> list[Measurement]:
    """The measurement rows of a cell.

    Raises:
        RunDirectoryError: If the table is missing, damaged or not one of measurements.
    """
    rows = read_table(path).to_dicts()
    try:
        return [
            Measurement(**{**row, "labels": {p["name"]: p["value"] for p in row["labels"]}, "sources": tuple(row["sources"])})
            for row in rows
        ]
    except (KeyError, TypeError) as error:
        raise RunDirectoryError(
            "A table of the run holds no measurements", value=f"{path}: {error}", do="Delete it and run the study again"
        ) from error


def write_rollouts(path: Path, rollouts: Sequence[Rollout]) -> None:
    """Writes one row per completion, with its grade and, where told, its reward."""
    rows = []
    for group, rollout in enumerate(rollouts):
        problem = rollout.problem
        for index, (completion, grade) in enumerate(zip(rollout.completions, rollout.grades, strict=True)):
            rows.append(
                {
                    "group": group, "problem": problem.id, "environment": problem.environment, "prompt": problem.prompt,
                    "key": problem.answer, "level": problem.level, "facts": _pairs(problem.facts), "policy_step": rollout.policy_step,
                    "index": index, "text": completion.text, "token_ids": list(completion.token_ids), "logprobs": list(completion.logprobs),
                    "ending": completion.ending.value, "correct": grade.correct, "strict": grade.strict, "well_formed": grade.well_formed,
                    "answer": grade.answer, "confidence": grade.confidence, "feedback": grade.feedback, "strategy": grade.strategy,
                    "steps": None if grade.steps is None else list(grade.steps), "proxy": grade.proxy,
                    "reward": None if rollout.rewards is None else rollout.rewards[index], "told": rollout.rewards is not None,
                    "parts": [{"name": name, "value": values[index]} for name, values in sorted(rollout.parts.items())],
                    "recalled": list(rollout.recalled), "chosen": None if completion.chosen is None else list(completion.chosen),
                    "turns": None if completion.turns is None else list(completion.turns),
                }
            )  # fmt: skip
    write_table(path, pl.DataFrame(rows, schema=ROLLOUT_SCHEMA))


def read_rollouts(path: Path) -> list[Rollout]:
    """The rollouts of a file, in the order they were written.

    Raises:
        RunDirectoryError: If the table is missing or damaged.
    """
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in read_table(path).iter_rows(named=True):
        groups.setdefault(row["group"], []).append(row)
    return [_rollout(rows) for rows in groups.values()]


VERDICTS = ("correct", "strict")
OUTCOMES = ("problem", "policy_step", *VERDICTS)
"""Columns of a table of rollouts that say what its draws came out as."""


def read_outcomes(path: Path) -> pl.DataFrame:
    """A row per problem of stored rollouts: how many draws were stored, and by verdict (correct, strict) how many were graded, how many
    right, and the place of the first right one among the graded; null where none is right.

    Of the table, problem, policy step and the two verdicts are read and nothing else.

    Args:
        path: A table of rollouts, or a folder of them.

    Raises:
        RunDirectoryError: If there is none, it is no table of rollouts, it is empty, or it holds completions of several policies.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    remedy = "Give a cell's evaluation folder, or one file of its evaluation or rollouts folder"

    def refused(found: str) -> RunDirectoryError:
        return RunDirectoryError("There are no rollouts to read", value=f"{path}: {found}", allowed="tables of rollouts", do=remedy)

    if not files:
        raise refused("no *.parquet in this folder")
    try:
        table = pl.scan_parquet(files)
        schema = table.collect_schema()
        if missing := [name for name in OUTCOMES if name not in schema]:
            raise refused(f"no column {', '.join(missing)}")
        if odd := [f"column {name} is {schema[name]}, not Boolean" for name in VERDICTS if schema[name] not in (pl.Boolean, pl.Null)]:
            raise refused("; ".join(odd))
        frame = table.select(OUTCOMES).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise refused(_first_line(error)) from error
    if frame.is_empty():
        raise refused("no completions")
    steps = frame["policy_step"].unique().sort().to_list()
    if len(steps) > 1:
        shown = ", ".join(map(str, steps[:8])) + (" ..." if len(steps) > 8 else "")
        raise RunDirectoryError(
            "Completions of several policies have no pass@k together",
            value=f"{path}: policy steps {shown}",
            allowed="completions of one policy",
            do="Give one file of the folder: each is of one step's policy",
        )
    columns = [pl.len().alias("stored")]
    for name in VERDICTS:
        graded = pl.col(name).drop_nulls()
        columns += [graded.len().alias(f"{name}_graded"), graded.sum().alias(f"{name}_right")]
        columns.append(graded.arg_true().first().alias(f"{name}_first"))
    return frame.group_by("problem", maintain_order=True).agg(columns)


def _rollout(rows: list[dict[str, Any]]) -> Rollout:
    first = rows[0]
    names = [part["name"] for part in first["parts"]]
    return Rollout(
        problem=Problem(
            first["problem"], first["environment"], first["prompt"], first["key"], first["level"],
            {p["name"]: p["value"] for p in first["facts"]},
        ),
        policy_step=first["policy_step"],
        completions=tuple(
            Completion(
                r["text"], tuple(r["token_ids"]), tuple(r["logprobs"]), Ending(r["ending"]),
                *(None if r.get(column) is None else tuple(r[column]) for column in ("chosen", "turns")),  # absent before turns were
            )
            for r in rows
        ),
        grades=tuple(
            Grade(
                r["correct"], r["strict"], r["well_formed"], r["answer"], r["confidence"], r["feedback"], r["strategy"],
                None if r["steps"] is None else tuple(r["steps"]), r.get("proxy"),  # runs of before had none
            )
            for r in rows
        ),
        rewards=tuple(r["reward"] for r in rows) if first["told"] else None,
        parts={name: tuple(r["parts"][place]["value"] for r in rows) for place, name in enumerate(names)},
        recalled=tuple(first["recalled"]),
    )  # fmt: skip


def read_verdicts(path: Path) -> list[Verdict]:
    """The verdicts of a study."""
    verdicts: list[Verdict] = [decode(row, {"Verdict": Verdict, "Claim": Claim}) for row in read_json(path)]
    return verdicts


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal_directory(partial: Path, final: Path) -> None:
    """Turns a directory whose files are written into a finished checkpoint: digests into ``.complete``, then one rename."""
    files = [path for path in sorted(partial.rglob("*")) if path.is_file() and path.name != COMPLETE]
    write_json(partial / COMPLETE, {path.relative_to(partial).as_posix(): _digest(path) for path in files})
    if final.exists():
        shutil.rmtree(final)
    partial.rename(final)


def check_directory(directory: Path) -> None:
    """Checks every file of a finished checkpoint against its digest.

    Raises:
        CheckpointError: If the checkpoint is missing, unfinished, or a file is not what was written.
    """
    remedy = "Delete this directory and run the study again; it goes on from the checkpoint before"
    if not (directory / COMPLETE).is_file():
        raise CheckpointError("A checkpoint is missing or was never finished", value=directory, do=remedy)
    for name, digest in read_json(directory / COMPLETE).items():
        if not (directory / name).is_file() or _digest(directory / name) != digest:
            raise CheckpointError("A checkpoint's file is not what was written", value=directory / name, do=remedy)


def measuring_signature(record: Mapping[str, Any]) -> str:
    """Hash of what turns a trained policy into rows, from what study.json says of it: change it and cells are measured again."""
    return signature({name: record.get(name) for name in ("evaluation", "probes", "version")})


@contextlib.contextmanager
def _held(folder: Path, otherwise: str) -> Iterator[None]:
    """Holds the folder's lock.

    Raises:
        InUse: If another process keeps it.
        RunDirectoryError: If there can be no such folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("w")
    except OSError as error:
        raise _not_written(folder, error) from error
    with file:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise InUse(otherwise, value=folder, do="Wait for it, or stop it, then run again: what is finished is kept")
            time.sleep(0.05)
        yield


def _is_held(folder: Path) -> bool:
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
        return sorted(int(p.parent.name.removeprefix("step_")) for p in self.path.glob(f"checkpoints/step_*/{COMPLETE}"))

    @property
    def measurements(self) -> Path:
        """Path of the measurement table."""
        return self.path / "measurements.parquet"

    def status(self) -> dict[str, Any]:
        """State (owed, running, done, failed, or unreadable: then a run goes on from what else is there), step, and the reason."""
        file = self.path / "status.json"
        if not file.is_file():
            return {"state": "owed", "step": 0}
        try:
            found = read_json(file)
        except RunDirectoryError as error:
            return {"state": "unreadable", "step": 0, "reason": str(error)}
        if isinstance(found, dict) and isinstance(found.get("state"), str) and isinstance(found.get("step"), int):
            return found
        return {"state": "unreadable", "step": 0, "reason": f"{file} says neither a state nor a step"}

    def measured_under(self, measuring: str) -> bool:
        """Whether the cell is done and its rows were made under this :func:`measuring_signature`; else they are older, or none."""
        status = self.status()
        return status["state"] == "done" and status.get("measured") == measuring

    def write_status(self, state: str, step: int, **more: Any) -> None:
        """Replaces the status atomically."""
        write_json(self.path / "status.json", {"state": state, "step": step, **more})

    def steps(self) -> list[dict[str, Any]]:
        """The step rows written so far."""
        file = self.path / "steps.parquet"
        return read_table(file).to_dicts() if file.is_file() else []

    def write_steps(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replaces the step table."""
        write_table(self.path / "steps.parquet", pl.DataFrame(list(rows), infer_schema_length=None))

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Holds the cell for this process; the operating system lets go when the process ends, however it ends.

        Raises:
            InUse: If another process holds it.
        """
        return _held(self.path, "Another process is working on this cell")

    @property
    def is_held(self) -> bool:
        """Whether somebody is working on it."""
        return _is_held(self.path)


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
                value=f"{self.root}: {'no study.json in it' if self.root.is_dir() else 'no such folder'}",
                allowed="a folder that `rewardscope run` made",
                do="Give the run directory, such as runs/NAME",
            )
        found = read_json(file)
        if not _has(found, RECORD) or not isinstance(found["arms"], list) or not all(_has(arm, ARM_RECORD) for arm in found["arms"]):
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
        return _held(self.root, "Another process is running a study in this directory")

    @property
    def is_held(self) -> bool:
        """Whether a study is running there."""
        return _is_held(self.root)

    def cell(self, name: str) -> CellDirectory:
        """The directory of one cell."""
        return CellDirectory(self.root / "cells" / name)

    def cells(self) -> list[CellDirectory]:
        """Every cell directory there is, by name."""
        return [CellDirectory(path) for path in sorted(self.root.glob("cells/*")) if path.is_dir()]

    def account(self, expected: Sequence[str]) -> None:
        """Checks that every cell on disk belongs to the study.

        Raises:
            RunDirectoryError: With the list of those that do not.
        """
        strangers = sorted({cell.path.name for cell in self.cells()} - set(expected))
        if strangers:
            raise RunDirectoryError(
                f"{self.root} holds cells that this study cannot account for",
                value=", ".join(strangers),
                allowed="cells of this study as it is written now",
                do="They are of another study, or of this one before it was changed: choose another --out, or move them away",
            )

    def measurements(self) -> list[Measurement]:
        """All measurement rows of the study as study.json describes it; a cell that has yet to be measured so has none.

        Raises:
            RunDirectoryError: If there is no readable study.json, or a file of rows is gone.
        """
        measuring = measuring_signature(read_json(self.root / "study.json"))
        return [row for cell in self.cells() if cell.measured_under(measuring) for row in read_measurements(cell.measurements)]

    def write_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Writes verdicts.json."""
        write_json(self.root / "verdicts.json", list(verdicts))

    def verdicts(self) -> list[Verdict]:
        """The verdicts, once there are some."""
        return read_verdicts(self.root / "verdicts.json")
