"""The command that writes the study of a next inquiring line."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from rewardscope.cli.front import RUN, RunPath, app, say
from rewardscope.errors import RunDirectoryError


@app.command("next", rich_help_panel=RUN)
def next_inquiry(
    root: RunPath,
    number: Annotated[
        int | None, typer.Argument(help="Which line of the page; without it, all are listed.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; NAME-next-N.py by default.")
    ] = None,
) -> None:
    """Write the study file of a next inquiring line of a run's page.

    It is the run's study with the line's change: more seeds or problems, a harder world, or the
    arm that is missing.
    """
    from rewardscope.report.answer.inquiries import inquiries
    from rewardscope.report.answer.study_file import study_source
    from rewardscope.report.loading import load_run

    run = load_run(root)
    lines = inquiries(run)
    if number is None:
        for place, inquiry in enumerate(lines, 1):
            say(f"{place}. {inquiry.line.text} {inquiry.line.code}".rstrip())
        if not lines:
            say("No line follows from this run by rule.")
        return
    if not 1 <= number <= len(lines):
        raise RunDirectoryError(
            "The run has no such line",
            value=number,
            allowed=f"1 to {len(lines)}" if lines else "none follows from this run",
            do="Run `rewardscope next RUN` to see them",
        )
    text = study_source(run, lines[number - 1], number)
    file = out or Path(f"{run.study.get('name') or 'study'}-next-{number}.py")
    if file.exists():
        raise RunDirectoryError(
            "The file exists", value=str(file), do="Name another with --out, or remove it"
        )
    file.write_text(text, encoding="utf-8")
    say(f"Study: {file}\nRun it with: rewardscope run {shlex.quote(str(file))}")
