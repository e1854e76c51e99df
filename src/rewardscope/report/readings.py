"""What the completion browser shows: completions of the untrained and of the trained policy, token
by token, within a size limit.
"""

import base64
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from rewardscope.errors import RewardscopeError
from rewardscope.report.rows import Arm, Missing, Run
from rewardscope.report.wording import visible_deep
from rewardscope.store import read_table

PAGE_LIMIT = 12_000_000
"""Characters of JSON for all completions of a page, before they are compressed."""
PACKED_LIMIT = 400_000
"""Characters that they may take on the page, compressed."""
TEXT_LIMIT = 2_000
"""Characters of one completion or prompt."""
TOKEN_LIMIT = 400
"""Tokens of one completion: half from its beginning, half from its end, where the answer is."""
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


def packed_completions(run: Run) -> tuple[list[dict[str, Any]], list[Missing], str]:
    """:func:`completion_cells` with as many problems as fit the page compressed, and the text that
    the page holds: JSON, deflated, in base 64.
    """
    limit = PAGE_LIMIT
    while True:
        cells, missing = completion_cells(run, limit)
        text = json.dumps(visible_deep(cells), separators=(",", ":"), allow_nan=False)
        packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
        fewest = all(len(cell["problems"]) <= 1 for cell in cells)
        if len(packed) <= PACKED_LIMIT or fewest:
            return cells, missing, packed
        limit = min(limit, len(text)) * PACKED_LIMIT // len(packed) * 9 // 10


def completion_cells(
    run: Run, limit: int | None = None
) -> tuple[list[dict[str, Any]], list[Missing]]:
    """The readings of every trained cell as JSON values, each cell with an equal part of the page,
    and what was left out or is missing.

    Problems are in the order in which the run wrote them; none was picked.

    Args:
        run: The run.
        limit: Characters of JSON for all of them; None = ``PAGE_LIMIT``.
    """
    limit = PAGE_LIMIT if limit is None else limit
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
            _cell(arm, seed, frame, files[-1].relative_to(run.root), limit // max(len(wanted), 1))
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
    """One completion. A token from the environment has no numbers. Of a long one, its head and its
    tail: ``left`` counts the tokens between them, which follow token number ``cut``.
    """
    half = TOKEN_LIMIT // 2
    head = _tokens(rows if len(rows) <= TOKEN_LIMIT else rows[:half])
    tail: list[list[Any]] = []
    if len(head) < len(rows):
        head = _tokens(rows[:half], TEXT_LIMIT // 2)
        tail = _tokens(
            rows[max(len(head), len(rows) - half) :][::-1], TEXT_LIMIT // 2, backwards=True
        )[::-1]
    first = rows[0]
    facts = {"correct": first["correct"], "strategy": first["strategy"], "ending": first["ending"]}
    left = len(rows) - len(head) - len(tail)
    return {"index": index, **facts, "tokens": head + tail, "left": left, "cut": len(head)}


def _tokens(
    rows: list[dict[str, Any]], room: int = TEXT_LIMIT, *, backwards: bool = False
) -> list[list[Any]]:
    """The first tokens that fit; the last of them may be cut. Backwards, a token keeps its end."""
    tokens: list[list[Any]] = []
    for row in rows:
        if room <= 0:
            break
        text = str(row["token"])
        shown, more = text, f"({len(text) - room} more characters)"
        if len(text) > room:
            shown = f"{more} …{text[-room:]}" if backwards else f"{text[:room]}… {more}"
        room -= len(text)
        heard = (
            row["base_logprob"] is None and row["trained_logprob"] is None
        )  # from the environment; a token that a policy chose has numbers
        tokens.append(
            [shown]
            if heard
            else [shown, _logprob(row["base_logprob"]), _logprob(row["trained_logprob"])]
        )
    return tokens


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
