"""Optimizers on disk: safetensors, because reading a pickle can run code."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

OWN = "parameter."
"""Prefix of tensors kept beside the optimizer's."""


def begin_state(optimizer: torch.optim.AdamW) -> None:
    """Takes the memory of an AdamW's moments now, as its own first step would, and not among the
    gradients of that step.

    There they would lie in the gaps between a step's gradients, and no later step could use its
    freed memory for anything longer.
    """
    for group in optimizer.param_groups:
        for weight in group["params"]:
            moments = {
                name: torch.zeros_like(weight, memory_format=torch.preserve_format)
                for name in ("exp_avg", "exp_avg_sq")
            }
            optimizer.state[weight] = {"step": torch.zeros((), device=weight.device), **moments}


def save_optimizer(
    optimizer: torch.optim.Optimizer, path: Path, beside: Mapping[str, Tensor] | None = None
) -> None:
    """Writes the optimizer's tensors, and those that are to be kept beside them."""
    state = optimizer.state_dict()["state"]
    tensors = {
        f"{index}.{name}": tensor.contiguous()
        for index, entry in state.items()
        for name, tensor in entry.items()
    }
    save_file(
        tensors | {OWN + name: tensor.contiguous() for name, tensor in (beside or {}).items()}, path
    )


def load_optimizer(optimizer: torch.optim.Optimizer, path: Path) -> dict[str, Tensor]:
    """Puts the saved tensors back into a fresh optimizer over the same weights, and returns those
    kept beside them.
    """
    state: dict[int, dict[str, Tensor]] = {}
    beside: dict[str, Tensor] = {}
    for place, tensor in load_file(path).items():
        if place.startswith(OWN):
            beside[place.removeprefix(OWN)] = tensor
            continue
        index, name = place.split(".", 1)
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return beside
