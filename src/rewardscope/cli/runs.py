"""Commands that make a run or read one: run, report, status, and closer looks at an arm."""

import contextlib
import os
import shlex
import time
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from rewardscope.cli.front import (
    EXAMINE,
    RUN,
    On,
    Out,
    RunPath,
    Workers,
    app,
    arm_named,
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

    from rewardscope.store import CellDirectory, Fault, RunDirectory
    from rewardscope.study import Study, StudySource
    from rewardscope.study.edits import Edits
    from rewardscope.types import Gap


StudyFile = Annotated[
    Path | None,
    typer.Option("--study", help="The run's study file, if it has been moved."),
]


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
) -> None:
    """Run a study, or continue one that was stopped.

    Finished cells are kept. Unfinished ones resume from their last checkpoint.
    """
    where = "" if on == LOCAL else f" --on {shlex.quote(on)}"
    _run(study, out, workers, f"rewardscope run {shlex.quote(str(study))}{where}", accept_same, on)


def _run(
    path: Path,
    out: Path | None,
    workers: int | None,
    command: str,
    accept_same: bool = False,
    on: str = LOCAL,
) -> None:
    from rewardscope.study import load_study, open_run

    start, study = runner_named(on), load_study(path)
    root = out or Path("runs") / study.name
    command += _out(out)
    directory = open_run(study, root, command, path, accept_same, _say_edits, _say_note)
    _say_proofs(directory)
    _carry_out(study, path, directory, command, workers, start)


def _say_note(note: str) -> None:
    """Prints what the user should know before the run."""
    say(f"note: {note}")


def _say_edits(edits: "Edits") -> None:
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


def _out(out: Path | None) -> str:
    """The option as it was given, for the command that continues the run."""
    return f" --out {shlex.quote(str(out))}" if out else ""


def _carry_out(
    study: "Study",
    source: "Path | StudySource",
    directory: "RunDirectory",
    command: str,
    workers: int | None,
    start: Start = start_local,
) -> None:
    """Runs the study in the directory, or continues it, and concludes."""
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
            failed = run_study(study, source, directory, count, progress.poll, start)
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """Show how far each cell of a run is.

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


def _arm_of(record: dict[str, Any], name: str) -> dict[str, Any]:
    """The entry of an arm in study.json."""
    arms: dict[str, dict[str, Any]] = {arm["name"]: arm for arm in record["arms"]}
    return arm_named(name, arms, "run")


@app.command(rich_help_panel=EXAMINE)
def rank(
    root: RunPath,
    arm: Annotated[
        str,
        typer.Argument(help="Arm that meets its problems more than once, such as one on a Pool."),
    ],
    top: Annotated[int, typer.Option("--top", min=1, help="How many to show.")] = 10,
    study: StudyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List an arm's training problems by how much their pass rate moved.

    One-example training picks the first of them. The order reads the answer key, so an arm that
    trains on such a pick declares it: Pool(1, first=INDEX, chosen_by_truth=True).
    """
    from rewardscope.analyses.ranking import rank_problems
    from rewardscope.store import RunDirectory
    from rewardscope.study.again import made_again

    directory = RunDirectory(root)
    entry = _arm_of(directory.record(), arm)
    cells = [directory.cell(name) for name in entry["cells"].values()]
    made_arm = made_again(directory.record(), entry["config"], entry.get("made_of", ()), study)
    ranked = rank_problems(made_arm, cells)[:top]
    if as_json:
        show_json([{"index": index, **asdict(problem)} for index, problem in ranked])
        return
    table = folding_table("index", "deviation", "mean", "times met", "prompt")
    for index, problem in ranked:
        prompt = problem.prompt if len(problem.prompt) <= 60 else problem.prompt[:57] + "..."
        table.add_row(
            str(index),
            f"{problem.deviation:.3f}",
            f"{problem.mean:.2f}",
            str(problem.times_met),
            Text(prompt),
        )
    console.print(table)


