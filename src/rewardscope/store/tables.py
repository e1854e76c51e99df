"""Tables of a run, as Parquet that any tool reads: rollouts and measurements; and its verdicts."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import polars as pl

from rewardscope.codec import decode
from rewardscope.errors import RunDirectoryError
from rewardscope.store.files import read_json, read_sealed_json, write_bytes, write_json
from rewardscope.store.seals import check_sealed
from rewardscope.types import (
    Completion,
    Ending,
    Gap,
    Grade,
    Measurement,
    Problem,
    Rollout,
    Verdict,
)

LABELS: pl.DataType = pl.List(pl.Struct({"name": pl.String, "value": pl.String}))
MEASUREMENT_SCHEMA: dict[str, Any] = {
    "study": pl.String,
    "arm": pl.String,
    "seed": pl.Int64,
    "step": pl.Int64,
    "probe": pl.String,
    "metric": pl.String,
    "unit": pl.String,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "interval": pl.String,
    "n": pl.Int64,
    "over": pl.String,
    "labels": LABELS,
    "sources": pl.List(pl.String),
    "dropped": pl.Int64,
}
ROLLOUT_SCHEMA: dict[str, Any] = {
    "group": pl.Int64,
    "problem": pl.String,
    "environment": pl.String,
    "prompt": pl.String,
    "key": pl.String,
    "level": pl.Int64,
    "facts": LABELS,
    "policy_step": pl.Int64,
    "index": pl.Int64,
    "text": pl.String,
    "token_ids": pl.List(pl.Int64),
    "logprobs": pl.List(pl.Float64),
    "ending": pl.String,
    "correct": pl.Boolean,
    "strict": pl.Boolean,
    "well_formed": pl.Boolean,
    "answer": pl.String,
    "confidence": pl.Float64,
    "feedback": pl.String,
    "strategy": pl.String,
    "steps": pl.List(pl.Boolean),
    "proxy": pl.Float64,
    "reward": pl.Float64,
    "told": pl.Boolean,
    "parts": pl.List(pl.Struct({"name": pl.String, "value": pl.Float64})),
    "recalled": pl.List(pl.String),
    "chosen": pl.List(pl.Boolean),
    "turns": pl.List(pl.String),
}


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Writes the table as Parquet, whole or not at all."""
    with tempfile.SpooledTemporaryFile(max_size=1 << 26) as buffer:
        frame.write_parquet(buffer, compression="zstd")
        buffer.seek(0)
        write_bytes(path, buffer.read())


