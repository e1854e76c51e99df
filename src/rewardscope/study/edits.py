"""What was edited since a run began, which cells that touches, and what becomes of them.

A cell is named by everything that made it, so an edited study asks for cells of other names. The
old ones are set aside, never served and never thrown away: an edit that is undone finds them again.
"""

import datetime
import getpass
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rewardscope.codec import KIND, UNSIGNED
from rewardscope.errors import RunDirectoryError
from rewardscope.identity import changes
from rewardscope.store import (
    CellDirectory,
    RunDirectory,
    read_json,
    read_measurements,
    write_json,
    write_measurements,
)
from rewardscope.study.study import Cell, Study

MADE_OF = "made_of"
UNKNOWN = "it was made by a version that did not record what made it"


@dataclass(frozen=True)
class Rerun:
    """A cell that is asked for under another name than the one that it has on disk."""

    cell: Cell
    was: str
    """Name on disk."""
    why: tuple[str, ...]
    """What differs, a phrase each."""
    code_only: bool
    """Whether only code or data differs, so that somebody may vouch that results are the same."""


@dataclass(frozen=True)
class Edits:
    """What differs between a study and the run that was begun with it."""

    reruns: tuple[Rerun, ...] = ()
    restored: tuple[str, ...] = ()
    """Cells that were set aside before and are asked for again."""
    measured_again: tuple[str, ...] = ()
    """Why every finished cell is measured again; empty = it is not."""
    measuring_code_only: bool = False
    vouched_by: str = ""
    """Who says that the edits change no result; empty = nobody."""
    when: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat())

    def __bool__(self) -> bool:
        return bool(self.reruns or self.restored or self.measured_again)

    def record(self) -> dict[str, Any]:
        """What study.json keeps of it."""
        return {
            "when": self.when,
            "vouched_by": self.vouched_by,
            "ran_again": [
                {"cell": rerun.cell.name, "was": rerun.was, "why": list(rerun.why)}
                for rerun in self.reruns
            ],
            "restored": list(self.restored),
            "measured_again": list(self.measured_again),
        }

    def by_reason(self) -> Iterator[tuple[str, list[str]]]:
        """Each reason with the cells that it touches, by label and seed."""
        touched: dict[str, list[str]] = {}
        for rerun in self.reruns:
            seed = "" if rerun.cell.seed is None else f" seed {rerun.cell.seed}"
            for why in rerun.why:
                touched.setdefault(why, []).append(f"{rerun.cell.label}{seed}")
        yield from touched.items()


def find_edits(
    study: Study, cells: Sequence[Cell], run: RunDirectory, before: Mapping[str, Any]
) -> Edits:
    """What differs from what is on disk; nothing is touched.

    Args:
        study: As it is now.
        cells: Its cells.
        run: Where the older ones are.
        before: What study.json says; of a run that lost it, nothing.

    Raises:
        RunDirectoryError: If there are cells that no edit of this study explains.
    """
    there = {cell.path.name: cell for cell in run.cells()}
    aside = {cell.path.name for cell in run.cells_aside()}
    strangers = {name: cell for name, cell in there.items() if name not in {c.name for c in cells}}
    reruns, restored = [], []
    for cell in cells:
        if cell.name in there:
            continue
        likely = [name for name, old in strangers.items() if _is_the_same(cell, old)]
        if likely:
            compared = [(_compared(cell, strangers[name]), name) for name in likely]
            (why, code_only), name = min(compared, key=lambda each: len(each[0][0]))
            reruns.append(Rerun(cell, name, why, code_only))
            del strangers[name]
        if cell.name in aside:
            restored.append(cell.name)
    run.account([cell.name for cell in cells], [rerun.was for rerun in reruns])
    again, code_only = _measured_again(study, run, before)
    return Edits(
        tuple(reruns), tuple(restored), again, measuring_code_only=bool(again) and code_only
    )


def carry_out(edits: Edits, study: Study, run: RunDirectory, accept_same: bool) -> Edits:
    """Sets the old cells aside and brings back those that are asked for again; or, where somebody
    vouches that the edits change no result, keeps the old ones under their new names.

    Raises:
        RunDirectoryError: If somebody vouches for more than code: a changed setting is no question
            of belief.
    """
    if accept_same:
        _check_vouchable(edits)
        _keep_under_new_names(edits, study, run)
        return replace(edits, vouched_by=_who())
    for rerun in edits.reruns:
        run.set_aside(rerun.was)
    for name in edits.restored:
        run.bring_back(name)
    return edits


def _is_the_same(cell: Cell, old: CellDirectory) -> bool:
    """Whether the directory is of the cell's arm and seed."""
    name = old.path.name
    if cell.seed is None:
        return name.startswith(f"{cell.name.rpartition('--')[0]}--")
    return name.rpartition("--")[0] == f"{cell.label}--s{cell.seed}"


