"""Runners for the cells of a study: in this process, in processes on this machine, or elsewhere.

An installed package can offer a runner under the entry point group ``rewardscope.runners``: a
callable that takes the work and a number of workers.
"""

from collections.abc import Callable

from rewardscope.errors import ComponentError
from rewardscope.protocols import Runner, Work
from rewardscope.registry import offered
from rewardscope.runners.inline import Inline
from rewardscope.runners.interrupts import exit_code, interrupted_by_signals
from rewardscope.runners.outcome import Outcome
from rewardscope.runners.processes import Processes

LOCAL = "local"
Start = Callable[[Work, int], Runner]
"""Starts a runner for the work with a number of workers."""

__all__ = [
    "LOCAL",
    "Inline",
    "Outcome",
    "Processes",
    "Start",
    "exit_code",
    "interrupted_by_signals",
    "runner_named",
    "start_local",
]


def start_local(work: Work, workers: int) -> Runner:
    """A runner with this number of processes; 0 = in this process, in order."""
    return Processes(work, workers) if workers else Inline(work)


def runner_named(name: str) -> Start:
    """The function that starts the runner of that name: ``local``, or one that a package offers.

    Raises:
        ComponentError: If no runner has that name, or it cannot be imported.
    """
    if name == LOCAL:
        return start_local
    entries = offered("runners")
    for value, entry in entries.items():
        if name in (entry.name, value):
            try:
                start: Start = entry.load()
            except (ImportError, AttributeError) as error:
                raise ComponentError(
                    "A runner that a package offers cannot be imported",
                    value=f"{name}: {error}",
                    allowed=f"a callable at {value}",
                    do="Install the package's dependencies",
                ) from error
            return start
    raise ComponentError(
        "There is no runner of that name",
        value=repr(name),
        allowed=", ".join([LOCAL, *(entry.name for entry in entries.values())]),
        do="Check the spelling, or install the package that offers it under the entry point group "
        "rewardscope.runners",
    )