UNREADABLE = (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What polars raises of a damaged table; a panic is no Exception, and would end the process."""


def read_table(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The Parquet table at the path, if it is what was written.

    Args:
        path: Of the table; in a finished cell it is checked against the cell's seal.
        columns: Which to read; None = all.

    Raises:
        RunDirectoryError: If it is missing or damaged.
    """
    check_sealed(path)  # before polars sees the bytes
    try:
        # a path is never a pattern
        return pl.read_parquet(path, glob=False, columns=None if columns is None else list(columns))
    except UNREADABLE as error:
        raise RunDirectoryError(
            "A table of the run cannot be read",
            value=f"{path}: {_first_line(error)}",
            do="Run the study again: what was measured is measured again; for a table of training, "
            "delete its cell's folder first",
        ) from error


def _first_line(error: BaseException) -> str:
    """What the error says, without the query plan that may follow."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _pairs(mapping: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in sorted(mapping.items())]


def write_measurements(path: Path, measurements: Sequence[Measurement]) -> None:
    """Writes measurement rows."""
    rows = [
        {
            **{f.name: getattr(m, f.name) for f in fields(m)},
            "labels": _pairs(m.labels),
            "sources": list(m.sources),
        }
        for m in measurements
    ]
    write_table(path, pl.DataFrame(rows, schema=MEASUREMENT_SCHEMA))


def read_measurements(path: Path, metrics: Collection[str] | None = None) -> list[Measurement]:
    """The measurement rows of a cell, of these metrics or of all.

    Raises:
        RunDirectoryError: If the table is missing, damaged or not one of measurements.
    """
    table = read_table(path)
    if metrics is not None and "metric" in table.columns:
        table = table.filter(pl.col("metric").is_in(list(metrics)))
    once: dict[Any, Any] = {}
    try:
        return [_measurement(row, once) for row in table.iter_rows(named=True)]
    except (KeyError, TypeError) as error:
        raise RunDirectoryError(
            "A table of the run holds no measurements",
            value=f"{path}: {error}",
            do="Delete it and run the study again",
        ) from error


def _measurement(row: dict[str, Any], once: dict[Any, Any]) -> Measurement:
    """The row; a text that many rows have is held once, which is most of what a row takes."""
    labels = {p["name"]: p["value"] for p in row["labels"]}
    values = {
        name: once.setdefault(value, value) if isinstance(value, str) else value
        for name, value in {**row, "sources": tuple(row["sources"])}.items()
    }
    values["sources"] = once.setdefault(values["sources"], values["sources"])
    values["labels"] = {
        once.setdefault(name, name): once.setdefault(value, value) for name, value in labels.items()
    }
    return Measurement(**values)


def write_gaps(path: Path, gaps: Sequence[Gap]) -> None:
    """Writes what could not be measured, and why."""
    write_json(path, [asdict(gap) for gap in gaps])


def read_gaps(path: Path) -> list[Gap]:
    """What could not be measured; empty where nothing is written.

    Raises:
        RunDirectoryError: If the file is damaged or does not hold gaps.
    """
    check_sealed(path)
    if not path.is_file():
        return []
    try:
        return [
            Gap(**{**row, "metrics": tuple(row["metrics"]), "lacks": tuple(row["lacks"])})
            for row in read_json(path)
        ]
    except (KeyError, TypeError) as error:
        raise RunDirectoryError(
            "A file of the run holds no gaps",
            value=f"{path}: {error}",
            do="Delete it and run the study again",
        ) from error


def write_rollouts(path: Path, rollouts: Sequence[Rollout]) -> None:
    """Writes one row per completion, with its grade and, where told, its reward."""
    rows = []
    for group, rollout in enumerate(rollouts):
        problem = rollout.problem
        for index, (completion, grade) in enumerate(
            zip(rollout.completions, rollout.grades, strict=True)
        ):
            rows.append(
                {
                    "group": group,
                    "problem": problem.id,
                    "environment": problem.environment,
                    "prompt": problem.prompt,
                    "key": problem.answer,
                    "level": problem.level,
                    "facts": _pairs(problem.facts),
                    "policy_step": rollout.policy_step,
                    "index": index,
                    "text": completion.text,
                    "token_ids": list(completion.token_ids),
                    "logprobs": list(completion.logprobs),
                    "ending": completion.ending.value,
                    "correct": grade.correct,
                    "strict": grade.strict,
                    "well_formed": grade.well_formed,
                    "answer": grade.answer,
                    "confidence": grade.confidence,
                    "feedback": grade.feedback,
                    "strategy": grade.strategy,
                    "steps": None if grade.steps is None else list(grade.steps),
                    "proxy": grade.proxy,
                    "reward": None if rollout.rewards is None else rollout.rewards[index],
                    "told": rollout.rewards is not None,
                    "parts": [
                        {"name": name, "value": values[index]}
                        for name, values in sorted(rollout.parts.items())
                    ],
                    "recalled": list(rollout.recalled),
                    "chosen": None if completion.chosen is None else list(completion.chosen),
                    "turns": None if completion.turns is None else list(completion.turns),
                }
            )
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
AT_ONCE = 1_000_000
"""Completions that are counted together."""


def read_outcomes(path: Path) -> pl.DataFrame:
    """A row per problem of stored rollouts: how many draws were stored, and by verdict (correct,
    strict) how many were graded, how many right, and the place of the first right one among the
    graded; null where none is right.

    Of the table, problem, policy step and the two verdicts are read and nothing else, and at most
    :data:`AT_ONCE` completions are in memory at a time.

    Args:
        path: A table of rollouts, or a folder of them.

    Raises:
        RunDirectoryError: If there is none, it is no table of rollouts, it is empty, nothing in it
            was graded, or it holds completions of several policies.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise _no_rollouts(path, "no *.parquet in this folder")
    for file in files:
        check_sealed(file)
    counted: list[pl.DataFrame] = []
    steps: set[int] = set()
    try:
        for file in files:
            table = _outcomes_of(file)
            length = table.select(pl.len()).collect().item()
            for start in range(0, length, AT_ONCE):
                rows = table.slice(start, AT_ONCE).collect()
                steps |= set(rows["policy_step"].unique())
                counted.append(_count(rows))
                if sum(map(len, counted)) > 2 * AT_ONCE:
                    counted = [_together(counted)]
    except UNREADABLE as error:
        raise _no_rollouts(path, _first_line(error)) from error
    if not counted:
        raise _no_rollouts(path, "no completions")
    if len(steps) > 1:
        shown = ", ".join(map(str, sorted(steps)[:8])) + (" ..." if len(steps) > 8 else "")
        raise RunDirectoryError(
            "Completions of several policies have no pass@k together",
            value=f"{path}: policy steps {shown}",
            allowed="completions of one policy",
            do="Give one file of the folder: each is of one step's policy",
        )
    outcomes = _together(counted)
    if not outcomes["correct_graded"].sum():
        raise RunDirectoryError(
            "None of these completions was graded",
            value=f"{path}: column correct is null in all {outcomes['stored'].sum()} rows",
            allowed="true or false in column correct, null for single draws that could not be "
            "graded",
            do="Grade the completions before they are counted",
        )
    return outcomes


def _no_rollouts(path: Path, reason: str) -> RunDirectoryError:
    return RunDirectoryError(
        "There are no rollouts to read",
        value=f"{path}: {reason}",
        allowed="tables of rollouts",
        do="Give a cell's evaluation folder, or one file of its evaluation or rollouts folder",
    )


def _outcomes_of(file: Path) -> pl.LazyFrame:
    """The columns of one file that are counted."""
    table = pl.scan_parquet(file, glob=False)  # a path is never a pattern
    schema = table.collect_schema()
    if missing := [name for name in OUTCOMES if name not in schema]:
        raise _no_rollouts(file, f"no column {', '.join(missing)}")
    if odd := [
        f"column {name} is {schema[name]}, not Boolean"
        for name in VERDICTS
        if schema[name] not in (pl.Boolean, pl.Null)
    ]:
        raise _no_rollouts(file, "; ".join(odd))
    return table.select("problem", "policy_step", pl.col(VERDICTS).cast(pl.Boolean))


def _count(rows: pl.DataFrame) -> pl.DataFrame:
    """The outcomes of some completions, a row per problem."""
    columns = [pl.len().cast(pl.Int64).alias("stored")]
    for name in VERDICTS:
        graded = pl.col(name).drop_nulls()
        columns += [
            graded.len().cast(pl.Int64).alias(f"{name}_graded"),
            graded.sum().cast(pl.Int64).alias(f"{name}_right"),
            graded.arg_true().first().cast(pl.Int64).alias(f"{name}_first"),
        ]
    return rows.group_by("problem", maintain_order=True).agg(columns)


def _together(counted: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The outcomes of successive completions: the place of the first right draw counts the graded
    ones of the parts before.
    """
    if len(counted) == 1:
        return counted[0]
    rows = pl.concat(counted)
    if not rows["problem"].is_duplicated().any():
        return rows
    before = [
        pl.col(f"{name}_first")
        + pl.col(f"{name}_graded").cum_sum().over("problem")
        - pl.col(f"{name}_graded")
        for name in VERDICTS
    ]
    sums = ["stored", *(f"{name}_{of}" for name in VERDICTS for of in ("graded", "right"))]
    return (
        rows.with_columns(before)
        .group_by("problem", maintain_order=True)
        .agg(pl.col(sums).sum(), pl.col([f"{name}_first" for name in VERDICTS]).min())
        .select(rows.columns)
    )


def _rollout(rows: list[dict[str, Any]]) -> Rollout:
    first = rows[0]
    names = [part["name"] for part in first["parts"]]
    return Rollout(
        problem=Problem(
            first["problem"],
            first["environment"],
            first["prompt"],
            first["key"],
            first["level"],
            {p["name"]: p["value"] for p in first["facts"]},
        ),
        policy_step=first["policy_step"],
        completions=tuple(
            Completion(
                r["text"],
                tuple(r["token_ids"]),
                tuple(r["logprobs"]),
                Ending(r["ending"]),
                # absent before turns were
                *(
                    None if r.get(column) is None else tuple(r[column])
                    for column in ("chosen", "turns")
                ),
            )
            for r in rows
        ),
        grades=tuple(
            Grade(
                r["correct"],
                r["strict"],
                r["well_formed"],
                r["answer"],
                r["confidence"],
                r["feedback"],
                r["strategy"],
                # runs of before had none
                None if r["steps"] is None else tuple(r["steps"]),
                r.get("proxy"),
            )
            for r in rows
        ),
        rewards=tuple(r["reward"] for r in rows) if first["told"] else None,
        parts={
            name: tuple(r["parts"][place]["value"] for r in rows)
            for place, name in enumerate(names)
        },
        recalled=tuple(first["recalled"]),
    )


def read_verdicts(path: Path) -> list[Verdict]:
    """The verdicts of a study.

    Raises:
        RunDirectoryError: If they are missing, damaged or no verdicts.
    """
    record = read_sealed_json(path)
    try:
        verdicts: list[Verdict] = [decode(row) for row in record["verdicts"]]
    except (KeyError, TypeError) as error:
        raise RunDirectoryError(
            "A file of the run holds no verdicts",
            value=f"{path}: {error}",
            do="Run `rewardscope report` again",
        ) from error
    return verdicts
