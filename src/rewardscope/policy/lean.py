"""Layers that keep less for the backward pass: norms keep their input, a gated layer keeps its two
wide products.

Autograd keeps every intermediate number. Here some are computed again, which takes a few passes
over memory but no second product. The numbers equal the library's, to the bit in a Llama. Only the
order in which three gradients are summed may differ.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.activations import SiLUActivation

from rewardscope.policy.forwards import going


def lean(model: PreTrainedModel) -> AbstractContextManager[None]:
    """A context in which norms and gated layers keep less, if trained in float32 on the CPU."""
    return going(
        {
            module: forward
            for module in model.modules()
            if (forward := _lean_forward(module)) is not None
        }
    )


def _lean_forward(module: nn.Module) -> Callable[..., Tensor] | None:
    if not all(
        weight.requires_grad and weight.dtype == torch.float32 and weight.device.type == "cpu"
        for weight in module.parameters()
    ):
        return None
    if isinstance(module, nn.LayerNorm) or type(module).__name__.endswith("RMSNorm"):
        return partial(checkpoint, module.forward, use_reentrant=False, preserve_rng_state=False)
    products: list[Any] = [
        getattr(module, name, None) for name in ("gate_proj", "up_proj", "down_proj")
    ]
    plain = all(type(product) is nn.Linear and product.bias is None for product in products)
    return (
        partial(_gated, *products)
        if plain and isinstance(getattr(module, "act_fn", None), (nn.SiLU, SiLUActivation))
        else None
    )


def _gated(gate: nn.Linear, up: nn.Linear, down: nn.Linear, states: Tensor) -> Tensor:
    flat: Tensor = _Gated.apply(states.flatten(0, -2), gate.weight, up.weight, down.weight)  # type: ignore[no-untyped-call]
    return flat.view(*states.shape[:-1], -1)


class _Gated(torch.autograd.Function):
    """(silu(x G^T) * x U^T) D^T of states (M, W), in the library's order of operations; keeps x and
    the two products in brackets.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, gate: Tensor, up: Tensor, down: Tensor) -> Tensor:
        gated, upped = functional.linear(states, gate), functional.linear(states, up)
        ctx.save_for_backward(states, gated, upped, gate, up, down)
        return functional.linear(functional.silu(gated).mul_(upped), down)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        states, gated, upped, gate, up, down = ctx.saved_tensors
        opened, pull = functional.silu(gated), gradients[0] @ down
        at_up = pull * opened
        down_gradient = gradients[0].t() @ opened.mul_(upped)
        at_gate = torch.ops.aten.silu_backward(pull.mul_(upped), gated)
        return (
            (at_gate @ gate).add_(at_up @ up),
            at_gate.t() @ states,
            at_up.t() @ states,
            down_gradient,
        )
