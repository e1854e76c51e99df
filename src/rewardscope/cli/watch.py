"""The command that shows runs in a browser while they go on."""

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from rewardscope.cli.front import RUN, app, say
from rewardscope.errors import RunDirectoryError

NEEDED = ("starlette", "uvicorn")
RUNS = Path("runs")


@app.command(rich_help_panel=RUN)
def view(
    roots: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN]...", help="Run directories. Default: those in runs/."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Of this machine.")] = 8000,
) -> None:
    """Show runs in a browser while they go on, with all of their completions.

    The server answers this machine alone, and only reads.
    """
    if lacking := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise RunDirectoryError(
            "The server needs packages that are not installed",
            value=", ".join(lacking),
            do="Run: pip install 'rewardscope[view]'",
        )
    from rewardscope.store import RunDirectory
    from rewardscope.view.server import HOSTS, serve

    chosen = roots or sorted(file.parent for file in RUNS.glob("*/study.json"))
    if not chosen:
        raise RunDirectoryError(
            "There is no run to show",
            value=f"no study.json in a folder of {RUNS.resolve()}",
            do="Name run directories, or start a run first",
        )
    for root in chosen:
        RunDirectory(root).record()
    say(f"http://{HOSTS[0]}:{port}    (Ctrl-C ends it)")
    serve(chosen, port)
