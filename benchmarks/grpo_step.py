"""One GRPO step on SmolLM2-135M, ours and TRL's in turn: the same prompts, lengths, precision, threads and machine.

    make benchmark          (alone on the machine; about 11 minutes)

A step is 4 prompts x 8 completions of at most 32 tokens: generation, rewards, update. Each engine runs in a process of its own, so that
its peak memory is its own; the first step of each process is a warm-up and left out. The prompts ask for long answers, so nearly
every completion is 32 tokens long in all engines; the mean is printed. TRL runs twice: as it comes, which computes activations again
(gradient checkpointing), and with that turned off.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from stories import TOPICS, Stories, pay, prompt

GROUP = 8
MAX_TOKENS = 32
LEARNING_RATE = 1e-5
STEPS = 5
"""Of one process, the warm-up included."""
ROUNDS = 2
"""Processes of each engine, in turn."""
THREADS = 2


def ours(folder: Path) -> dict[str, Any]:
    """Seconds of each step as the training loop itself recorded them, rollouts written to disk included."""
    import torch

    from rewardscope import Arm, Learner, Pretrained, Sampling, Truth
    from rewardscope.store import CellDirectory
    from rewardscope.training import train

    torch.set_num_threads(THREADS)
    arm = Arm(
        name="benchmark",
        start=Pretrained("smollm2-135m-instruct"),
        environment=Stories(),
        reward=Truth(),
        learner=Learner(learning_rate=LEARNING_RATE),
        sampling=Sampling(max_tokens=MAX_TOKENS),
        steps=STEPS,
        problems_per_step=len(TOPICS),
        completions_per_problem=GROUP,
        checkpoint_every=STEPS,
    )
    cell = CellDirectory(folder)
    train(arm, 0, cell, lambda step: None)
    rows = cell.steps()
    return {"seconds": [row["seconds"] for row in rows], "tokens": [row["length_mean_tokens"] for row in rows]}


def trl(folder: Path, **settings: Any) -> dict[str, Any]:
    """Seconds from the trainer's step-begin to its step-end callback: generation, rewards, update."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    from rewardscope.policy.packaged import packaged_folder

    torch.set_num_threads(THREADS)
    seconds: list[float] = []
    tokens: list[float] = []

    class Clock(TrainerCallback):
        began = 0.0

        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
            self.began = time.monotonic()

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            seconds.append(time.monotonic() - self.began)

    def reward(completions: list[list[dict[str, str]]], completion_ids: list[list[int]], **kwargs: Any) -> list[float]:
        tokens.append(sum(map(len, completion_ids)) / len(completion_ids))
        return [pay(completion[0]["content"]) for completion in completions]

    source = packaged_folder("smollm2-135m-instruct")
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32),
        processing_class=AutoTokenizer.from_pretrained(source),
        reward_funcs=reward,
        train_dataset=Dataset.from_list([{"prompt": [{"role": "user", "content": prompt(p)}]} for p in range(len(TOPICS))]),
        args=GRPOConfig(
            output_dir=str(folder),
            per_device_train_batch_size=len(TOPICS) * GROUP,
            num_generations=GROUP,
            max_completion_length=MAX_TOKENS,
            max_steps=STEPS,
            learning_rate=LEARNING_RATE,
            temperature=1.0,
            beta=0.0,
            bf16=False,
            use_cpu=True,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **settings,
        ),
        callbacks=[Clock()],
    )
    trainer.train()
    return {"seconds": seconds, "tokens": tokens}


ENGINES = {"rewardscope": ours, "trl": trl, "trl, activations kept": partial(trl, gradient_checkpointing=False)}


def run_one(engine: str) -> None:
    """Runs the engine in this process and leaves one line of JSON on standard output."""
    with tempfile.TemporaryDirectory() as folder:
        found = ENGINES[engine](Path(folder))
    found["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print("\n" + json.dumps(found))


def main() -> None:
    """Runs the engines in turn and prints the table."""
    console = Console()
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    seconds: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    tokens: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    peak_gib = dict.fromkeys(ENGINES, 0.0)
    for _ in range(ROUNDS):
        for engine in ENGINES:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", __file__, engine], env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
            found = json.loads(done.stdout.strip().splitlines()[-1])
            console.print(f"{engine}: {', '.join(f'{s:.1f}' for s in found['seconds'])} s a step", highlight=False)
            seconds[engine] += found["seconds"][1:]
            tokens[engine] += found["tokens"][1:]
            peak_gib[engine] = max(peak_gib[engine], found["peak_gib"])
    table = Table("engine", "median s a step", "least - most", "tokens a completion", "peak GiB", "steps")
    for engine, values in seconds.items():
        table.add_row(
            engine.replace("trl", f"trl {version('trl')}").replace("rewardscope", f"rewardscope {version('rewardscope')}"),
            f"{statistics.median(values):.1f}",
            f"{min(values):.1f} - {max(values):.1f}",
            f"{statistics.mean(tokens[engine]):.1f}",
            f"{peak_gib[engine]:.1f}",
            str(len(values)),
        )
    console.print(table)
    ours_s = statistics.median(seconds["rewardscope"])
    ratios = ", ".join(
        f"{statistics.median(values) / ours_s:.2f} times {name}" for name, values in seconds.items() if name != "rewardscope"
    )
    console.print(
        f"speed: {ratios}; SmolLM2-135M, {len(TOPICS)} prompts x {GROUP} completions of at most {MAX_TOKENS} tokens, "
        f"float32, {THREADS} threads, torch {version('torch')}, {platform.processor() or platform.machine()}",
        highlight=False,
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_one(sys.argv[1])
    else:
        main()
