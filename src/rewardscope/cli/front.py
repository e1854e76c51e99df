"""What every command shares: the applications, the console, and how things are said on it."""

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
    help="Tiny models of known content: list them, or build one from its recipe.",
    no_args_is_help=True,
)
app.add_typer(organisms_app, name="organisms")
console = Console()

Arm = TypeVar("Arm")
Out = Annotated[
    Path | None, typer.Option("--out", help="Run directory; runs/<study> when not given.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        help="Worker processes; as many as the cores have room for when not given.",
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
    """Prints a line as it is: no markup in it has effect, and a command or path in it is never
    broken over lines.
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
    """Prints a JSON value on standard output, for machines."""
    sys.stdout.write(json.dumps(value, indent=1) + "\n")


def count_of(number: int, what: str) -> str:
    """So many of something, in words."""
    return f"{number} {what}{'' if number == 1 else 's'}"
