"""The tour from a cold start: seconds, and the largest resident size of any of its processes.

.venv/bin/python benchmarks/tour.py          (alone on the machine; about 4 minutes)
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars


def measure() -> float:
    """Runs the tour in a fresh folder, prints what it took, and returns the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        command = [sys.executable, "-m", "rewardscope.cli", "tour", "--out", f"{folder}/tour"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - began
        steps = polars.concat(
            [polars.read_parquet(path) for path in Path(folder).glob("tour/cells/*/steps.parquet")],
            how="diagonal",
        )
        page_bytes = (Path(folder) / "tour" / "report.html").stat().st_size
    peak_gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(
        f"tour: {took:.0f} s on {os.cpu_count()} cores; largest process {peak_gib:.2f} GiB; page "
        f"{page_bytes / 1e6:.2f} MB"
    )
    print(
        f"step of 32 x 16 completions, two cells at a time: median {steps['seconds'].median():.2f} "
        f"s over {len(steps)} steps"
    )
    return took


if __name__ == "__main__":
    measure()
