"""Low-rank adapters: the learner trains a low-rank update to frozen weights. All other code reads
their sum.
"""

import copy
import importlib.util
import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.pytorch_utils import Conv1D

from rewardscope.errors import ComponentError, ModelError
from rewardscope.policy.policy import Policy
from rewardscope.seeds import generator

ADAPTERS = "adapters.safetensors"


@dataclass(frozen=True)
class LowRank:
    """Trains W + (alpha / rank) B A with W frozen, for each linear layer except the output layer; A
    (rank, in), B (out, rank).

    B starts at 0, so the policy is unchanged at first. A is uniform in +-1 / sqrt(in), and the same
    for every seed and arm: seeds differ only in their samples. Checkpoints hold the merged weights
    and the adapters. Needs ``pip install rewardscope[lora]``.

    Source:
        Hu et al. 2021, arXiv:2106.09685 (LoRA).
    """

    rank: int = 16
    alpha: float = 32.0
    layers: tuple[str, ...] = ()
    """Name endings of the layers to adapt, such as ``q_proj``; empty = all linear layers except the
    output layer.
    """

    def __post_init__(self) -> None:
        if self.rank < 1 or not self.alpha > 0:
            raise ComponentError(
                "LowRank has settings outside their ranges",
                value=self,
                allowed="rank >= 1, alpha > 0",
                do="Correct the study file",
            )

    def attach(self, policy: Policy) -> Policy:
        """The policy with adapters attached in place; only these can be trained.

        Raises:
            ModelError: If peft is not installed.
            ComponentError: If the model has no layer of these names, or the rank is larger than a
                side of one of them.
        """
        if importlib.util.find_spec("peft") is None:
            raise ModelError("Low-rank adapters need peft", do="pip install 'rewardscope[lora]'")
        from peft import LoraConfig, inject_adapter_in_model

        transposed = any(isinstance(module, Conv1D) for module in policy.model.modules())
        self._check_rank(policy)
        targets = list(self.layers) or "all-linear"
        settings = LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            target_modules=targets,
            fan_in_fan_out=transposed,
            lora_dropout=0.0,
        )
        try:
            inject_adapter_in_model(settings, policy.model)
        except ValueError as error:  # peft raises this for names that no layer has
            linear = sorted(
                {
                    name.rsplit(".", 1)[-1]
                    for name, m in policy.model.named_modules()
                    if isinstance(m, (nn.Linear, Conv1D))
                }
            )
            raise ComponentError(
                "The model has no layers of these names",
                value=self.layers,
                allowed=", ".join(linear),
                do="Name some of the allowed ones, or none",
            ) from error
        with torch.no_grad():
            for name, parameter in policy.trainable().items():
                if ".lora_A." in name:
                    bound = 1 / math.sqrt(parameter.shape[1])
                    draws = generator("low rank", name).uniform(
                        -bound, bound, tuple(parameter.shape)
                    )
                    parameter.copy_(torch.from_numpy(draws))
                else:
                    parameter.zero_()
        return replace(policy, model=policy.model.eval())

    def _check_rank(self, policy: Policy) -> None:
        """Raises if the rank is too large for the layers, before any memory is allocated."""
        head = policy.model.get_output_embeddings()
        sides = {
            min(module.weight.shape): name
            for name, module in policy.model.named_modules()
            if isinstance(module, (nn.Linear, Conv1D))
            and module is not head
            and (not self.layers or name.endswith(self.layers))
        }
        if sides and self.rank > min(sides):
            raise ComponentError(
                "LowRank has a rank above the largest possible rank of a matrix to update",
                value=f"rank={self.rank}; {sides[min(sides)]} has a side of {min(sides)}",
                allowed=f"1 to {min(sides)} in this model",
                do="Lower the rank, or name larger layers",
            )


def merged(policy: Policy) -> Policy:
    """A copy with every adapter added to its weight: a plain model that any tool can read."""
    model = copy.deepcopy(policy.model)
    for name, module in list(model.named_modules()):
        if hasattr(module, "lora_A"):
            module.merge()
            model.set_submodule(name, module.base_layer)
    return replace(policy, model=model.requires_grad_(True).eval(), masters={})


def save_adapters(policy: Policy, folder: Path) -> None:
    """Writes the adapters alone."""
    save_file(
        {name: parameter.detach().contiguous() for name, parameter in policy.trainable().items()},
        folder / ADAPTERS,
    )


def load_adapters(policy: Policy, folder: Path) -> None:
    """Reads them back into a policy with adapters of the same shapes."""
    saved = load_file(folder / ADAPTERS)
    with torch.no_grad():
        for name, parameter in policy.trainable().items():
            parameter.copy_(saved[name])
