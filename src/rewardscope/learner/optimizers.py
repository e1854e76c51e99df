"""Optimizers on disk: safetensors, because reading a pickle can run code."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from rewardscope.policy.policy import Policy

MASTERS = "masters.safetensors"
OWN = "parameter."
"""Prefix of further tensors stored with the optimizer's."""


def begin_state(optimizer: torch.optim.Optimizer) -> None:
    """Allocates an AdamW's moments now, instead of among the gradients of its first step.

    Later they would lie in the gaps between that step's gradients. The freed memory around them
    would then be too fragmented for longer tensors.
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
    """Writes the optimizer's tensors, with further tensors to store."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    tensors = {  # cloned, because those of 8 bits share a table
        f"{index}.{name}": torch.tensor(entry) if isinstance(entry, int) else entry.clone()
        for index, weight in enumerate(weights)
        for name, entry in optimizer.state[weight].items()
    }
    save_file(
        tensors | {OWN + name: tensor.contiguous() for name, tensor in (beside or {}).items()}, path
    )


def load_optimizer(optimizer: torch.optim.Optimizer, path: Path) -> dict[str, Tensor]:
    """The further tensors stored with an optimizer, whose own are loaded into a fresh optimizer
    over the same weights.
    """
    state: dict[int, dict[str, Tensor | int]] = {}
    beside: dict[str, Tensor] = {}
    for key, tensor in load_file(path).items():
        if key.startswith(OWN):
            beside[key.removeprefix(OWN)] = tensor
            continue
        index, name = key.split(".", 1)
        whole_number = tensor.dtype == torch.int64 and not tensor.ndim  # bitsandbytes' steps
        state.setdefault(int(index), {})[name] = int(tensor) if whole_number else tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return beside


def save_masters(policy: Policy, folder: Path) -> None:
    """Writes the float32 copies of a policy in another format; nothing where there are none."""
    if policy.masters:
        save_file({name: copy.detach() for name, copy in policy.masters.items()}, folder / MASTERS)


def load_masters(policy: Policy, folder: Path) -> None:
    """Reads them back, and rounds them into the weights."""
    saved = load_file(folder / MASTERS)
    with torch.no_grad():
        for name, master in policy.masters.items():
            master.copy_(saved[name])
    policy.settle()
