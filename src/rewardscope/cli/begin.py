"""The command that begins a study: files to edit, which run as they are."""

import importlib.resources
import shlex
from pathlib import Path
from typing import Annotated

import typer

from rewardscope.cli.front import RUN, app, say
from rewardscope.errors import StudyError

TEMPLATE = "templates/study"
"""Folder of the package with the files that ``init`` writes."""


@app.command(rich_help_panel=RUN)
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write to; made if it is not there.")
    ],
) -> None:
    """Write a study with an environment and a reward of your own, ready to run.

    It takes about a minute on two cores. Files that exist are never overwritten.
    """
    for path in write_study(folder):
        say(f"Written: {path}")
    say(f"Next: cd {shlex.quote(str(folder))} && rewardscope run study.py")


def write_study(folder: Path) -> list[Path]:
    """Copies the template into the folder and returns the paths of the new files.

    Raises:
        StudyError: If one of the files is there already, or the folder cannot be written to.
    """
    root = importlib.resources.files("rewardscope").joinpath(TEMPLATE)
    texts = {item.name: item.read_text() for item in root.iterdir() if item.is_file()}
    if present := sorted(name for name in texts if (folder / name).exists()):
        raise StudyError(
            "A new study would overwrite files",
            value=f"{', '.join(present)} in {folder}",
            allowed=f"a folder without {', '.join(sorted(texts))}",
            do="Name another folder, or move these files away",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (folder / name).open("x") as file:  # "x": one that appeared since is kept too
                file.write(text)
    except OSError as error:
        raise StudyError(
            "A new study cannot be written there",
            value=f"{folder}: {error.strerror}",
            allowed="a folder that you may write to",
            do="Name another folder",
        ) from error
    return [folder / name for name in sorted(texts)]
