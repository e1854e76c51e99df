"""One step of 32 x 16 completions on the tour's organism, part by part; and how the cost grows.

    .venv/bin/python benchmarks/organism_step.py          (alone on the machine; about three
    minutes)

Steps of 8, 16, 32 and 64 problems x 16 completions give seconds against sampled tokens, with a line
through them; the memory of a process of 20 steps stands beside that of one of 120; and the time of
a study with two workers beside that with one, one thread each.
"""

import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from processes import leave, taken
from rich.console import Console

from rewardscope import Arm, Boundary, Evaluation, Study
from rewardscope.study.tour import study as tour

STEPS, WARM_UP = 20, 4
PROBLEMS = (8, 16, 32, 64)
LONG_STEPS = 120
CELLS, WORKER_STEPS = 4, 60
"""Of the study that one worker runs and then two."""


def arm(problems: int = 32, steps: int = STEPS) -> Arm:
    """The tour's first arm, on so many problems a step."""
    return replace(tour.arms[0], steps=steps, checkpoint_every=steps, problems_per_step=problems)


def run_one(problems: int, steps: int) -> None:
    """Trains in this process on two threads and leaves one line of JSON on standard output."""
    import torch

    from rewardscope.store import CellDirectory
    from rewardscope.training import train

    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        cell = CellDirectory(Path(folder))
        train(arm(problems, steps), 0, cell, lambda step: None)
        rows = cell.steps()[WARM_UP:]
    tokens = [row["length_mean_tokens"] * problems * 16 for row in rows]
    parts = {
        name: float(np.median([row[name] for row in rows]))
        for name in rows[0]
        if name.startswith("seconds")
    }
    leave({"parts": parts, "tokens": float(np.mean(tokens))})


@dataclass(frozen=True)
class Step:
    """Medians over the steps of one process."""

    parts: dict[str, float]
    """``seconds`` and ``seconds/part``."""
    tokens: float
    """Sampled in a step."""
    peak_gib: float


def measured(problems: int, steps: int = STEPS) -> Step:
    """In a process of its own."""
    return Step(**taken(__file__, problems, steps))


@dataclass(frozen=True)
class Line:
    """Seconds = start + slope x tokens, by least squares."""

    start_s: float
    s_per_token: float
    worst_share: float
    """Largest distance of a point from the line, as a share of the point."""


def line(steps: list[Step]) -> Line:
    """Through the steps' medians."""
    tokens, seconds = (
        np.array([step.tokens for step in steps]),
        np.array([step.parts["seconds"] for step in steps]),
    )
    slope, start = np.polyfit(tokens, seconds, 1)
    return Line(
        float(start),
        float(slope),
        float(np.max(np.abs(start + slope * tokens - seconds) / seconds)),
    )


def workers_s(workers: int) -> float:
    """Seconds that a study of equal cells takes, the base's few completions and the start of Python
    and torch among them.
    """
    from rewardscope.store import RunDirectory
    from rewardscope.study.runner import run_study

    few = Evaluation(problems=8, draws=2)
    study = Study(
        "workers",
        "",
        (arm(steps=WORKER_STEPS),),
        tuple(range(CELLS)),
        (),
        evaluation=few,
        probes=(Boundary(),),
    )
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        failed = run_study(study, None, RunDirectory(Path(folder)), workers)
        took = time.monotonic() - began
    if failed:
        raise SystemExit(str(failed))
    return took


def main() -> None:
    """Prints the parts, the line, the memory and the workers."""
    console = Console(highlight=False)
    steps = [measured(problems) for problems in PROBLEMS]
    for problems, step in zip(PROBLEMS, steps, strict=True):
        console.print(
            f"{problems} x 16, {step.tokens:.0f} tokens: "
            f"{', '.join(f'{n} {v:.3f}' for n, v in step.parts.items())}"
        )
    found = line(steps)
    console.print(
        f"{found.start_s:.3f} s + {found.s_per_token * 1e6:.0f} us a sampled token; the furthest "
        f"point is {found.worst_share:.0%} from it"
    )
    long = measured(32, LONG_STEPS)
    console.print(
        f"memory: {steps[2].peak_gib:.3f} GiB after {STEPS} steps, {long.peak_gib:.3f} GiB after "
        f"{LONG_STEPS}"
    )
    one, two = workers_s(1), workers_s(2)
    console.print(
        f"{CELLS} cells: one worker {one:.1f} s, two workers {two:.1f} s, {one / two:.2f} times"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_one(*map(int, sys.argv[1:]))
    else:
        main()
