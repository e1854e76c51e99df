"""What pass@k of a million stored completions costs, with bands, against a base's million, beside a
plain read of the file.

    .venv/bin/python benchmarks/boundary.py          (alone on the machine; about two minutes, most
    of it making the data)

1,000 problems x 1,024 draws in the store's own columns, 48 tokens each with their logprobs and a
text of 100 characters, written as the store writes tables. Each command is a process of its own, so
its time holds starting Python.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console

from rewardscope.seeds import generator
from rewardscope.store import ROLLOUT_SCHEMA, write_table

PROBLEMS, DRAWS, TOKENS = 1000, 1024, 48


def rollouts(path: Path, name: str, power: float) -> Path:
    """A table of rollouts whose problems are solved with chances drawn from Beta(0.3, 1) to the
    power.
    """
    random, rows = generator("benchmark boundary", name), PROBLEMS * DRAWS
    chance_P = generator("benchmark boundary").beta(0.3, 1.0, PROBLEMS) ** power
    group_N = np.repeat(np.arange(PROBLEMS), DRAWS)
    correct_N = random.random(rows) < chance_P[group_N]
    strict_N = correct_N & (random.random(rows) < 0.9)
    letters = random.integers(97, 123, (rows, 100), dtype=np.uint8).tobytes().decode()
    list_of = pl.List(pl.Int64), pl.List(pl.Float64)
    token_ids = pl.Series(random.integers(0, 50_000, (rows, TOKENS))).cast(list_of[0])
    logprobs = pl.Series(-random.exponential(0.5, (rows, TOKENS))).cast(list_of[1])
    frame = pl.DataFrame(
        {
            "group": group_N,
            "problem": [f"{group:016x}" for group in group_N],
            "environment": ["Made"] * rows,
            "prompt": [f"What is the answer to question {group}?" for group in group_N],
            "key": ["7"] * rows,
            "level": np.ones(rows, dtype=np.int64),
            "policy_step": np.zeros(rows, dtype=np.int64),
            "index": np.tile(np.arange(DRAWS), PROBLEMS),
            "text": [letters[n * 100 : (n + 1) * 100] for n in range(rows)],
            "token_ids": token_ids,
            "logprobs": logprobs,
            "ending": ["end_token"] * rows,
            "correct": correct_N,
            "strict": strict_N,
            "well_formed": strict_N,
            "answer": np.where(correct_N, "7", "6"),
            "told": np.zeros(rows, dtype=bool),
        }
    )
    whole = frame.with_columns(
        pl.lit(None, dtype).alias(column)
        for column, dtype in ROLLOUT_SCHEMA.items()
        if column not in frame.columns
    )
    write_table(
        path, whole.select(pl.col(column).cast(dtype) for column, dtype in ROLLOUT_SCHEMA.items())
    )
    return path


def seconds(*arguments: str) -> float:
    """Of a process."""
    began = time.monotonic()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def measure(console: Console) -> dict[str, float]:
    """Seconds of each way of reading, by name; prints them and rows a second."""
    found, rows = {}, PROBLEMS * DRAWS
    with tempfile.TemporaryDirectory() as folder:
        trained, base = (
            rollouts(Path(folder) / f"{name}.parquet", name, power)
            for name, power in (("trained", 0.7), ("base", 1.0))
        )
        console.print(f"{rows:,} completions, {trained.stat().st_size / 2**20:.0f} MiB")
        columns = "['problem', 'policy_step', 'correct', 'strict']"
        for what, count, arguments in (
            (
                "plain read of all columns",
                1,
                ("-c", f"import polars; polars.read_parquet({str(trained)!r})"),
            ),
            (
                "plain read of the four columns",
                1,
                ("-c", f"import polars; polars.read_parquet({str(trained)!r}, columns={columns})"),
            ),
            ("rewardscope boundary", 1, ("-m", "rewardscope.cli", "boundary", str(trained))),
            (
                "rewardscope boundary --base",
                2,
                ("-m", "rewardscope.cli", "boundary", str(trained), "--base", str(base)),
            ),
        ):
            took = found[what] = seconds(*arguments)
            console.print(f"{what}: {took:.2f} s, {count * rows / took:,.0f} rows/s")
    return found


if __name__ == "__main__":
    measure(Console(highlight=False))
