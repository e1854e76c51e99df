"""What each method costs: seconds a step and peak memory, as a multiple of plain group-mean credit.

    make costs                                        (alone on the machine; about 20 minutes)
    python benchmarks/methods.py kto sdpo             (these alone, beside plain credit)

Every arm of ``studies/methods.py`` runs a few steps in a process of its own, so that its peak
memory is its own: on the organism as the study has it, and on SmolLM2-135M with 4 prompts x 8
completions of 32 tokens told coin flips. The first step of each process is a warm-up and left out,
and the fastest of the others counts: what else the machine does can only add. A method should cost
what it must: one forward pass for a reference, a teacher or an implicit reward model, whose
training is one more, and nothing otherwise.
"""

import runpy
import sys
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from processes import leave, quiet, taken
from rich.console import Console
from rich.table import Table
from stories import TOPICS, Stories

PLAIN = "group-mean"
ONE = "--one"
STEPS = {"organism": 8, "smollm2": 4}
"""Of one process, the warm-up included."""
THREADS = 2
STUDY = Path(__file__).parent.parent / "studies" / "methods.py"


def arm_on(model: str, name: str) -> Any:
    """The study's arm of that name on the model."""
    from rewardscope import Coin, Planning, Pretrained, Reprompt, Sampling, SelfDistillation

    arm = runpy.run_path(str(STUDY))["METHODS"][name]
    arm = replace(
        arm, steps=STEPS[model], checkpoint_every=STEPS[model], reward=Coin(), sampling_rounds=1
    )
    if model == "organism":
        return arm
    credit = arm.credit
    if isinstance(credit, SelfDistillation):
        credit = replace(credit, reprompt=Reprompt())
    if isinstance(credit, Planning):
        credit = replace(credit, grams=("so", "then", "wait"))
    return replace(
        arm,
        start=Pretrained("smollm2-135m-instruct"),
        environment=Stories(),
        sampling=Sampling(max_tokens=32),
        credit=credit,
        learner=replace(arm.learner, learning_rate=1e-5),
        problems_per_step=len(TOPICS),
        completions_per_problem=8,
    )


def run_one(model: str, name: str) -> None:
    """Runs the arm in this process and leaves one line of JSON on standard output."""
    import torch

    from rewardscope.store import CellDirectory
    from rewardscope.training import train

    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        cell = CellDirectory(Path(folder))
        train(arm_on(model, name), 0, cell, lambda step: None)
        seconds = [row["seconds"] for row in cell.steps()][1:]
    leave({"seconds": seconds})


def main() -> None:
    """Runs every method on both models and prints the table."""
    console = Console(width=130)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    wanted = sys.argv[1:]
    names = [
        name
        for name in runpy.run_path(str(STUDY))["METHODS"]
        if not wanted or name in (PLAIN, *wanted)
    ]
    for name in names:
        for model in STEPS:
            found[model, name] = taken(__file__, ONE, model, name, **quiet(THREADS))
            seconds = ", ".join(f"{s:.2f}" for s in found[model, name]["seconds"])
            console.print(
                f"{name} on {model}: {seconds} s a step, {found[model, name]['peak_gib']:.2f} GiB",
                highlight=False,
            )
    table = Table(
        "method",
        *(
            f"{model}: {what}"
            for model in STEPS
            for what in ("s a step", "times", "peak GiB", "times")
        ),
    )
    for name in names:
        row = []
        for model in STEPS:
            mine, plain = found[model, name], found[model, PLAIN]
            second, second_plain = min(mine["seconds"]), min(plain["seconds"])
            memory = f"{mine['peak_gib']:.2f}", f"{mine['peak_gib'] / plain['peak_gib']:.2f}"
            row += [f"{second:.2f}", f"{second / second_plain:.2f}", *memory]
        table.add_row(name, *row)
    console.print(table)
    console.print(
        f"fastest of the steps after the first; float32, {THREADS} threads, torch "
        f"{version('torch')}, rewardscope {version('rewardscope')}",
        highlight=False,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == [ONE]:
        run_one(*sys.argv[2:])
    else:
        main()
