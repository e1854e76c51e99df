"""Commands that look closer at an arm of a finished run: rank, phases, subnetwork."""

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from rewardscope.cli.front import (
    EXAMINE,
    RunPath,
    Workers,
    app,
    arm_named,
    console,
    count_of,
    say,
    show_json,
)
from rewardscope.report.layout import folding_table

if TYPE_CHECKING:
    from rewardscope.study import Study


from rewardscope.cli.runs import carry_out, out_option, say_edits, say_note

StudyFile = Annotated[
    Path | None,
    typer.Option("--study", help="The run's study file, if it has been moved."),
]


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
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it starts.")] = False,
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
    command = f"rewardscope subnetwork {shlex.quote(str(root))} {shlex.quote(arm)}{out_option(out)}"
    file = study or _study_file(root)
    if not (yes or as_json):
        _ask_before(again, root, arm, folder, workers)
    directory = open_run(again, folder, command, file, on_edits=say_edits, on_note=say_note)
    carry_out(again, StudySource(file, encode(again)), directory, command, workers)
    record = read_subnetworks(again, directory)
    if as_json:
        show_json(record)
        return
    console.print(subnetwork_table(record))


def _ask_before(again: "Study", root: Path, arm: str, folder: Path, workers: int | None) -> None:
    """Says how many cells would be trained and how long that takes, and asks where somebody can
    answer.

    Raises:
        typer.Exit: If the answer is no.
    """
    from rewardscope.store import RunDirectory
    from rewardscope.study import default_workers

    there = RunDirectory(folder)
    left = [c for c in again.cells() if there.cell(c.name).status()["state"] != "done"]
    trained = [cell for cell in left if cell.seed is not None]
    if not trained:
        return
    run = RunDirectory(root)
    took = [
        sum(row["seconds"] for row in rows)
        for name in _arm_of(run.record(), arm)["cells"].values()
        if (rows := run.cell(name).steps()) and "seconds" in rows[0]
    ]
    known = ""
    if took:
        at_once = max(1, default_workers(again) if workers is None else workers)
        minutes = len(trained) * (sum(took) / len(took)) / at_once / 60
        known = f", at least {max(1, round(minutes))} minutes as the arm itself took"
    say(f"{count_of(len(trained), 'cell')} to train{known}, and then to measure.")
    if console.is_terminal and sys.stdin.isatty() and not typer.confirm("Start?", default=True):
        raise typer.Exit(1)


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