@app.command(rich_help_panel=EXAMINE)
def phases(
    root: RunPath,
    arm: Annotated[str, typer.Argument(help="Arm of the run.")],
    gram: Annotated[
        list[str] | None,
        typer.Option(
            "--gram", help="A strategic gram; may be repeated. Default: mined from the run."
        ),
    ] = None,
    study: StudyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with both curves.")] = False,
) -> None:
    """Show when execution tokens grow certain and plans grow varied.

    A steep fall of one and rise of the other, in that order, are two phases of learning. Random
    grams stand beside them as the null.
    """
    from rewardscope.analyses.courses import courses
    from rewardscope.report.tables import course_table
    from rewardscope.store import RunDirectory, StoredRun
    from rewardscope.study.again import made_again

    directory = RunDirectory(root)
    entry = _arm_of(directory.record(), arm)
    record, start = directory.record(), entry["config"]["start"]
    policy = made_again(record, start, entry.get("made_of", ()), study).load()
    by_kind = courses(policy, StoredRun(directory), arm, gram or ())
    records = {kind: courses_of_kind.record() for kind, courses_of_kind in by_kind.items()}
    if as_json:
        show_json(records)
        return
    say(f"grams: {', '.join(records['strategic']['grams'])}")
    say(f"random: {', '.join(records['random']['grams'])}")
    console.print(course_table(records))


@app.command(rich_help_panel=EXAMINE)
def subnetwork(
    root: RunPath,
    arm: Annotated[str, typer.Argument(help="Arm of the run, finished under two seeds or more.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Directory for the retrainings. Default: RUN-ARM-subnetwork beside the run.",
        ),
    ] = None,
    workers: Workers = None,
    study: StudyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train an arm again with only the weights that it had changed.

    The same is done with as many random weights, as many of the smallest, and those that another
    seed had changed.
    """
    from rewardscope.analyses.subnetwork import read_subnetworks
    from rewardscope.codec import encode
    from rewardscope.report.tables import subnetwork_table
    from rewardscope.study import StudySource, open_run

    folder = out or root.with_name(f"{root.resolve().name}-{arm}-subnetwork")
    again = _subnetwork_study(root, arm, folder.resolve().name, study)
    command = f"rewardscope subnetwork {shlex.quote(str(root))} {shlex.quote(arm)}{_out(out)}"
    file = study or _study_file(root)
    directory = open_run(again, folder, command, file, on_edits=_say_edits, on_note=_say_note)
    _carry_out(again, StudySource(file, encode(again)), directory, command, workers)
    record = read_subnetworks(again, directory)
    if as_json:
        show_json(record)
        return
    console.print(subnetwork_table(record))


def _study_file(root: Path) -> Path | None:
    """The study file that the run was made with, if it still exists."""
    from rewardscope.store import RunDirectory

    file = RunDirectory(root).record().get("file")
    return Path(file) if file and Path(file).is_file() else None


def _subnetwork_study(root: Path, arm: str, name: str, study_file: Path | None) -> "Study":
    """The study of an arm's subnetworks, from the record of a finished run."""
    from rewardscope.analyses.subnetwork import subnetwork_study
    from rewardscope.store import RunDirectory
    from rewardscope.study.again import made_again

    directory = RunDirectory(root)
    record = directory.record()
    entry = _arm_of(record, arm)
    made_arm = made_again(record, entry["config"], entry.get("made_of", ()), study_file)
    cells = {int(seed): directory.cell(cell) for seed, cell in entry["cells"].items()}
    trained = {
        seed: cell.checkpoint(made_arm.steps)
        for seed, cell in cells.items()
        if cell.status()["state"] == "done"
    }
    measured = {"evaluation": record["evaluation"], "probes": record["probes"]}
    again = made_again(record, measured, record.get("made_of", ()), study_file)
    return subnetwork_study(
        name,
        made_arm,
        trained,
        again["evaluation"],
        tuple(again["probes"]),
        record["threads_per_cell"],
        record["device"],
    )
