"""One GRPO step on SmolLM2-135M, alone and beside one busy process, as OpenMP's threads wait.

    .venv/bin/python benchmarks/neighbour.py            (on an idle machine; about 8 minutes)

OpenMP's threads spin while they wait for each other, so a thread that lost its core to a neighbour
holds up all. ``OMP_WAIT_POLICY=passive`` lets them sleep; the command line sets it before torch is
loaded. The step is the short one of ``grpo_step.py``, on two threads.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import grpo_step
from processes import quiet, taken
from rich.console import Console

POLICIES = ("passive", "active")
WARM_UP = 2
SCRIPT = Path(grpo_step.__file__)


@contextmanager
def busy() -> Iterator[None]:
    """One process that uses a core as long as the context lasts."""
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"], env=dict(os.environ))
    try:
        yield
    finally:
        neighbour.kill()
        neighbour.wait()


def measure(console: Console) -> dict[tuple[str, bool], float]:
    """(wait policy, beside a busy process) -> median seconds of a step."""
    found = {}
    for policy in POLICIES:
        for beside in (False, True):
            with busy() if beside else nullcontext():
                run = taken(
                    str(SCRIPT),
                    "short",
                    grpo_step.OURS,
                    **quiet(grpo_step.THREADS),
                    OMP_WAIT_POLICY=policy,
                )
            found[policy, beside] = statistics.median(run["seconds"][WARM_UP:])
            where = "beside a busy process" if beside else "alone"
            console.print(f"{policy}, {where}: {found[policy, beside]:.1f} s a step")
    return found


if __name__ == "__main__":
    measure(Console(highlight=False))
