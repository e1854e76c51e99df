"""What this machine can do, measured: the rate of matrix products and of reading memory; and the
floor of a GRPO step that follows.
"""

import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

ROUNDS = 20


@dataclass(frozen=True)
class Rates:
    """Best of the rounds: what else the machine does can only take away."""

    products_per_s: float
    """Floating-point operations of large products, a multiply-add counted as two."""
    read_bytes_per_s: float
    """Of reading a gigabyte."""


@dataclass(frozen=True)
class Shape:
    """A model as far as the floor knows it."""

    body: int
    """Weights that every token passes."""
    head: int
    """Weights of the output layer."""
    trained: int
    """Weights that the optimizer moves."""
    bytes_per_weight: int = 4


def seconds(work: Callable[[], object], rounds: int, device: str = "cpu") -> float:
    """Of the fastest round."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        found.append(time.perf_counter() - began)
    return min(found)


def measure(device: str = "cpu", dtype: torch.dtype = torch.float32) -> Rates:
    """The rates, in the precision that the step uses."""
    size = 8192 if device == "cuda" else 2048
    one, other = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    whole = torch.randn(1 << 28, device=device)
    product = seconds(lambda: one @ other, ROUNDS, device)
    read = seconds(lambda: whole.sum(), ROUNDS, device)
    return Rates(2 * size**3 / product, whole.numel() * 4 / read)


def shape_of(model: torch.nn.Module, bytes_per_weight: int = 4) -> Shape:
    """The body without the input embedding, which is only looked up."""
    head = model.get_output_embeddings().weight.numel()
    body = (
        sum(p.numel() for p in model.base_model.parameters())
        - model.get_input_embeddings().weight.numel()
    )
    return Shape(body, head, sum(p.numel() for p in model.parameters()), bytes_per_weight)


def decode_floor_s(shape: Shape, rates: Rates, rows: int) -> float:
    """Seconds of one token for every row: all weights read once, or all products, whichever takes
    longer.
    """
    weights = shape.body + shape.head
    return max(
        weights * shape.bytes_per_weight / rates.read_bytes_per_s,
        2 * rows * weights / rates.products_per_s,
    )


def update_floor_s(shape: Shape, rates: Rates, read_tokens: int, scored_tokens: int) -> float:
    """Seconds of forward and backward passes (6 operations a weight and token) and of one pass of
    AdamW (7 numbers a weight).
    """
    products = 6 * (shape.body * read_tokens + shape.head * scored_tokens) / rates.products_per_s
    return products + 7 * 4 * shape.trained / rates.read_bytes_per_s


def step_floor_s(
    shape: Shape, rates: Rates, prompt_tokens: list[int], group: int, new_tokens: int
) -> float:
    """Seconds of a GRPO step that reads each prompt once and each completion but its last token
    once; attention and all else is free.
    """
    rows, prompts = len(prompt_tokens) * group, sum(prompt_tokens)
    prefill = 2 * (shape.body * prompts + shape.head * len(prompt_tokens)) / rates.products_per_s
    read = prompts + rows * (new_tokens - 1)
    return (
        prefill
        + (new_tokens - 1) * decode_floor_s(shape, rates, rows)
        + update_floor_s(shape, rates, read, rows * new_tokens)
    )


def described() -> str:
    """Processor, cores and memory of this machine, and the commit that is checked out."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor() or "unknown",
    )
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        check=False,
    )
    return (
        f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}, commit "
        f"{commit.stdout.strip() or 'unknown'}"
    )
