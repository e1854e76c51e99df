"""What every command shares: the applications, the console, and how text is printed."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from rewardscope.errors import StudyError
from rewardscope.hostile import visible

app = typer.Typer(
    help="A placebo-controlled laboratory for reward learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
organisms_app = typer.Typer(
    help="Tiny models with known content: list them, or build one from its recipe.",
    no_args_is_help=True,
)
app.add_typer(organisms_app, name="organisms")
console = Console()

Arm = TypeVar("Arm")
Out = Annotated[Path | None, typer.Option("--out", help="Run directory; default: runs/<study>.")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        help="Worker processes; default: as many as the cores allow.",
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
RunPath = Annotated[Path, typer.Argument(help="Run directory.")]


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


def count_of(number: int, noun: str) -> str:
    """A number with its noun, in the plural where needed."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
