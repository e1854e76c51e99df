"""The parts of a section of the page: figures, tables, and sentences about gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import polars as pl

from rewardscope.registry import readable
from rewardscope.report.marks import crowded
from rewardscope.report.rows import ROW_COLUMNS, Run
from rewardscope.report.summaries import over_seeds
from rewardscope.report.wording import number, signed
from rewardscope.section import Line, Section
from rewardscope.types import Gap

MOST_LINES = 60
"""Lines of one metric in a table; the rest are in the run's files."""
DIFFERENCE = "treatment − placebo"
"""Column of the difference of means; no arm can have this name."""
FOLLOWING = frozenset({"problem", "epsilon"})
"""Labels that do not make separate lines."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing of a figure."""

    start: str
    heading: str
    spec: dict[str, Any] | None
    """None = there is nothing to draw, and ``note`` says why."""
    note: str = ""
    arm: str = ""
    """Set when the panel is about one arm only."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Panels, each with the id of its specification in the page."""

    kind: ClassVar[str] = "figure"
    caption: str
    panels: Mapping[str, Sequence[tuple[str, Panel]]]
    """Start -> (chart id, panel)."""
    untrained: bool = False
    """Whether the legend names the untrained policy."""
    legend: bool = True
    narrow: bool = False
    """Whether three panels fit side by side."""
    swatches: Sequence[tuple[str, str]] = ()
    """Name and colour of each series, where the series are not arms."""
    heat: tuple[Sequence[str], float] | None = None
    """Colours from 0 to the largest number, where the drawing is a map."""

    @property
    def ids(self) -> list[str]:
        """Ids of the panels that have a drawing."""
        return [name for panels in self.panels.values() for name, panel in panels if panel.spec]


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of a table."""

    text: str
    aside: str = ""
    """In grey: from the lowest to the highest seed."""
    strong: str = ""
    """A second number, in bold."""
    hint: str = ""
    """The cell in words, shown as a tooltip."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line of a table."""

    heads: tuple[str, ...]
    """Cells before the numbers."""
    entries: Mapping[str, Entry]
    """By arm; a missing arm is unknown."""
    means: str = ""
    about: int = 0
    """Index of the head that names the line."""
    changed: bool = True
    """Whether a treatment's seeds leave its untrained policy or its placebo behind."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The table of one start."""

    start: str
    caption: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Tables of the same lines, one for each start."""

    kind: ClassVar[str] = "table"
    grids: tuple[Grid, ...]
    heading: str = ""
    explains: str = ""
    folded: str = ""
    """Text that opens it; empty = it is always open."""
    lacking: tuple[str, ...] = ()
    """Starts that have no such numbers."""


Block = Figure | Table


@dataclass(frozen=True, slots=True)
class Shown:
    """A section with everything that it shows of a run."""

    name: str
    """Its id on the page."""
    title: str
    short: str
    explains: str
    blocks: tuple[Block, ...] = ()
    gaps: tuple[str, ...] = ()
    """What could not be measured, and why."""

    @property
    def figures(self) -> list[Figure]:
        """Its figures."""
        return [block for block in self.blocks if isinstance(block, Figure)]


def figure(name: str, run: Run, panels: Sequence[Panel], caption: str, **more: Any) -> Figure:
    """The figure of these panels; its charts are named by the section and a number."""
    by_start: dict[str, list[tuple[str, Panel]]] = {start: [] for start in run.starts}
    for index, panel in enumerate(panels):
        by_start.setdefault(panel.start, []).append((f"{name}-{index + 1}", panel))
    return Figure(caption, by_start, **more)


def tables(section: Section, run: Run, heading: str = "") -> list[Table]:
    """The section's table and its folded tables, where they have numbers: first what changed, then
    what did not, then further measurements.
    """
    whole = [grid for start in run.starts if (grid := _grid(run, start, section.lines)).rows]
    more = [grid for start in run.starts if (grid := _grid(run, start, section.more)).rows]
    changed, rest = _parted(whole, True), _parted(whole, False)
    having = {grid.start for grid in whole}
    lacking = tuple(start for start in run.starts if start not in having) if whole else ()
    count = sum(len(grid.rows) for grid in rest)
    unchanged = f"{count} measurement{'' if count == 1 else 's'} that did not change"
    shown = [Table(turned(run, changed), heading, lacking=lacking)] if changed else []
    if rest:
        explains = "" if changed else heading
        shown.append(
            Table(turned(run, rest), explains, folded=unchanged, lacking=() if changed else lacking)
        )
    return [*shown, *([Table(turned(run, more), folded="More measurements")] if more else [])]


def _parted(grids: Sequence[Grid], changed: bool) -> list[Grid]:
    """The grids with the lines that changed, or with the others."""
    parted = [
        replace(grid, rows=tuple(row for row in grid.rows if row.changed is changed))
        for grid in grids
    ]
    return [grid for grid in parted if grid.rows]


def _grid(run: Run, start: str, lines: Sequence[Line]) -> Grid:
    """Untrained, placebos, treatments, and the difference where there is one of each."""
    arms = run.arms_of(start)
    placebos = tuple(arm.name for arm in arms if arm.placebo)
    treatments = tuple(arm.name for arm in arms if not arm.placebo)
    bases = tuple(dict.fromkeys(arm.base for arm in arms))
    columns = (*bases, *placebos, *treatments)
    if crowded(arms):
        columns = (*bases, *run.order_of(start))
    rows = tuple(
        row for line in lines for row in table_rows(run, line, columns, placebos, treatments)
    )
    known = {name for row in rows for name in row.entries}
    caption = f"{start}: mean over seeds; in grey, lowest to highest seed"
    shown = tuple(name for name in columns if name not in bases or name in known)
    more = (DIFFERENCE,) if DIFFERENCE in known else ()
    return Grid(start, caption, ("Measured", "Unit"), (*shown, *more), rows)


def turned(run: Run, grids: Sequence[Grid]) -> tuple[Grid, ...]:
    """The grids, those of many arms with a line for each arm."""
    return tuple(_turned(run, grid) if crowded(run.arms_of(grid.start)) else grid for grid in grids)


def _turned(run: Run, grid: Grid) -> Grid:
    arms = run.arms_of(grid.start)
    role = {arm.base: "untrained" for arm in arms}
    role |= {arm.name: "placebo" for arm in arms if arm.placebo}
    names = [" ".join(filter(None, row.heads)) for row in grid.rows]
    entries = dict(zip(names, (row.entries for row in grid.rows), strict=True))
    rows = tuple(
        TableRow(
            (name,),
            {measured: of[name] for measured, of in entries.items() if name in of},
            means=role.get(name, ""),
        )
        for name in grid.columns
    )
    return Grid(grid.start, grid.caption, ("Arm",), tuple(names), rows)


def table_rows(
    run: Run,
    line: Line,
    columns: Sequence[str],
    placebos: Sequence[str] = (),
    treatments: Sequence[str] = (),
) -> list[TableRow]:
    """A metric's lines: one for each value of the labels that its text names, and of any other
    label in which its rows differ. A line without any number is left out.
    """
    frame = where(run.metric(line.metric), line.where).filter(pl.col("arm").is_in(columns))
    frame = _largest_k(frame, line.every_k)
    if not line.unknown:
        frame = frame.filter(pl.col("value").is_not_null())
    named = [name for name in line.by if name in run.label_names]
    extra = [name for name in run.label_names if name not in named and _differs(frame, name)]
    groups = sorted(_groups(frame, [*named, *extra]), key=lambda entry: _in_order(entry[0]))
    rows = []
    for labels, part in groups[:MOST_LINES]:
        cells = over_seeds(part, ["arm"], "value").to_dicts()
        if line.skip_zero and not any(cell["value"] for cell in cells):
            continue
        unit = part["unit"][0]
        entries = {cell["arm"]: _entry(cell, unit) for cell in cells}
        if line.unknown:
            entries = _with_unknown(part, entries, line.unknown)
        more = [f"{name} {value}" for name in extra if (value := labels[name]) is not None]
        text = line.named(labels) + (f" ({', '.join(more).replace('_', ' ')})" if more else "")
        by_arm = {cell["arm"]: cell for cell in cells}
        if len(placebos) == len(treatments) == 1:
            entries |= _difference(by_arm.get(placebos[0]), by_arm.get(treatments[0]))
        changed = _changed(by_arm, columns, placebos, treatments)
        rows.append(TableRow((text, unit), entries, line.means, changed=changed))
    if len(groups) > MOST_LINES:
        left = f"{line.named({})}: {len(groups) - MOST_LINES} more lines are in the run's files"
        rows.append(TableRow((left, ""), {}))
    return rows


def _difference(
    placebo: Mapping[str, Any] | None, treatment: Mapping[str, Any] | None
) -> dict[str, Entry]:
    if placebo is None or treatment is None:
        return {}
    return {DIFFERENCE: Entry(signed(treatment["value"] - placebo["value"]))}


def _changed(
    cells: Mapping[str, Mapping[str, Any]],
    columns: Sequence[str],
    placebos: Sequence[str],
    treatments: Sequence[str],
) -> bool:
    """Whether all seeds of a treatment lie on one side of its untrained policy, or of all seeds of
    the placebos. Where that cannot be asked, a line counts as changed: it stays open.
    """
    bases = [name for name in columns if name not in placebos and name not in treatments]
    asked = False
    for name in treatments:
        for others in (bases, placebos):
            known = [cells[other] for other in others if other in cells]
            if name in cells and known:
                asked = True
                low = min(cell["low"] for cell in known)
                high = max(cell["high"] for cell in known)
                if cells[name]["low"] > high or cells[name]["high"] < low:
                    return True
    return not asked


def where(frame: pl.DataFrame, labels: Mapping[str, str]) -> pl.DataFrame:
    """The rows that have these labels."""
    if not set(labels) <= set(frame.columns) - set(ROW_COLUMNS):
        return frame.clear()
    return frame.filter(*(pl.col(name) == value for name, value in labels.items()))


def _largest_k(frame: pl.DataFrame, every: bool) -> pl.DataFrame:
    """The rows of the largest k, where rows have one."""
    number_of_k = pl.col("k").cast(pl.Int64, strict=False)
    if every or frame["k"].null_count() == frame.height:
        return frame
    return frame.filter(number_of_k.eq_missing(number_of_k.max()))


def _differs(frame: pl.DataFrame, name: str) -> bool:
    return name not in FOLLOWING and frame[name].n_unique() > 1


def _groups(
    frame: pl.DataFrame, names: Sequence[str]
) -> list[tuple[dict[str, str | None], pl.DataFrame]]:
    if frame.is_empty():
        return []
    if not names:
        return [({}, frame)]
    parts = frame.group_by(*names, maintain_order=True)
    return [(dict(zip(names, values, strict=True)), part) for values, part in parts]


def _in_order(labels: Mapping[str, str | None]) -> tuple[int, ...]:
    """Sort key: by number where labels are numbers; otherwise the stored order."""
    return tuple(int(value) if value and value.isdecimal() else 0 for value in labels.values())


COUNTED = ("draws", "problems", "directions")
"""Units that are counts: they have at most one decimal, in a mean over seeds."""


def _entry(row: Mapping[str, Any], unit: str) -> Entry:
    def text(value: float) -> str:
        return f"{round(value, 1):g}" if unit in COUNTED else number(value)

    seeds = row["seeds"]
    spread = f"{text(row['low'])} to {text(row['high'])}" if seeds > 1 else ""
    hint = f"mean of {seeds} seeds, {spread}" if spread else "one number"
    return Entry(text(row["value"]), spread, hint=hint)


def _with_unknown(
    part: pl.DataFrame, entries: Mapping[str, Entry], unknown: str
) -> dict[str, Entry]:
    """The entries, each with how many of its seeds have a number, or what none means."""
    counted = part.group_by("arm", maintain_order=True).agg(
        pl.len().alias("seeds"), pl.col("value").count().alias("known")
    )
    told = {}
    for arm, seeds, known in counted.iter_rows():
        seeds_text = f"{seeds} seed{'' if seeds == 1 else 's'}"
        if not known:
            told[arm] = Entry(unknown, hint=f"in none of {seeds_text}")
        elif known < seeds:
            entry = entries[arm]
            told[arm] = replace(entry, text=f"{entry.text} in {known} of {seeds_text}")
        else:
            told[arm] = entries[arm]
    return told


def gap_sentences(gaps: Sequence[Gap]) -> list[tuple[str, str]]:
    """Each reason once, with every policy that it applies to."""
    by_reason: dict[str, dict[str, list[str]]] = {}
    for gap in gaps:
        seeds = by_reason.setdefault(replace(gap, of=readable(gap.of)).reason, {})
        seeds.setdefault(gap.arm, []).extend([] if gap.seed is None else [str(gap.seed)])
    return [
        (reason, "; ".join(_policies(arm, seeds) for arm, seeds in arms.items()))
        for reason, arms in by_reason.items()
    ]


def _policies(arm: str, seeds: Sequence[str]) -> str:
    if not seeds:
        return arm
    return f"{arm}, seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}"
