"""A placebo-controlled laboratory for reward learning."""

from typing import Any

from rewardscope.registry import HOMES, named

__version__ = "0.5.0"

__all__ = sorted({"__version__", *HOMES})


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used: the command line does not wait for torch."""
    if name not in HOMES:
        raise AttributeError(f"module 'rewardscope' has no attribute {name!r}")
    return named(name)


def __dir__() -> list[str]:
    return sorted(__all__)
