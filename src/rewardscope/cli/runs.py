"""Commands that make a run or read one: run, report, status, and closer looks at an arm."""

import contextlib
import os
import shlex
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from rewardscope.cli.front import (
    RUN,
    On,
    Out,
    RunPath,
    Workers,
    app,
    console,
    count_of,
    say,
    show_json,
)
from rewardscope.errors import RunDirectoryError, StudyError
from rewardscope.hostile import visible
from rewardscope.report.layout import folding_table
from rewardscope.runners import LOCAL, Start, exit_code, runner_named, start_local

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rewardscope.cli.exports import Export
    from rewardscope.store import CellDirectory, Fault, RunDirectory
    from rewardscope.study import Study, StudySource
    from rewardscope.study.edits import Edits
    from rewardscope.types import Gap


STATES = ("unreadable", "failed", "stopped", "running", "owed", "done")
"""Of a cell, in the order in which they are shown."""


@app.command(rich_help_panel=RUN)
def tour(out: Out = None, workers: Workers = None) -> None:
    """Run the five-minute study: two tiny models, true rewards against coin flips."""
    _run(Path(__file__).parents[1] / "study" / "tour.py", out, workers, "rewardscope tour")


@app.command(rich_help_panel=RUN)
def run(
    study: Annotated[Path, typer.Argument(help="Python file that defines `study = Study(...)`.")],
    out: Out = None,
    workers: Workers = None,
    on: On = LOCAL,
    accept_same: Annotated[
        bool,
        typer.Option(
            "--accept-same",
            help="Vouch that edits of code or data since the run began change no result. "
            "Finished cells are kept, and the page says who vouched.",
        ),
    ] = False,
    log_to: Annotated[
        str | None,
        typer.Option(
            "--log-to",
            metavar="TOOL",
            help="Also send the step rows of finished cells to trackio or wandb.",
        ),
    ] = None,
) -> None:
    """Run a study, or continue one that was stopped.

    Finished cells are kept. Unfinished ones resume from their last checkpoint.
    """
    where = "" if on == LOCAL else f" --on {shlex.quote(on)}"
    where += f" --log-to {shlex.quote(log_to)}" if log_to else ""
    command = f"rewardscope run {shlex.quote(str(study))}{where}"
    _run(study, out, workers, command, accept_same, on, log_to)


def _run(
    path: Path,
    out: Path | None,
    workers: int | None,
    command: str,
    accept_same: bool = False,
    on: str = LOCAL,
    log_to: str | None = None,
) -> None:
    from rewardscope.cli.exports import Export
    from rewardscope.store import RunDirectory
    from rewardscope.study import load_study, open_run

    start, study = runner_named(on), load_study(path)
    root = out or Path("runs") / study.name
    export = Export(log_to, study, RunDirectory(root), say) if log_to else None
    command += out_option(out)
    directory = open_run(study, root, command, path, accept_same, say_edits, say_note)
    _say_proofs(directory)
    carry_out(study, path, directory, command, workers, start, export)


def say_note(note: str) -> None:
    """Prints what the user should know before the run."""
    say(f"note: {note}")


def say_edits(edits: "Edits") -> None:
    """Prints what was edited since the run began, and the consequences."""
    if edits.vouched_by:
        say(f"{edits.vouched_by} vouches that these edits change no result; the page says so:")
    elif edits.reruns or edits.measured_again:
        say("Edited since the run began; what this affects is run again:")
    for why, touched in edits.by_reason():
        say(f"  {why}: {', '.join(touched)}")
    for why in edits.measured_again:
        say(f"  {why}: every cell is measured again")
    if edits.restored:
        say(f"An edit was undone: {count_of(len(edits.restored), 'earlier cell')} used again")
    if edits.reruns and not edits.vouched_by:
        say(
            "The old cells are kept in the run's folder superseded/. If the edits change no "
            "result (a new name, for example), stop and run with --accept-same."
        )


def _say_proofs(directory: "RunDirectory") -> None:
    """Prints which data sets were read, and which trivial completions their grader rewards."""
    for proof in directory.record()["proofs"]:
        if proof["about"]:
            say(f"{proof['split']}: {proof['about']}")
        for warning in proof["warnings"]:
            say(f"Warning: {warning}")


