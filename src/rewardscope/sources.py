"""File and line of a user's class or function, for errors about it."""

import inspect
import traceback
from collections.abc import Callable
from typing import Any

from rewardscope.errors import ComponentError


def definition(source: Any) -> tuple[str | None, int] | None:
    """File and line of the definition of a class or function; None without a source."""
    try:
        return inspect.getsourcefile(inspect.unwrap(source)), inspect.getsourcelines(source)[1]
    except (OSError, TypeError):
        return None


def where_written(function: Callable[..., Any]) -> str:
    """``file:line`` of the function's definition, or its name without a source."""
    defined = definition(function)
    if defined is None:
        return getattr(function, "__qualname__", repr(function))
    return f"{defined[0]}:{defined[1]}"


def where_raised(error: BaseException, function: Callable[..., Any]) -> str:
    """``file:line`` where the error left the function's own file."""
    own = where_written(function).rpartition(":")[0]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == own]
    return f"{own}:{frames[-1].lineno}" if frames else where_written(function)


def checked_function(function: object, parameters: tuple[str, ...], role: str) -> None:
    """Checks that another process can import the function, and that it accepts its arguments.

    Args:
        function: A user's function.
        parameters: Names of its positional arguments, in order.
        role: For the message, such as "grader".

    Raises:
        ComponentError: If it is no function of a module, or takes other arguments.
    """
    module_level(function, role)
    assert callable(function)
    try:
        inspect.signature(function).bind(*parameters)
    except TypeError as error:
        raise ComponentError(
            f"The {role} does not accept its arguments",
            value=f"{where_written(function)}: {error}",
            allowed=f"def {getattr(function, '__name__', role)}({', '.join(parameters)})",
            do="Give it these parameters, in this order",
        ) from error
    except ValueError:  # functions in C may have no signature
        return


def module_level(function: object, role: str) -> None:
    """Raises ComponentError unless the function can be imported by name from a module."""
    name = getattr(function, "__qualname__", "")
    if not callable(function) or isinstance(function, type):
        raise ComponentError(
            f"The {role} is not a function",
            value=repr(function),
            do="Give a function that a module defines",
        )
    if not name or "<" in name:
        raise ComponentError(
            f"The {role} is not a function of a module, so other processes could not import it",
            value=f"{name or repr(function)} at {where_written(function)}",
            allowed="a function defined by `def` at the top of a file",
            do="Move it to the top of the study file and give it a name",
        )
