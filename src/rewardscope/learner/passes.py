"""How many tokens go into one forward and backward pass, and what a pass keeps."""

from dataclasses import dataclass

import torch
from transformers import PretrainedConfig, PreTrainedModel

from rewardscope.policy.policy import Policy
from rewardscope.policy.room import total_bytes

PASS_TOKENS = 4096
"""Most tokens in one forward and backward pass on a CPU; more are not faster. It bounds memory and
does not change results: token weights come from the whole minibatch.
"""
PASS_BYTES = 3 << 29
"""Bytes of activations a pass may keep for its backward pass on a CPU, counted as 16 numbers of the
model's width per layer and token. A Llama's layers keep 12.
"""
ACCELERATOR_TOKENS = 1 << 16
"""The same on an accelerator: beyond it, products are no faster."""
USABLE = 0.9
"""Share of a device's memory that is planned for."""
PASS_SHARE = 0.5
"""Of what weights and optimizer leave of it, for activations; logits take of the rest."""


@dataclass(frozen=True)
class Held:
    """Bytes that a policy in training holds between updates, and its gradients during one."""

    weights: int
    masters: int
    moments: int
    gradients: int

    @classmethod
    def of(cls, model: PreTrainedModel, moving: int, moment_bytes: float) -> "Held":
        """Of a model of which ``moving`` weights are trained, with so many bytes of moments each on
        the device.
        """
        weights = sum(w.numel() * w.element_size() for w in model.parameters())
        narrow = model.dtype != torch.float32
        return cls(int(weights), 4 * moving * narrow, int(moment_bytes * moving), 4 * moving)

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.masters + self.moments + self.gradients


def activation_bytes(config: PretrainedConfig, number_bytes: int, *, recomputing: bool) -> int:
    """Bytes that one token keeps for the way back, over all layers.

    A layer of a Llama or Qwen2 keeps 4 numbers of its inner width (gate, up, their product and the
    gate opened) and 12 of its own width, as counted on layers of 1.5B and 7B; with recomputing, its
    input, and one layer at a time all of it.
    """
    width, layers = int(config.hidden_size), int(config.num_hidden_layers)
    inner = int(getattr(config, "intermediate_size", None) or 4 * width)
    layer = number_bytes * (4 * inner + 12 * width)
    return number_bytes * width * layers + layer if recomputing else layer * layers


def pass_tokens(
    policy: Policy,
    most: int | None = None,
    *,
    recomputing: bool = False,
    moment_bytes: float = 8.0,
) -> int:
    """Tokens that a forward and backward pass may read: ``most``, or else as many as fit."""
    if most is not None:
        return most
    moving = sum(weight.numel() for weight in policy.trainable().values())
    held = Held.of(policy.model, moving, moment_bytes)
    return fitting_tokens(policy.model, policy.device, held, recomputing=recomputing)


def fitting_tokens(
    model: PreTrainedModel, device: torch.device, held: Held, *, recomputing: bool
) -> int:
    """Tokens of a pass that fit the device; on an accelerator a power of two.

    That follows from its memory, from what the policy holds and from a reference as large, and not
    from what is free at the moment: all passes of a run are cut alike.
    """
    config = model.config
    if device.type == "cpu":
        token_bytes = 16 * 4 * int(config.num_hidden_layers) * int(config.hidden_size)
        return max(1, min(PASS_TOKENS, PASS_BYTES // token_bytes))
    room = PASS_SHARE * (USABLE * total_bytes(device) - held.total - held.weights)
    each = activation_bytes(config, int(model.dtype.itemsize), recomputing=recomputing)
    return min(ACCELERATOR_TOKENS, 1 << (max(1, int(room // each)).bit_length() - 1))
