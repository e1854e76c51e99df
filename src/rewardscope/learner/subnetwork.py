"""Masks of trainable weight entries: those that another training changed, or equally many others in
each matrix.
"""

import hashlib
import math
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
    """Trains only the entries of each matrix that a finished training from the same start changed,
    or equally many others.

    ``view`` defines "changed": entries with different ``bfloat16`` values, or the ``largest``
    float32 updates, a ``share`` of each matrix (fewer if fewer changed). ``entries`` selects
    equally many of each matrix: the ``changed`` ones themselves; those that an ``other`` training
    changed (its changed entries first, then by the size of the update); ``random`` ones; or the
    ``smallest`` untrained weights.

    At each step, gradient and optimizer state outside the mask are set to 0 after the gradient is
    clipped. Inside the mask everything is thus scaled as in full training, and the step is shorter
    than a step of all entries. With ``matched``, state is kept everywhere, and each step is the one
    of all entries, cut to the mask and lengthened to its norm. Outside, entries stay the same to
    the bit, even with weight decay.

    The ``changed`` entries of a seed were chosen by that seed's own data, so training them again on
    the same data replays it. Those of an ``other`` seed decide whether the place is the task's.

    Raises:
        ComponentError: If a seed has no training, or the settings define no mask.

    Source:
        Mukherjee et al. 2025, arXiv:2505.11711, section 4: m * gradient right before the
            optimizer's update, with m the entries that changed by more than 1e-5 in bfloat16. Ours
            are the entries whose stored bits differ. The controls with equal numbers in each
            matrix, and those of equal norm, are ours.
    """

    trained: tuple[tuple[int, str], ...]
    """Seed of this arm -> folder of the finished training that defines the changed entries."""
    entries: Entries = "changed"
    view: View = "bfloat16"
    share: float = 0.1
    """Share of each matrix, for the view ``largest``; unused by ``bfloat16``."""
    others: tuple[tuple[int, str], ...] = ()
    """Seed of this arm -> folder of the training whose entries are used, for ``other``."""
    trained_with_truth: bool = True
    """Whether those trainings read the answer key. If so, a mask from their changes does too."""
    matched: bool = False
    """Whether each step has the norm that a step of all entries would have."""

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
                "Subnetwork cannot make a mask from these settings",
                value=self,
                allowed=f"entries one of {', '.join(get_args(Entries))}; view one of "
                f"{', '.join(get_args(View))}; 0 < share <= 1; a "
                "training for each seed, and others for entries='other' alone",
                do="Correct the study file",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether the answer key shaped the mask. In the view bfloat16 it always shaped the number
        of entries in each matrix.
        """
        return self.trained_with_truth and (
            self.entries in ("changed", "other") or self.view == "bfloat16"
        )

    def identity(self) -> str:
        """SHA-256 of the weights behind the masks.

        Raises:
            ModelError: If a folder has no weights.
        """
        return ",".join(_digest(folder) for _, folder in (*self.trained, *self.others))

    def masks(self, start: Weights, seed: int) -> dict[str, Tensor]:
        """Masks of the entries to train under the seed, by name of the weight; bool on the CPU.

        Raises:
            ComponentError: If the seed has no training.
            ModelError: If a training has another architecture than this start.
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
        if self.view == "bfloat16":  # entries with changed bits come first
            size_of_update += (before.bfloat16() != after.bfloat16()) * (1 + size_of_update.max())
        return largest(size_of_update, count)


def _digest(folder: str) -> str:
    files = [Path(folder) / name for name in FolderWeights(Path(folder)).files]
    return hashlib.sha256("".join(file_digest(path) for path in files).encode()).hexdigest()


def hold_outside(
    optimizer: torch.optim.Optimizer,
    parameters: Mapping[str, nn.Parameter],
    masks: Mapping[str, Tensor],
    matched: bool = False,
) -> None:
    """Hooks into an optimizer so that entries outside the masks stay the same to the bit; with
    ``matched`` so that what moves inside has the norm of the whole step.

    Raises:
        ComponentError: If the masks do not match these weights.
    """
    odd = sorted(set(parameters) ^ set(masks)) or [
        name for name in masks if masks[name].shape != parameters[name].shape
    ]
    if odd:
        raise ComponentError(
            "The masks do not match the trainable weights",
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
            if matched:
                kept[parameter] = parameter.detach().clone()
                continue
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
            ratio = _lengthening(kept, outside) if matched else 1.0
            for parameter, values in kept.items():
                step = parameter if ratio == 1.0 else values + ratio * (parameter - values)
                parameter.copy_(torch.where(outside[parameter], values, step))
        kept.clear()

    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(after)


def _lengthening(
    before: Mapping[nn.Parameter, Tensor], outside: Mapping[nn.Parameter, Tensor]
) -> float:
    """Norm of a step over the norm of what of it is inside; 1 where nothing inside moved."""
    whole = within = 0.0
    for parameter, values in before.items():
        square = (parameter - values).double() ** 2
        whole += float(square.sum())
        within += float(square[~outside[parameter]].sum())
    return math.sqrt(whole / within) if within else 1.0
