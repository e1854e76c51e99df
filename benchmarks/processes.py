"""A measurement in a process of its own, so that its peak memory is its own: what it found comes
back as a line of JSON.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from typing import Any


def peak_gib() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def leave(found: Mapping[str, Any]) -> None:
    """Called last in the process: puts what was found, and ``peak_gib``, on standard output."""
    print("\n" + json.dumps({**found, "peak_gib": peak_gib()}))


def taken(script: str, *arguments: object, **variables: str) -> dict[str, Any]:
    """What the script left, run with these arguments and further environment variables; stops with
    its last words where it failed.
    """
    command = [sys.executable, "-W", "ignore", script, *map(str, arguments)]
    done = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[3:])} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def quiet(threads: int) -> dict[str, str]:
    """Variables of a process that fetches nothing and uses so many threads."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
