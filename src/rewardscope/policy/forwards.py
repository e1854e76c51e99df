"""Temporarily replaces the forward functions of some modules."""

import contextlib
from collections.abc import Callable, Iterator, Mapping

from torch import Tensor, nn


@contextlib.contextmanager
def going(ways: Mapping[nn.Module, Callable[..., Tensor]]) -> Iterator[None]:
    """A context in which the modules compute by these functions; restored in any case."""
    for module, way in ways.items():
        module.forward = way
    try:
        yield
    finally:
        for module in ways:
            del module.forward
