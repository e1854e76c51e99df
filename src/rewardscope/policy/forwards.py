"""Another way through some of a model's modules, for a while."""

import contextlib
from collections.abc import Callable, Iterator, Mapping

from torch import Tensor, nn


@contextlib.contextmanager
def going(ways: Mapping[nn.Module, Callable[..., Tensor]]) -> Iterator[None]:
    """Within it, the modules compute by these functions; afterwards as before, whatever
    happened.
    """
    for module, way in ways.items():
        module.forward = way
    try:
        yield
    finally:
        for module in ways:
            del module.forward
