"""What the completion browser shows: completions of the untrained and of the trained policy, token
by token, within a size limit.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from rewardscope.errors import RewardscopeError
from rewardscope.report.rows import Arm, Missing, Run
from rewardscope.store import read_table

PAGE_LIMIT = 600_000
"""Characters of JSON for all completions of a page."""
TEXT_LIMIT = 2_000
"""Characters of one completion or prompt."""
TOKEN_LIMIT = 400
"""Tokens of one completion."""
SOURCES = ("base", "trained")
COLUMNS = (
    "problem",
    "prompt",
    "key",
    "source",
    "index",
    "position",
    "token",
    "base_logprob",
    "trained_logprob",
    "correct",
    "strategy",
    "ending",
)


def completion_cells(run: Run) -> tuple[list[dict[str, Any]], list[Missing]]:
    """The readings of every trained cell as JSON values, each cell with an equal part of the page,
    and what was left out or is missing.

    Problems are in the order in which the run wrote them; none was picked.
    """
    wanted = [(arm, seed, name) for arm in run.arms for seed, name in arm.cells.items()]
    done = {cell.name for cell in run.cells if cell.state == "done"}
    cells: list[dict[str, Any]] = []
    missing: list[Missing] = []
    for arm, seed, name in wanted:
        files = sorted((run.root / "cells" / name / "readings").glob("step_*.parquet"))
        if not files:
            if name in done:
                missing.append(
                    Missing(
                        f"completions of cell {name}",
                        "the cell is done, but no readings were written",
                    )
                )
            continue
        try:
            frame = read_table(files[-1], COLUMNS)
        except RewardscopeError as error:
            missing.append(
                Missing(f"completions of cell {name}", f"{files[-1].name} cannot be read: {error}")
            )
            continue
        cells.append(
            _cell(
                arm, seed, frame, files[-1].relative_to(run.root), PAGE_LIMIT // max(len(wanted), 1)
            )
        )
    return cells, missing


def _cell(arm: Arm, seed: int, frame: pl.DataFrame, file: Path, limit: int) -> dict[str, Any]:
    """One cell's problems, as many as fit."""
    problems: dict[str, dict[str, Any]] = {}
    for row in frame.sort("position", maintain_order=True).iter_rows(named=True):
        problem = problems.setdefault(
            row["problem"],
            {"prompt": _cut(row["prompt"]), "key": _cut(row["key"]), "base": {}, "trained": {}},
        )
        if row["source"] in SOURCES:
            problem[row["source"]].setdefault(row["index"], []).append(row)
    order = frame["problem"].unique(maintain_order=True).to_list()
    entries: list[dict[str, Any]] = []
    size = 0
    for identity in order:
        problem = problems[identity]
        entry = {"id": identity, "prompt": problem["prompt"], "key": problem["key"]}
        entry |= {
            source: [
                _completion(index, problem[source][index]) for index in sorted(problem[source])
            ]
            for source in SOURCES
        }
        size += len(json.dumps(entry, ensure_ascii=True))
        if entries and size > limit:
            break
        entries.append(entry)
    step = int(file.stem.removeprefix("step_"))
    return {
        "arm": arm.name,
        "placebo": arm.placebo,
        "start": arm.start,
        "seed": seed,
        "step": step,
        "file": file.as_posix(),
        "problems": entries,
        "left": len(order) - len(entries),
    }


def _completion(index: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One completion. A token from the environment has no numbers. ``left`` counts the tokens that
    did not fit.
    """
    tokens: list[list[Any]] = []
    room = TEXT_LIMIT
    for row in rows[:TOKEN_LIMIT]:
        if room <= 0:
            break
        text = str(row["token"])
        shown = (
            text if len(text) <= room else f"{text[:room]}… ({len(text) - room} more characters)"
        )
        room -= len(text)
        heard = (
            row["base_logprob"] is None and row["trained_logprob"] is None
        )  # from the environment; a token that a policy chose has numbers
        tokens.append(
            [shown]
            if heard
            else [shown, _logprob(row["base_logprob"]), _logprob(row["trained_logprob"])]
        )
    first = rows[0]
    facts = {"correct": first["correct"], "strategy": first["strategy"], "ending": first["ending"]}
    return {"index": index, **facts, "tokens": tokens, "left": len(rows) - len(tokens)}


def _logprob(value: float | None) -> float | None:
    return (
        None if value is None or value != value or abs(value) == float("inf") else round(value, 3)
    )


def _cut(text: str | None) -> str | None:
    return (
        text
        if text is None or len(text) <= TEXT_LIMIT
        else f"{text[:TEXT_LIMIT]}… ({len(text) - TEXT_LIMIT} more characters)"
    )


def has_completions(cells: Iterable[dict[str, Any]]) -> bool:
    """Whether there is anything to browse."""
    return any(cell["problems"] for cell in cells)