def _compared(cell: Cell, old: CellDirectory) -> tuple[tuple[str, ...], bool]:
    """What differs between what makes the cell and what made the old one."""
    try:
        before = read_json(old.path / "arm.json").get("determined_by")
    except (RunDirectoryError, AttributeError):
        before = None
    if not isinstance(before, dict):
        return (UNKNOWN,), False
    return _differences(before, cell.determined_by)


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[tuple[str, ...], bool]:
    """Phrases for what differs, and whether it is code and data alone."""
    settings = [
        phrase
        for name in sorted({*before, *after} - {MADE_OF})
        for phrase in setting_changes(name, before.get(name), after.get(name))
    ]
    code = changes(before.get(MADE_OF) or (), after.get(MADE_OF) or ())
    return (*settings, *code), not settings


def setting_changes(name: str, before: Any, after: Any) -> Iterator[str]:
    """A phrase for each setting that differs between two encoded values, by its path under
    ``name``.
    """
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for part in sorted(p for p in {*before, *after} if not p.startswith(UNSIGNED)):
            yield from setting_changes(f"{name}.{part}", before.get(part), after.get(part))
    elif _are_components(before) and _are_components(after) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from setting_changes(f"{name}[{place}]", old, new)
    elif name == "start":
        yield "the start's files changed"
    elif name == "version":
        yield f"rewardscope went from {before} to {after}"
    else:
        yield f"{name} went from {_short(before)} to {_short(after)}"


def _are_components(value: Any) -> bool:
    """Whether it is a list of components, as the parts of a composed reward are."""
    return isinstance(value, list) and all(isinstance(v, Mapping) and KIND in v for v in value)


def _short(value: Any, most: int = 60) -> str:
    """The value as text; of components the names, since their settings would be cut off."""
    named = value and _are_components(value)
    text = ", ".join(str(each[KIND]) for each in value) if named else str(value)
    return text if len(text) <= most else f"{text[:most]}..."


def _measured_again(
    study: Study, run: RunDirectory, before: Mapping[str, Any]
) -> tuple[tuple[str, ...], bool]:
    """What changed of what turns policies into rows, where some cell had been measured."""
    measured = {status["measured"] for c in run.cells() if (status := c.status()).get("measured")}
    if not measured - {study.measuring_signature}:
        return (), False
    if "probes" not in before:
        return (UNKNOWN,), False
    was = {name: before.get(name) for name in ("evaluation", "probes", "version", MADE_OF)}
    return _differences(was, study.measured_by())


def _check_vouchable(edits: Edits) -> None:
    settings = [rerun for rerun in edits.reruns if not rerun.code_only]
    if settings or (edits.measured_again and not edits.measuring_code_only):
        why = settings[0].why if settings else edits.measured_again
        raise RunDirectoryError(
            "--accept-same vouches for edited code or data, and a setting changed as well",
            value="; ".join(why[:4]),
            allowed="edits of a source or data file",
            do="Change the setting back, or run without --accept-same",
        )


def _keep_under_new_names(edits: Edits, study: Study, run: RunDirectory) -> None:
    """Renames the cells, and what their rows say of where they were read from. Killed between any
    two files, it goes on where it was when somebody vouches again.
    """
    renamed = {rerun.was: rerun.cell for rerun in edits.reruns}
    measuring = study.measuring_signature
    for cell in run.cells():
        new = renamed.get(cell.path.name)
        name = new.name if new is not None else cell.path.name
        if cell.sealed_as(name, measuring):
            continue
        status = cell.status()
        if cell.measurements.is_file() and not cell.damaged(trained=False):
            rows = [
                replace(
                    row,
                    arm=new.label if new else row.arm,
                    sources=tuple(_moved(source, renamed) for source in row.sources),
                )
                for row in read_measurements(cell.measurements)
            ]
        else:  # damaged, or cut short in here: they are measured again
            rows = None
        if new is not None:
            write_json(
                cell.path / "arm.json",
                {**_arm_record(cell), "determined_by": new.determined_by},
            )
        if rows is not None:
            write_measurements(cell.measurements, rows)
        if rows is not None and status["state"] == "done":
            cell.finish(status["step"], measuring, name)
        elif status.get("measured"):
            cell.write_status("running", status["step"], phase="evaluating")
    for was, new in renamed.items():
        run.rename(was, new.name)


def _arm_record(cell: CellDirectory) -> dict[str, Any]:
    """What arm.json holds; nothing where it cannot be read, since the next run writes it again."""
    try:
        return dict(read_json(cell.path / "arm.json"))
    except (RunDirectoryError, TypeError, ValueError):
        return {}


def _moved(source: str, renamed: Mapping[str, Cell]) -> str:
    return "/".join(renamed[part].name if part in renamed else part for part in source.split("/"))


def _who() -> str:
    """Who is at the keyboard, as git or the system knows them."""

    def git(name: str) -> str:
        try:
            done = subprocess.run(
                ["git", "config", name], capture_output=True, text=True, check=False
            )
        except OSError:
            return ""
        return done.stdout.strip()

    name, mail = git("user.name"), git("user.email")
    return f"{name} <{mail}>" if name and mail else name or mail or getpass.getuser()
