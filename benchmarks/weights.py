"""What comparing checkpoints costs beside a plain read of their files: SmolLM2-135M and two
trainings of it.

    .venv/bin/python benchmarks/weights.py          (alone on the machine; a minute or two)

The trainings are the model with independent noise of size 1e-5 on every weight, in a temporary
folder. Each file is read once before, so that no time is the disk's. Peak memory is the process's,
and grows only.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from machine import seconds
from processes import peak_gib
from rich.console import Console

from rewardscope.analyses.checkpoints import compare
from rewardscope.policy import Policy
from rewardscope.policy.packaged import packaged_folder
from rewardscope.policy.weights import FolderWeights
from rewardscope.probes.agreement import agreements
from rewardscope.probes.weight_change import changes
from rewardscope.seeds import generator

MODEL = "smollm2-135m-instruct"
ROUNDS = 3
"""Of what takes a second; the fastest counts."""


def trained(folder: Path, seed: int) -> Path:
    """A folder with the model's weights and noise."""
    policy = Policy.load(packaged_folder(MODEL))
    with torch.no_grad():
        for name, parameter in policy.model.named_parameters():
            noise = generator("benchmark weights", name, seed).standard_normal(
                tuple(parameter.shape), dtype="float32"
            )
            parameter.add_(torch.from_numpy(noise * 1e-5))
    policy.save(folder / str(seed))
    return folder / str(seed)


def plain_read(folders: list[Path]) -> int:
    """Every byte of the files, once, a file at a time."""
    return sum(len((folder / "model.safetensors").read_bytes()) for folder in folders)


def measure(console: Console) -> list[float]:
    """Seconds of a plain read and of each comparison; prints them with memory."""
    start = packaged_folder(MODEL)
    console.print(f"{torch.get_num_threads()} threads, GPU: {torch.cuda.is_available()}")
    with tempfile.TemporaryDirectory() as name:
        folders = [trained(Path(name), seed) for seed in (1, 2)]
        before, *after = (FolderWeights(folder) for folder in (start, *folders))
        pair = [start, folders[0]]
        gigabytes = plain_read(pair) / 1e9
        steps: list[tuple[str, Callable[[], object], int]] = [
            (
                f"plain read of start and one training, {gigabytes:.2f} GB",
                lambda: plain_read(pair),
                ROUNDS,
            ),
            (
                "changed entries and norms of one",
                lambda: changes(before, after[0], spectra=False),
                ROUNDS,
            ),
            ("change, ranks and geometry of one", lambda: changes(before, after[0]), 1),
            ("agreement of two", lambda: agreements(before, {"one": after[0], "two": after[1]}), 1),
            (
                "everything of two, as `rewardscope weights` does it",
                lambda: compare(MODEL, list(map(str, folders))),
                1,
            ),
        ]
        found: list[float] = []
        for what, work, rounds in steps:
            found.append(seconds(work, rounds))
            share = (
                ""
                if len(found) == 1
                else f"; {found[0] / found[-1]:.2f} of the speed of the plain read"
            )
            console.print(f"{what}: {found[-1]:.2f} s{share}; peak so far {peak_gib():.2f} GiB")
    return found


if __name__ == "__main__":
    measure(Console(highlight=False))
