"""The packages that some worlds in words need and the rest of rewardscope does not."""

import importlib
import importlib.util
from types import ModuleType

from rewardscope.errors import ComponentError

INSTALL = "pip install 'rewardscope[words]'"
NEEDED = {"Gym": "reasoning_gym", "Loophole": "reasoning_gym", "Code": "pydantic_monty"}
"""World -> the module that it cannot ask or grade without."""


def needed(module: str, user: str) -> ModuleType:
    """The module, imported on first use.

    Raises:
        ComponentError: If it is not installed; it says what installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ComponentError(
            f"{user} needs a package that is not installed",
            value=f"module {module}: {error}",
            allowed="the extra 'words', which has the packages of the worlds in words",
            do=f"Run: {INSTALL}",
        ) from error


def missing() -> dict[str, str]:
    """Worlds that cannot be used here, and the module that each lacks."""
    return {world: module for world, module in NEEDED.items() if not _is_installed(module)}


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # ValueError: a module that was blocked
        return False
