"""What every command shares: the applications, the console, and how text is printed."""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from rewardscope import __version__
from rewardscope.errors import StudyError
from rewardscope.hostile import visible

RUN = "Run a study"
EXAMINE = "Look closer at an arm"
FILES = "Compare checkpoints and completions from anywhere"
LIST = "See what there is"

app = typer.Typer(
    help="A placebo-controlled laboratory for reward learning. New here? `rewardscope init DIR` "
    "writes a study to edit; `rewardscope tour` runs a complete one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
organisms_app = typer.Typer(
    help="List the tiny models of known content, or build one from its recipe.",
    no_args_is_help=True,
)
app.add_typer(organisms_app, name="organisms", rich_help_panel=LIST)
console = Console()


def _show_version(asked: bool) -> None:
    """Prints the version and ends, where it was asked for."""
    if asked:
        sys.stdout.write(f"rewardscope {__version__}\n")
        raise typer.Exit


@app.callback()
def front(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Takes the options that come before any command."""


Arm = TypeVar("Arm")
Out = Annotated[Path | None, typer.Option("--out", help="Run directory. Default: runs/STUDY.")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        help="Worker processes. Default: as many as fit on the cores.",
    ),
]
On = Annotated[
    str,
    typer.Option(
        "--on",
        help="Where cells run: local, or a runner that an installed package offers.",
        metavar="NAME",
    ),
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")]


def say(text: str) -> None:
    """Prints a line as it is: markup has no effect, and a command or path is never broken over
    lines.
    """
    console.print(visible(text), markup=False, highlight=False, soft_wrap=True)


def arm_named(name: str, arms: Mapping[str, Arm], whose: str) -> Arm:
    """The arm of this name.

    Raises:
        StudyError: If there is none.
    """
    if name not in arms:
        raise StudyError(
            f"The {whose} has no such arm",
            value=repr(name),
            allowed=", ".join(arms),
            do="Check the spelling",
        )
    return arms[name]


def show_json(value: object) -> None:
    """Prints a JSON value on standard output."""
    sys.stdout.write(json.dumps(value, indent=1) + "\n")


def show_lines(blocks: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    """Names with what they are, a line each under the heading of their block; what does not fit
    the terminal is cut, names never. Long lists go through a pager on a terminal.
    """
    lines = [Text()] * 0
    for heading, entries in blocks.items():
        if not entries:
            continue
        lines += [Text(), Text(heading, style="bold")] if lines else [Text(heading, style="bold")]
        column = max(len(name) for name, _ in entries) + 2
        for name, about in entries:
            line = Text(f"  {visible(name):<{column}}").append(visible(about), style="dim")
            line.truncate(max(console.width, column + 2), overflow="ellipsis")
            lines.append(line)
    show_long(*lines)


def show_long(*parts: RenderableType) -> None:
    """Prints the parts; through a pager, where they are longer than the terminal."""
    height = sum(len(console.render_lines(part)) for part in parts) if console.is_terminal else 0
    with console.pager(styles=True) if height > console.height else nullcontext():
        for part in parts:
            console.print(part)


def count_of(number: int, noun: str) -> str:
    """A number with its noun, in the plural where needed."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
