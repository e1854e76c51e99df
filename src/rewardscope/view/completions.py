"""All completions of a run, a page at a time, straight from its tables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from rewardscope.store import CellDirectory, RunDirectory, read_table

PER_PAGE = 50
KINDS = ("evaluation", "rollouts")
"""Held-out completions, and those that were trained on."""
SHOWN = ("problem", "prompt", "key", "index", "text", "answer", "correct", "strategy", "ending")
VERDICTS = {"right": True, "wrong": False}
HEAD, TAIL = 600, 600
"""Characters of a long text that are shown at its two ends: the answer stands at the end."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which completions; a text from the address bar that names nothing is no filter."""

    cell: str = ""
    kind: str = KINDS[0]
    step: int | None = None
    verdict: str = ""
    strategy: str = ""
    text: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        """What a query asks for."""
        step, page = query.get("step", ""), query.get("page", "")
        return cls(
            cell=query.get("cell", ""),
            kind=query["kind"] if query.get("kind") in KINDS else KINDS[0],
            step=int(step) if step.isdecimal() and len(step) < 9 else None,
            verdict=query["verdict"] if query.get("verdict") in VERDICTS else "",
            strategy=query.get("strategy", "")[:100],
            text=query.get("text", "")[:200],
            page=max(1, int(page)) if page.isdecimal() and len(page) < 9 else 1,
        )

    def query(self, **changes: Any) -> dict[str, str]:
        """The same question as a query, with changes."""
        asked = replace(self, **changes)
        return {
            name: str(value)
            for name in self.__slots__
            if (value := getattr(asked, name)) not in ("", None)
        }


@dataclass(frozen=True, slots=True)
class Draws:
    """A page of completions."""

    cells: tuple[str, ...]
    """Names of the cells that have any."""
    steps: tuple[int, ...]
    """Steps of the chosen cell and kind."""
    strategies: tuple[str, ...]
    asked: Asked
    """With the cell and step that were taken where none was named."""
    rows: tuple[Mapping[str, Any], ...]
    total: int
    """Completions that fit the question."""

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // PER_PAGE))


def draws_of(run: RunDirectory, asked: Asked) -> Draws:
    """The completions of a cell that fit, by problem and draw.

    Raises:
        RunDirectoryError: If their table is damaged.
    """
    steps_of = {cell.path.name: _steps(cell, asked.kind) for cell in run.cells()}
    cells = tuple(name for name, steps in steps_of.items() if steps)
    if not cells:
        return Draws((), (), (), asked, (), 0)
    name = asked.cell if asked.cell in cells else cells[0]
    steps = steps_of[name]
    step = asked.step if asked.step in steps else steps[-1]
    frame = read_table(run.cell(name).step_file(asked.kind, step))
    frame = frame.select(column for column in SHOWN if column in frame.columns)
    strategies = tuple(sorted(frame["strategy"].drop_nulls().unique().to_list()))
    asked = replace(asked, cell=name, step=step)
    frame = _fitting(frame, asked)
    total = frame.height
    asked = replace(asked, page=min(asked.page, max(1, -(-total // PER_PAGE))))
    part = frame.slice((asked.page - 1) * PER_PAGE, PER_PAGE)
    rows = tuple({**row, "parts": ends(str(row["text"]))} for row in part.iter_rows(named=True))
    return Draws(cells, steps, strategies, asked, rows, total)


def _steps(cell: CellDirectory, kind: str) -> tuple[int, ...]:
    names = [path.stem.removeprefix("step_") for path in cell.path.glob(f"{kind}/step_*.parquet")]
    return tuple(sorted(int(name) for name in names if name.isdecimal()))


def _fitting(frame: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    if asked.verdict:
        frame = frame.filter(pl.col("correct") == VERDICTS[asked.verdict])
    if asked.strategy:
        frame = frame.filter(pl.col("strategy") == asked.strategy)
    if asked.text:
        found = [pl.col(c).str.contains(asked.text, literal=True) for c in ("prompt", "text")]
        frame = frame.filter(pl.any_horizontal(found))
    return frame


def ends(text: str) -> tuple[str, int, str]:
    """Head of a text, how many characters are left out, and its tail.

    >>> ends("short")
    ('short', 0, '')
    """
    if len(text) <= HEAD + TAIL:
        return text, 0, ""
    return text[:HEAD], len(text) - HEAD - TAIL, text[-TAIL:]
