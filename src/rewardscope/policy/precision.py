"""Number formats: bfloat16 weights beside float32 master copies, and a float32 head."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from rewardscope.errors import ComponentError
from rewardscope.policy.forwards import going

Format = Literal["float32", "bfloat16"]
DTYPES: Mapping[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Precision:
    """The number format of a policy's weights and of all that it computes.

    In bfloat16 the optimizer moves float32 master copies, which are rounded into the weights after
    each update. An update below half the spacing of bfloat16 would otherwise be lost.

    Source:
        Micikevicius et al. 2018, arXiv:1710.03740, section 3.1 (master copies); MiniMax 2025,
            arXiv:2506.13585, section 3.2 (a float32 head brings sampler and trainer together).
    """

    weights: Format = "float32"
    float32_head: bool = False
    """Whether logits are computed in float32 from bfloat16 states."""

    def __post_init__(self) -> None:
        if self.weights not in get_args(Format):
            raise ComponentError(
                "A policy has no weights of this number format",
                value=f"weights={self.weights!r}",
                allowed=", ".join(get_args(Format)),
                do="Correct it in the study file",
            )

    @classmethod
    def of(cls, device: str) -> "Precision":
        """The usual one of a device: bfloat16 on an accelerator, float32 on a CPU, where bfloat16
        is a hundred times slower.
        """
        return cls("float32" if device.partition(":")[0] == "cpu" else "bfloat16")

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return DTYPES[self.weights]


def float32_head(head: nn.Module) -> AbstractContextManager[None]:
    """A context in which a linear head multiplies in float32; its weight is cast once, here, with
    its gradient.

    Raises:
        ComponentError: If the head is not linear.
    """
    weight, bias = getattr(head, "weight", None), getattr(head, "bias", None)
    if not isinstance(head, nn.Linear) or not isinstance(weight, Tensor):
        raise ComponentError(
            "A float32 head takes a model whose output layer is linear",
            value=type(head).__name__,
            do="Leave float32_head out",
        )
    wide, added = weight.float(), None if bias is None else bias.float()

    def forward(states: Tensor) -> Tensor:
        return linear(states.float(), wide, added)

    return going({head: forward})


def master_copies(weights: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
    """Float32 copies of the weights that are not float32, by name; empty where all are.

    A gradient moves to the copy as soon as it is complete, so passes are summed in float32, and the
    narrow one is freed.
    """
    narrow = {name: weight for name, weight in weights.items() if weight.dtype != torch.float32}
    copies = {name: nn.Parameter(weight.detach().float()) for name, weight in narrow.items()}
    for name, weight in narrow.items():
        weight.register_post_accumulate_grad_hook(_handing_over(copies[name]))  # type: ignore[no-untyped-call]
    return copies


def _handing_over(copy: nn.Parameter) -> Callable[[Tensor], None]:
    def hand_over(weight: Tensor) -> None:
        assert weight.grad is not None
        gradient = weight.grad.float()
        copy.grad = gradient if copy.grad is None else copy.grad.add_(gradient)
        weight.grad = None

    return hand_over
