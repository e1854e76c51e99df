"""The command line: paths, resources and verbosity; no flag can change a result."""

import os
import sys

from rich.console import Console

from rewardscope.cli import begin, checking, examine, inquiry, runs, stored, survey, watch
from rewardscope.cli.front import app, console
from rewardscope.errors import RewardscopeError
from rewardscope.hostile import visible

__all__ = [
    "app",
    "begin",
    "checking",
    "console",
    "examine",
    "inquiry",
    "main",
    "runs",
    "stored",
    "survey",
    "watch",
]


def main() -> None:
    """Entry point: a user's mistake is one paragraph on standard error and exit code 2."""
    # waiting threads sleep; torch reads this when it is loaded, which no command has done yet
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        app(prog_name="rewardscope")
    except RewardscopeError as error:
        stderr = Console(stderr=True)
        stderr.print("error: ", style="bold red", end="")
        stderr.print(visible(str(error)), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