def out_option(out: Path | None) -> str:
    """The option as it was given, for the command that continues the run."""
    return f" --out {shlex.quote(str(out))}" if out else ""


def carry_out(
    study: "Study",
    source: "Path | StudySource",
    directory: "RunDirectory",
    command: str,
    workers: int | None,
    start: Start = start_local,
    export: "Export | None" = None,
) -> None:
    """Runs the study in the directory, or continues it, and concludes.

    Args:
        study: What to run.
        source: Where workers get it from.
        directory: Where to.
        command: That continues it.
        workers: How many; None = as many as fit.
        start: Starts the runner.
        export: Sends the rows of finished cells elsewhere.
    """
    from rewardscope.cli.live import LivePage
    from rewardscope.study import default_workers, run_study
    from rewardscope.study.progress import StudyProgress

    began = time.monotonic()
    root = directory.root
    count = default_workers(study) if workers is None else workers
    say(f"{study.name}: {study.question}")
    size = f"{count_of(len(study.arms), 'arm')} x {count_of(len(study.seeds), 'seed')}"
    say(
        f"{size}, {count_of(count, 'worker')} x {count_of(study.threads_per_cell, 'thread')}, in "
        f"{root}"
    )
    try:
        with StudyProgress(study, directory, console) as progress:
            live = LivePage(progress, root)

            def poll() -> None:
                live.poll()
                if export is not None:
                    export.poll()

            failed = run_study(study, source, directory, count, poll, start)
            poll()
    except KeyboardInterrupt as interrupt:
        with contextlib.suppress(OSError):  # the terminal may be gone
            say(f"\nStopped. Finished work is kept in {root}. Continue with: {command}")
        raise typer.Exit(exit_code(interrupt)) from None
    page = _conclude(root, trained=True)
    say(f"Page: {page}    ({time.monotonic() - began:.0f} s)")
    if failed:
        befallen: dict[str, list[str]] = {}
        for name, reason in failed.items():
            befallen.setdefault(reason, []).append(name)
        reasons = "\n".join(f"{', '.join(names)}: {reason}" for reason, names in befallen.items())
        raise StudyError(
            f"{len(failed)} of {len(study.cells())} cells failed",
            value=reasons,
            do="Fix the cause and run again: finished cells are kept",
        )
    broken = _gaps(directory.gaps(), failed=True)
    if broken:
        raise StudyError(
            "Instruments failed. Everything else is measured; claims that need them are not judged",
            value="\n".join(broken),
            do="Correct them and run again: nothing is trained twice. gaps.json of each cell "
            "holds the traceback",
        )


def _conclude(root: Path, *, trained: bool = False) -> Path:
    """Judges the claims from the rows on disk, prints the verdict table and writes the page; needs
    no torch.

    Args:
        root: Of the run.
        trained: Whether to check rollouts and weights as well as what is judged and shown.

    Raises:
        RunDirectoryError: If files are not what was written; the page is made without them.
    """
    from rewardscope.judging.claims import judge, read_claims
    from rewardscope.report import verdict_table, write_page
    from rewardscope.report.answer.headline import headline
    from rewardscope.report.loading import arms_of
    from rewardscope.store import RunDirectory, cell_faults
    from rewardscope.store.looks import looks_text

    directory = RunDirectory(root)
    damaged = cell_faults(directory, trained=trained)
    without = [name for name, faults in damaged.items() if any(map(_of_rows, faults))]
    record = directory.record()
    metrics = {claim.metric for claim in read_claims(record)}
    rows, gaps = directory.measurements(without, metrics), directory.gaps(without)
    verdicts = judge(record, rows, gaps)
    answer = headline(verdicts, arms_of(record))
    directory.write_verdicts(verdicts, without, headline=answer.text)
    console.print(Text(answer.text, style="bold"))
    console.print(verdict_table(verdicts))
    looks = directory.looks()
    if len(looks) > 1:
        times = f"Looked at {len(looks)} times, {looks_text(looks)}"
        say(f"{times}. An error of 5 % holds for one look.")
    for reason, cells in _gaps(gaps).items():
        say(f"Not measured in {count_of(cells, 'cell')}: {reason}")
    page = write_page(root)
    if damaged:
        say(f"Page: {page}")
        raise RunDirectoryError(
            "Files of the run are not what was written"
            + (f"; the rows of {count_of(len(without), 'cell')} are left out" if without else ""),
            value="\n".join(str(fault) for faults in damaged.values() for fault in faults),
            do="What can be measured again, `rewardscope run` makes again. `rewardscope check "
            f"{shlex.quote(str(root))}` looks at everything",
        )
    return page


