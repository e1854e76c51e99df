"""Weights of a policy in memory or of a checkpoint on disk, one tensor at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from rewardscope.errors import ModelError
from rewardscope.policy.policy import Policy


@runtime_checkable
class Weights(Protocol):
    """Named tensors that are asked for one by one."""

    def names(self) -> list[str]:
        """Every tensor there is."""

    def tensor(self, name: str) -> Tensor:
        """One of them, as it is stored, on the CPU."""


@dataclass(frozen=True)
class PolicyWeights:
    """A policy's parameters."""

    policy: Policy

    def names(self) -> list[str]:
        """In the model's own order; tied weights once."""
        return [name for name, _ in self.policy.model.named_parameters()]

    def tensor(self, name: str) -> Tensor:
        """The parameter without its graph."""
        found: Tensor = self.policy.model.get_parameter(name)
        return found.detach().cpu()


@dataclass(frozen=True)
class FolderWeights:
    """The ``model*.safetensors`` of a Hugging Face folder, mapped into memory: only the tensor asked for is read."""

    folder: Path

    @cached_property
    def _place(self) -> dict[str, Path]:
        """File of each tensor."""
        found: dict[str, Path] = {}
        for path in sorted(self.folder.glob("model*.safetensors")):
            with safe_open(path, framework="pt") as file:
                found |= dict.fromkeys(file.keys(), path)
        if not found:
            raise ModelError(
                "The folder holds no weights",
                value=self.folder,
                allowed="model.safetensors, or model-00001-of-0000N.safetensors and so on",
                do="Give the folder that save_pretrained wrote",
            )
        return found

    def names(self) -> list[str]:
        """In alphabetical order.

        Raises:
            ModelError: If there are none.
        """
        return sorted(self._place)

    @property
    def files(self) -> list[str]:
        """Names of the files, in alphabetical order.

        Raises:
            ModelError: If there are none.
        """
        return sorted({path.name for path in self._place.values()})

    def tensor(self, name: str) -> Tensor:
        """Read from the file when it is asked for."""
        with safe_open(self._place[name], framework="pt") as file:
            found: Tensor = file.get_tensor(name)
        return found


def in_step(first: Weights, *others: Weights) -> Iterator[tuple[str, list[Tensor]]]:
    """Each name with the tensor of every side in float32.

    Raises:
        ModelError: If the sides are not of one architecture, a tensor is quantised, or a number in it is not finite.
    """
    for other in others:
        odd = sorted(set(first.names()) ^ set(other.names()))
        if odd:
            raise ModelError(
                "The checkpoints are of different architectures: some tensors are in one alone",
                value=f"{', '.join(odd[:4])}{' ...' if len(odd) > 4 else ''}",
                do="Compare checkpoints of one model",
            )
    for name in first.names():
        tensors = [side.tensor(name) for side in (first, *others)]
        shapes = {tuple(tensor.shape) for tensor in tensors}
        if len(shapes) > 1:
            raise ModelError(
                f"Tensor {name} has different shapes in the checkpoints",
                value=" and ".join(str(list(shape)) for shape in sorted(shapes)),
                do="Compare checkpoints of one model with one tokenizer",
            )
        for tensor in tensors:
            if not tensor.is_floating_point() or tensor.element_size() < 2:
                raise ModelError(
                    f"Tensor {name} is quantised; its update cannot be read off",
                    value=tensor.dtype,
                    allowed="float32, bfloat16, float16",
                    do="Compare the weights before quantisation",
                )
        tensors = [tensor.float() for tensor in tensors]
        for tensor in tensors:
            if not tensor.isfinite().all():
                raise ModelError(f"Tensor {name} holds numbers that are not finite", value=int((~tensor.isfinite()).sum()), do="Look at it")
        yield name, tensors


def largest(value: Tensor, count: int) -> Tensor:
    """True at the ``count`` largest entries, in the value's shape; of equal ones at the border the first.

    >>> largest(torch.tensor([2.0, 1.0, 2.0, 3.0]), 2).tolist()
    [True, False, False, True]
    """
    flat = value.flatten().cpu()
    if not 0 < count < len(flat):
        return torch.full(value.shape, count > 0)
    border = float(np.partition(flat.numpy(), len(flat) - count)[len(flat) - count])  # several times as fast as torch's topk
    mask = flat > border
    level = (flat == border).nonzero().squeeze(1)
    mask[level[: count - int(mask.sum())]] = True
    return mask.view(value.shape)
