"""One GRPO step on SmolLM2-135M, ours and TRL's in turn: the same prompts, lengths, precision,
threads and machine.

    .venv/bin/python benchmarks/grpo_step.py                (alone on the machine; about 20 minutes)
    .venv/bin/python benchmarks/grpo_step.py short          (the short prompts alone)

A step is 4 prompts x G completions of at most 32 tokens: generation, rewards, update. The short
prompts have 48 tokens and G = 8; the long ones 516 tokens, as with few-shot examples, and G = 16.
Each engine runs in a process of its own, so that its peak memory is its own; the first steps of
each process are a warm-up and left out. The prompts ask for long answers, so nearly every
completion is 32 tokens long in all engines; the mean is printed. TRL runs twice on the short
prompts: as it comes, which computes activations again (gradient checkpointing), and with that
turned off.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from processes import leave, quiet, taken
from rich.console import Console
from rich.table import Table
from stories import TOPICS, Stories, pay, prompt

MODEL = "smollm2-135m-instruct"
MAX_TOKENS = 32
LEARNING_RATE = 1e-5
THREADS = 2
OURS, TRL, KEPT = "rewardscope", "trl", "trl, activations kept"


@dataclass(frozen=True)
class Size:
    """What a step is made of, and how often it is measured."""

    examples: int
    """In each prompt."""
    group: int
    steps: int
    """Of one process."""
    warm_up: int
    """Of these, left out."""
    rounds: int
    """Processes of each engine, in turn."""
    engines: tuple[str, ...]
    trl_rows: int
    """Completions that TRL's update takes at once."""


SIZES = {
    "short": Size(
        examples=0, group=8, steps=7, warm_up=2, rounds=1, engines=(OURS, TRL, KEPT), trl_rows=32
    ),
    "long": Size(
        examples=14, group=16, steps=2, warm_up=1, rounds=1, engines=(OURS, TRL), trl_rows=16
    ),
}


def ours(size: Size, folder: Path) -> dict[str, Any]:
    """Seconds of each step and of its parts as the training loop itself recorded them, rollouts
    written to disk included.
    """
    import torch

    from rewardscope import Arm, Learner, Pretrained, Sampling, Truth
    from rewardscope.store import CellDirectory
    from rewardscope.training import train

    torch.set_num_threads(THREADS)
    arm = Arm(
        name="benchmark",
        start=Pretrained(MODEL),
        environment=Stories(size.examples),
        reward=Truth(),
        learner=Learner(learning_rate=LEARNING_RATE),
        sampling=Sampling(max_tokens=MAX_TOKENS),
        steps=size.steps,
        problems_per_step=len(TOPICS),
        completions_per_problem=size.group,
        checkpoint_every=size.steps,
    )
    cell = CellDirectory(folder)
    train(arm, 0, cell, lambda step: None)
    rows = cell.steps()
    parts = {
        name.removeprefix("seconds/"): [row[name] for row in rows]
        for name in rows[0]
        if name.startswith("seconds/")
    }
    return {
        "seconds": [row["seconds"] for row in rows],
        "tokens": [row["length_mean_tokens"] for row in rows],
        "parts": parts,
    }


def trl(size: Size, folder: Path, **settings: Any) -> dict[str, Any]:
    """Seconds from the trainer's step-begin to its step-end callback: generation, rewards,
    update.
    """
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

    def reward(
        completions: list[list[dict[str, str]]], completion_ids: list[list[int]], **kwargs: Any
    ) -> list[float]:
        tokens.append(sum(map(len, completion_ids)) / len(completion_ids))
        return [pay(completion[0]["content"]) for completion in completions]

    source = packaged_folder(MODEL)
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(
            source, dtype=torch.float32, trust_remote_code=False
        ),
        processing_class=AutoTokenizer.from_pretrained(source, trust_remote_code=False),
        reward_funcs=reward,
        train_dataset=Dataset.from_list(
            [
                {"prompt": [{"role": "user", "content": prompt(p, size.examples)}]}
                for p in range(len(TOPICS))
            ]
        ),
        args=GRPOConfig(
            output_dir=str(folder),
            per_device_train_batch_size=size.trl_rows,
            gradient_accumulation_steps=len(TOPICS) * size.group // size.trl_rows,
            num_generations=size.group,
            max_completion_length=MAX_TOKENS,
            max_steps=size.steps,
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


ENGINES = {OURS: {}, TRL: {}, KEPT: {"gradient_checkpointing": False}}
"""Engine by name: what is set otherwise than it comes."""


def run_one(size: str, engine: str) -> None:
    """Runs the engine in this process and leaves one line of JSON on standard output."""
    with tempfile.TemporaryDirectory() as folder:
        found = (
            ours(SIZES[size], Path(folder))
            if engine == OURS
            else trl(SIZES[size], Path(folder), **ENGINES[engine])
        )
    leave(found)


@dataclass(frozen=True)
class Found:
    """What one engine's steps took, the warm-up left out."""

    seconds: list[float]
    tokens: float
    """Mean of a completion."""
    peak_gib: float
    parts: dict[str, float]
    """Median seconds of each part of ours."""

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)


def measure(size: str, console: Console) -> dict[str, Found]:
    """Runs the engines in turn."""
    settings = SIZES[size]
    runs: dict[str, list[dict[str, Any]]] = {engine: [] for engine in settings.engines}
    for _ in range(settings.rounds):
        for engine in settings.engines:
            runs[engine].append(taken(__file__, size, engine, **quiet(THREADS)))
            console.print(
                f"{size}, {engine}: {', '.join(f'{s:.1f}' for s in runs[engine][-1]['seconds'])} s "
                "a step",
                highlight=False,
            )
    warm = settings.warm_up

    def together(engine: str, values: str) -> list[float]:
        return [value for run in runs[engine] for value in run[values][warm:]]

    return {
        engine: Found(
            seconds=together(engine, "seconds"),
            tokens=statistics.mean(together(engine, "tokens")),
            peak_gib=max(run["peak_gib"] for run in runs[engine]),
            parts={
                part: statistics.median(
                    value for run in runs[engine] for value in run["parts"][part][warm:]
                )
                for part in runs[engine][0].get("parts", {})
            },
        )
        for engine in settings.engines
    }


def main(sizes: list[str]) -> None:
    """Runs the engines and prints a table for each size."""
    console = Console(highlight=False)
    for size in sizes or SIZES:
        found = measure(size, console)
        table = Table(
            "engine",
            "median s a step",
            "least - most",
            "tokens a completion",
            "peak GiB",
            "steps",
            "ours is faster",
        )
        for engine, values in found.items():
            table.add_row(
                engine.replace("trl", f"trl {version('trl')}"),
                f"{values.median_s:.1f}",
                f"{min(values.seconds):.1f} - {max(values.seconds):.1f}",
                f"{values.tokens:.1f}",
                f"{values.peak_gib:.1f}",
                str(len(values.seconds)),
                "" if engine == OURS else f"{values.median_s / found[OURS].median_s:.2f} times",
            )
        console.print(table)
        console.print(
            f"parts of ours: "
            f"{', '.join(f'{part} {value:.2f} s' for part, value in found[OURS].parts.items())}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        run_one(*sys.argv[1:])
    else:
        main(sys.argv[1:])