def _of_rows(fault: "Fault") -> bool:
    """Whether the rows of its cell cannot be believed."""
    return fault.path.name in ("measurements.parquet", "gaps.json", "seal.json")


def _gaps(gaps: "Iterable[Gap]", failed: bool = False) -> Counter[str]:
    """Why instruments gave no rows, or failed, and in how many cells."""
    from rewardscope.registry import readable

    gaps = [replace(gap, of=readable(gap.of)) for gap in gaps if not gap.partial]
    return Counter(gap.reason for gap in gaps if gap.failure or not failed)


@app.command(rich_help_panel=RUN)
def report(
    roots: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run directories.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Page of several runs; runs.html beside them by default."),
    ] = None,
) -> None:
    """Judge the claims of a run again and rebuild its page.

    Of several runs also makes one page that puts them beside each other. Reads the rows on disk
    alone, so it needs no torch and takes seconds.
    """
    for root in roots:
        if len(roots) > 1:
            say(f"{root}:")
        say(f"Page: {_conclude(root)}")
    if len(roots) > 1:
        from rewardscope.report.beside import BESIDE, write_beside

        above = Path(os.path.commonpath([root.resolve().parent for root in roots]))
        say(f"Page of all: {write_beside(roots, out or above / BESIDE)}")


@app.command(rich_help_panel=RUN)
def status(
    root: RunPath,
    everything: Annotated[bool, typer.Option("--all", help="Show cells that are done, too.")] = (
        False
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """Show how far a run is, and each cell that is not done.

    Also says whether a process is working on it, and why a failed cell failed.
    """
    from rewardscope.store import RunDirectory

    directory = RunDirectory(root)
    record = directory.record()
    targets = dict.fromkeys((arm["base_cell"] for arm in record["arms"]), 0)
    targets |= {
        cell: arm["config"]["steps"] for arm in record["arms"] for cell in arm["cells"].values()
    }
    standings = [_standing(directory.cell(name), steps) for name, steps in targets.items()]
    if as_json:
        show_json(standings)
        return
    states = Counter(cell["state"] for cell in standings)
    standings.sort(key=lambda cell: STATES.index(cell["state"]))
    say(_tally(states, len(standings)))
    if not everything:
        standings = [cell for cell in standings if cell["state"] != "done"]
    if not standings:
        return
    table = folding_table("cell", "state", "step", "reason")
    for cell in standings:
        state = cell["state"] + (
            f", {cell['phase']}" if cell["state"] == "running" and cell["phase"] else ""
        )
        table.add_row(
            Text(cell["cell"]),
            state,
            f"{cell['step']}/{cell['steps']}" if cell["steps"] else "",
            Text(visible(cell["reason"])),
        )
    console.print(table)


def _tally(states: Counter[str], total: int) -> str:
    """How many cells are done, and how many are in any other state.

    >>> _tally(Counter(done=11, owed=2, failed=1), 14)
    '11 of 14 cells done, 1 failed, 2 owed'
    """
    others = [f"{states[state]} {state}" for state in STATES[:-1] if states[state]]
    return ", ".join([f"{states['done']} of {total} cells done", *others])


def _standing(cell: "CellDirectory", steps: int) -> dict[str, Any]:
    """The progress of a cell; one that has begun but that no process holds is stopped."""
    stored, held = cell.status(), cell.is_held
    state = "running" if held else "stopped" if stored["state"] == "running" else stored["state"]
    reason = (
        "no process is working on it; run the study again to continue"
        if state == "stopped"
        else stored.get("reason", "")
    )
    return {
        "cell": cell.path.name,
        "state": state,
        "phase": stored.get("phase"),
        "step": stored["step"],
        "steps": steps,
        "reason": reason,
    }
