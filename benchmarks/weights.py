"""What comparing checkpoints costs: change, ranks and agreement of two SmolLM2-135M trainings beside a plain read of their files.

    .venv/bin/python benchmarks/weights.py          (alone on the machine; about a minute)

The trainings are the model with independent noise of size 1e-5 on every weight. Peak memory is the process's.
"""

import resource
import tempfile
import time
from pathlib import Path

import torch
from rich.console import Console

from rewardscope.policy import Policy
from rewardscope.policy.packaged import packaged_folder
from rewardscope.seeds import generator
from rewardscope.study.checkpoints import compare

MODEL = "smollm2-135m-instruct"


def trained(folder: Path, seed: int) -> Path:
    """A folder with the model's weights and noise."""
    policy = Policy.load(packaged_folder(MODEL))
    with torch.no_grad():
        for name, parameter in policy.model.named_parameters():
            noise = generator("benchmark weights", name, seed).standard_normal(tuple(parameter.shape), dtype="float32")
            parameter.add_(torch.from_numpy(noise * 1e-5))
    policy.save(folder / str(seed))
    return folder / str(seed)


def main() -> None:
    """Prints seconds and memory."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as name:
        folders = [trained(Path(name), seed) for seed in (1, 2)]
        for what, work in (
            ("plain read of one", lambda: (folders[0] / "model.safetensors").read_bytes()),
            ("change and ranks of one", lambda: compare(MODEL, folders[:1])),
            ("change and ranks of two, and their agreement", lambda: compare(MODEL, folders)),
        ):
            began = time.monotonic()
            work()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            console.print(f"{what}: {time.monotonic() - began:.2f} s; peak so far {peak:.2f} GiB")


if __name__ == "__main__":
    main()
