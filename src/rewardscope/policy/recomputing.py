"""Layers that keep their input alone and compute the rest again on the way back."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial

from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from rewardscope.errors import ModelError
from rewardscope.policy.forwards import going

_WANTED: ContextVar[bool] = ContextVar("recomputing", default=False)


@contextmanager
def recomputing_layers(*, wanted: bool) -> Iterator[None]:
    """A context in which forward passes with a gradient keep less (gradient checkpointing).

    Source:
        Chen et al. 2016, arXiv:1604.06174.
    """
    token = _WANTED.set(wanted)
    try:
        yield
    finally:
        _WANTED.reset(token)


def recomputes() -> bool:
    """Whether layers are asked to."""
    return _WANTED.get()


def layers_again(
    model: PreTrainedModel, within: Callable[[], AbstractContextManager[None]]
) -> AbstractContextManager[None]:
    """A context in which each layer keeps its input alone.

    Args:
        model: Whose layers.
        within: The context in which a layer is computed again, the one of its first time.

    Raises:
        ModelError: If the library knows no layers of this family that can be computed again.
    """
    layers = [each for each in model.modules() if isinstance(each, GradientCheckpointingLayer)]
    if not layers:
        raise ModelError(
            "The model has no layers that can be computed again on the way back",
            value=type(model).__name__,
            do="Leave recomputing out",
        )
    # evaluation mode stays, and the library's own way asks for training mode
    return going(
        {
            layer: partial(
                checkpoint,
                layer.forward,
                use_reentrant=False,
                preserve_rng_state=False,
                context_fn=lambda: (nullcontext(), within()),
            )
            for layer in layers
        }
    )
