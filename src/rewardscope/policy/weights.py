"""Weights of a policy in memory or of a checkpoint on disk, one tensor at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from rewardscope.errors import ModelError
from rewardscope.policy.policy import Policy
from rewardscope.store import check_own


@runtime_checkable
class Weights(Protocol):
    """Named tensors, read one by one."""

    def names(self) -> list[str]:
        """Names of all tensors."""

    def tensor(self, name: str) -> Tensor:
        """One tensor as stored, on the CPU."""


@dataclass(frozen=True)
class PolicyWeights:
    """A policy's parameters."""

    policy: Policy

    def names(self) -> list[str]:
        """In the model's own order; tied weights once."""
        return [name for name, _ in self.policy.model.named_parameters()]

    def tensor(self, name: str) -> Tensor:
        """The parameter without its graph."""
        parameter: Tensor = self.policy.model.get_parameter(name)
        return parameter.detach().cpu()


@dataclass(frozen=True)
class FolderWeights:
    """The ``model*.safetensors`` of a Hugging Face folder, mapped into memory: only the tensor
    asked for is read.
    """

    folder: Path

    @cached_property
    def _place(self) -> dict[str, Path]:
        """File of each tensor: as the index says where there is one."""
        check_own(self.folder)
        index = self.folder / INDEX
        files: dict[str, Path] = {}
        for path in (
            _shards(index) if index.is_file() else sorted(self.folder.glob("model*.safetensors"))
        ):
            with _opened(path) as file:
                files |= dict.fromkeys(file.keys(), path)
        if not files:
            raise ModelError(
                "The folder has no weights",
                value=self.folder,
                allowed="model.safetensors, or model-00001-of-0000N.safetensors and so on",
                do="Give the folder that save_pretrained wrote",
            )
        return files

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
        with _opened(self._place[name]) as file:
            stored: Tensor = file.get_tensor(name)
        return stored


INDEX = "model.safetensors.index.json"


def _shards(index: Path) -> list[Path]:
    """The files that an index names.

    Raises:
        ModelError: If it cannot be read, or a file is missing.
    """
    try:
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        paths = [
            index.parent / Path(name).name for name in names
        ]  # never outside of the folder, whatever the index says
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(
            "The index of the shards cannot be read",
            value=f"{index}: {error}",
            do="Fetch the model again",
        ) from error
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise ModelError(
            "Shards of the checkpoint are missing",
            value=", ".join(missing[:4]),
            do="Fetch or copy the rest of the model",
        )
    return paths


def _opened(path: Path) -> Any:
    """The file, mapped into memory.

    Raises:
        ModelError: If it is truncated or not safetensors.
    """
    try:
        return safe_open(path, framework="pt")
    except (OSError, SafetensorError) as error:
        raise ModelError(
            "A file of weights cannot be read",
            value=f"{path}: {error}",
            do="Fetch or copy it again",
        ) from error


def in_step(
    first: Weights, *others: Weights, finite: bool = True
) -> Iterator[tuple[str, list[Tensor]]]:
    """Each name with the tensors of all sides in float32. Tensors stored in float32 are not copied.

    Args:
        first: Provides the names.
        others: Read in parallel.
        finite: Whether to check that all numbers are finite. A caller that sums over all of them
            can check its sum instead, and call :func:`refuse_not_finite`.

    Raises:
        ModelError: If the sides are not of one architecture, a tensor is quantised, or a number in
            it is not finite.
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
                    f"Tensor {name} is quantised, so its update cannot be computed",
                    value=tensor.dtype,
                    allowed="float32, bfloat16, float16",
                    do="Compare the weights before quantisation",
                )
        tensors = [tensor.float() for tensor in tensors]
        if finite:
            refuse_not_finite(name, *tensors)
        yield name, tensors


def refuse_not_finite(name: str, *tensors: Tensor) -> None:
    """Raises if a number is not finite.

    Raises:
        ModelError: With the count of such numbers.
    """
    for tensor in tensors:
        if not tensor.isfinite().all():
            raise ModelError(
                f"Tensor {name} holds numbers that are not finite",
                value=int((~tensor.isfinite()).sum()),
                do="Check the checkpoint",
            )


def largest(value: Tensor, count: int) -> Tensor:
    """True at the ``count`` largest entries, in the value's shape, on the CPU; ties at the border
    go to the first.

    >>> largest(torch.tensor([2.0, 1.0, 2.0, 3.0]), 2).tolist()
    [True, False, False, True]
    """
    flat = value.flatten().cpu()
    if not 0 < count < len(flat):
        return torch.full(value.shape, count > 0)
    border = float(
        np.partition(flat.numpy(), len(flat) - count)[len(flat) - count]
    )  # several times as fast as torch's topk
    mask = flat > border
    level = (flat == border).nonzero().squeeze(1)
    mask[level[: count - int(mask.count_nonzero())]] = True
    return mask.view(value.shape)
