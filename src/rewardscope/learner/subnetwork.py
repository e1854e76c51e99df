"""Which entries of the weights may move: those that another training changed, or as many others in
every matrix.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import torch
from torch import Tensor, nn

from rewardscope.errors import ComponentError
from rewardscope.identity import file_digest
from rewardscope.policy.weights import FolderWeights, Weights, in_step, largest
from rewardscope.seeds import generator

Entries = Literal["changed", "other", "random", "smallest"]
View = Literal["bfloat16", "largest"]


@dataclass(frozen=True)
class Subnetwork:
    """Lets only those entries of each matrix move that a finished training of the same start had
    changed, or as many others.

    ``view`` says what counts as changed: entries that ``bfloat16`` stores as changed, or the
    ``largest`` float32 updates, ``share`` of each matrix (fewer where fewer moved). ``entries``
    says which of a matrix, always as many: the ``changed`` ones themselves, those that an ``other``
    training changed (its changed entries first, then by the size of the update), ``random`` ones,
    or the ``smallest`` untrained weights.

    Outside the mask gradient and optimizer state are 0 at each step, after the gradient was
    clipped, so that inside every number is scaled as in full training; not a bit outside moves,
    weight decay included.

    Raises:
        ComponentError: If a seed has no training, or the settings make no mask.

    Source:
        Mukherjee et al. 2025, arXiv:2505.11711, section 4: m * gradient right before the
            optimizer's update, where m is what changed in bfloat16 by more than 1e-5; ours is where
            the stored bits differ. The controls of equal number in each matrix are ours.
    """

    trained: tuple[tuple[int, str], ...]
    """Seed of this arm -> folder of the finished training whose changed entries are counted."""
    entries: Entries = "changed"
    view: View = "bfloat16"
    share: float = 0.1
    """Of each matrix, in view ``largest``; no part of view ``bfloat16``."""
    others: tuple[tuple[int, str], ...] = ()
    """Seed of this arm -> folder of the training whose places are taken, for ``other``."""
    trained_with_truth: bool = True
    """Whether those trainings read the key: then so does a mask made of what they changed."""

    reads: ClassVar[str] = "weights of a training and of its start"

    def __post_init__(self) -> None:
        names = self.entries in get_args(Entries) and self.view in get_args(View)
        if not (
            names
            and 0 < self.share <= 1
            and self.trained
            and bool(self.others) == (self.entries == "other")
        ):
            raise ComponentError(
                "Subnetwork cannot make a mask of these settings",
                value=self,
                allowed=f"entries one of {', '.join(get_args(Entries))}; view one of "
                f"{', '.join(get_args(View))}; 0 < share <= 1; a "
                "training for each seed, and others for entries='other' alone",
                do="Mend the study",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether the key shaped the mask; in bfloat16 view it shaped the number of entries of each
        matrix, whichever they are.
        """
        return self.trained_with_truth and (
            self.entries in ("changed", "other") or self.view == "bfloat16"
        )

    def identity(self) -> str:
        """SHA-256 of the weights that the masks are made of.

        Raises:
            ModelError: If a folder holds none.
        """
        return ",".join(_digest(folder) for _, folder in (*self.trained, *self.others))

    def masks(self, start: Weights, seed: int) -> dict[str, Tensor]:
        """Which entries may move under the seed, by name of the weight; bool on the CPU.

        Raises:
            ComponentError: If the seed has no training.
            ModelError: If a training is not of this start's architecture.
        """
        sides = [self._folder(self.trained, seed)] + (
            [self._folder(self.others, seed)] if self.others else []
        )
        return {
            name: self._mask(name, seed, *tensors)
            for name, tensors in in_step(start, *map(FolderWeights, sides))
        }

    def _folder(self, folders: tuple[tuple[int, str], ...], seed: int) -> Path:
        by_seed = dict(folders)
        if seed not in by_seed:
            raise ComponentError(
                "The subnetwork has no training for a seed of the study",
                value=f"seed {seed}",
                allowed=", ".join(str(known) for known in by_seed),
                do="Name its folder, or leave the seed out",
            )
        return Path(by_seed[seed])

    def _mask(
        self, name: str, seed: int, before: Tensor, own: Tensor, other: Tensor | None = None
    ) -> Tensor:
        size = before.numel()
        if self.view == "bfloat16":
            count = int((before.bfloat16() != own.bfloat16()).sum())
        else:
            count = min(int(self.share * size), int((before != own).sum()))
        if self.entries == "random":
            return largest(
                torch.from_numpy(generator("subnetwork", seed, name).random(size)).view(
                    before.shape
                ),
                count,
            )
        if self.entries == "smallest":
            return largest(-before.abs(), count)
        after = own if other is None else other
        size_of_update = (after - before).double().abs()
        if self.view == "bfloat16":  # what is stored as changed stands before all else
            size_of_update += (before.bfloat16() != after.bfloat16()) * (1 + size_of_update.max())
        return largest(size_of_update, count)


def _digest(folder: str) -> str:
    files = [Path(folder) / name for name in FolderWeights(Path(folder)).files]
    return hashlib.sha256("".join(file_digest(path) for path in files).encode()).hexdigest()


def hold_outside(
    optimizer: torch.optim.Optimizer,
    parameters: Mapping[str, nn.Parameter],
    masks: Mapping[str, Tensor],
) -> None:
    """Makes every step of the optimizer leave what is outside the masks as it is, bit for bit.

    Raises:
        ComponentError: If the masks are not of these weights.
    """
    odd = sorted(set(parameters) ^ set(masks)) or [
        name for name in masks if masks[name].shape != parameters[name].shape
    ]
    if odd:
        raise ComponentError(
            "The masks are of other weights than those that may move",
            value=", ".join(odd[:4]),
            do="Make them from this start",
        )
    outside = {
        parameter: ~masks[name].to(parameter.device) for name, parameter in parameters.items()
    }
    kept: dict[nn.Parameter, Tensor] = {}
    decays = any(group["weight_decay"] for group in optimizer.param_groups)

    def before(_optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
        for parameter, mask in outside.items():
            state = [
                tensor
                for tensor in optimizer.state.get(parameter, {}).values()
                if tensor.shape == parameter.shape
            ]
            for tensor in [*state, *([] if parameter.grad is None else [parameter.grad])]:
                tensor.masked_fill_(mask, 0)
            if decays:
                kept[parameter] = parameter.detach().clone()

    def after(_optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
        with torch.no_grad():
            for parameter, values in kept.items():
                parameter.copy_(torch.where(outside[parameter], values, parameter))
        kept.clear()

    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(after)
