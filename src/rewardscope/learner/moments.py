"""AdamW by the format of its moments: torch's own, or bitsandbytes' in 8 bits or paged."""

import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import nn

from rewardscope.errors import ComponentError, ModelError
from rewardscope.learner.optimizers import begin_state

Moments = Literal["float32", "8bit", "paged"]
BYTES: Mapping[str, float] = {"float32": 8.0, "8bit": 2.0 + 2 * 4 / 256, "paged": 0.0}
"""On the device, for each weight that moves. In 8 bits a block of 256 has one scale; paged moments
count as the machine's memory.
"""


def adamw(
    parameters: Iterable[nn.Parameter], moments: Moments, **settings: Any
) -> torch.optim.Optimizer:
    """A fresh AdamW over the parameters.

    Args:
        parameters: To be moved.
        moments: float32: torch's fused one; 8bit: quantised in blocks; paged: in float32, moved to
            the machine's memory while a GPU's is short.
        settings: lr, betas, weight_decay and the like, as torch names them.

    Raises:
        ModelError: If bitsandbytes is wanted and not installed.
        ComponentError: If paged moments are wanted away from a CUDA GPU.

    Source:
        Dettmers et al. 2022, arXiv:2110.02861 (8 bits); Dettmers et al. 2023, arXiv:2305.14314,
            section 3 (paged).
    """
    chosen = list(parameters)
    if moments == "float32":
        optimizer = torch.optim.AdamW(chosen, fused=True, **settings)
        begin_state(optimizer)
        return optimizer
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            f"Moments in {moments} need bitsandbytes, which is not installed",
            value=f"Learner(moments={moments!r})",
            do="pip install 'rewardscope[memory]', or leave moments out",
        )
    import bitsandbytes

    if moments == "paged" and any(weight.device.type != "cuda" for weight in chosen):
        raise ComponentError(
            "Paged moments move between a CUDA GPU and the machine's memory",
            value=f"weights on {chosen[0].device}",
            allowed="moments float32 or 8bit elsewhere",
            do="Correct it in the study file",
        )
    kind = bitsandbytes.optim.AdamW8bit if moments == "8bit" else bitsandbytes.optim.PagedAdamW32bit
    made: torch.optim.Optimizer = kind(chosen, **settings)
    return made
