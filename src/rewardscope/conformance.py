"""Checks that a component satisfies an interface; errors name its file and the line to write."""

import dataclasses
import inspect
import traceback
from collections.abc import Mapping
from types import FunctionType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from rewardscope.codec import encode
from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.identity import is_project_file
from rewardscope.protocols import (
    Credit,
    Demonstrations,
    Environment,
    Preference,
    Regime,
    Remembers,
    Reward,
    Start,
)
from rewardscope.registry import BUILT_IN, is_guest, name_of
from rewardscope.sources import definition

TRUTH = "uses_truth: ClassVar[bool] = False"
_CREDIT = {
    "uses_truth": TRUTH,
    "needs": "needs: ClassVar[frozenset[str]] = frozenset()",
    "__call__": "def __call__(self, signals): return TokenCredit(...)",
}
MEMBERS: Mapping[type, Mapping[str, str]] = {
    Environment: {
        "name": 'name: ClassVar[str] = "{cls}"',
        "strategies": "strategies: ClassVar[tuple[str, ...]] = ()",
        "problem": "def problem(self, split, index): return Problem(...)",
        "grade": "def grade(self, problem, text): return Grade(...)",
        "oracle": "def oracle(self, problem): return problem.answer",
    },
    Reward: {
        "uses_truth": TRUTH,
        "placebo": "placebo: ClassVar[bool] = False",
        "__call__": "def __call__(self, view, address): return Rewards(...)",
    },
    Credit: _CREDIT,
    Preference: _CREDIT,
    Regime: {
        "uses_truth": TRUTH,
        "indices": "def indices(self, seed, step, count, history, sampling_round=0): ...",
    },
    Start: {
        "label": "label: ClassVar[str] = ...",
        "identity": "def identity(self): return ...",
        "load": 'def load(self, device="cpu"): return Policy.load(...)',
    },
    Demonstrations: {
        "uses_truth": "uses_truth: ClassVar[bool] = True",
        "identity": 'def identity(self): return ""',
        "texts": "def texts(self, problem, environment, count): return (...,) * count",
    },
}
"""Interface -> member -> a line that provides it."""
OPTIONAL: Mapping[type, tuple[type, Mapping[str, str]]] = {
    Reward: (
        Remembers,
        {
            "first_state": "first_state: ClassVar[State] = MappingProxyType(...), or a property",
            "given": "def given(self, state, view, address): return Rewards(...)",
            "next_state": "def next_state(self, state, views, told): return {...}",
        },
    ),
}
"""Interface -> a further one that its components may satisfy: all of its members, or none."""
ARGUMENTS: Mapping[str, Mapping[type, int]] = {
    "problem": {Environment: 2},
    "grade": {Environment: 2},
    "oracle": {Environment: 1},
    "__call__": {Reward: 2, Credit: 1, Preference: 1},
    "indices": {Regime: 5},
    "texts": {Demonstrations: 3},
    "load": {Start: 1},
}
"""Method -> interface -> arguments that it is called with."""
FLAGS = ("uses_truth", "placebo")


def line_of(source: Any) -> str:
    """File and line of a class or function; empty without a source file."""
    defined = definition(source)
    return "" if defined is None else f"{defined[0]}, line {defined[1]}"


def raised_at(error: BaseException) -> str:
    """File and line of the user's code that raised the error; empty if none was involved."""
    lines = [
        f"{frame.filename}, line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if is_project_file(frame.filename)
    ]
    return lines[-1] if lines else ""


def check_component(component: object, interfaces: tuple[type, ...], role: str, owner: str) -> None:
    """Raises if a component does not satisfy any of the interfaces, or cannot be stored.

    Args:
        component: An instance.
        interfaces: From :data:`MEMBERS`; one of them is enough.
        role: The field it was given to.
        owner: The owner of the field, in words.

    Raises:
        ComponentError: If a member is missing or has other arguments, or the class is not a frozen
            dataclass of plain fields.
    """
    if not is_guest(name_of(type(component))) and isinstance(component, interfaces):
        _check_wrapped(component)
        return
    interface = _meant(component, interfaces)
    if isinstance(component, FunctionType):
        raise _is_function(component, role, owner)
    if interface is None:
        raise ComponentError(
            f"{owner} cannot take this as its {role}",
            value=f"{role}={component!r}",
            allowed="instances of " + " or ".join(each.__name__ for each in interfaces),
            do=f"Write {instead(role, component)}",
        )
    check_members(component, MEMBERS[interface], interface.__name__)
    _check_optional(component, interface)
    _check_values(component, interface)
    _check_arguments(component, interface)
    check_record(component, role)


def _check_optional(component: object, interface: type) -> None:
    """Raises if a component has some members of the further interface, but not all."""
    further, members = OPTIONAL.get(interface, (interface, {}))
    if any(hasattr(type(component), name) for name in members):
        check_members(component, members, further.__name__)


def _check_wrapped(component: object) -> None:
    """Raises if a component wrapped by one of ours does not satisfy its interface."""
    cls = type(component)
    if not dataclasses.is_dataclass(component):
        return
    hints = get_type_hints(cls)
    for field in dataclasses.fields(component):
        hint, value = hints[field.name], getattr(component, field.name)
        one_of_several = get_origin(hint) is tuple and get_args(hint)[0] in MEMBERS
        interface = get_args(hint)[0] if one_of_several else hint
        if interface in MEMBERS:
            for wrapped in value if one_of_several else (value,):
                check_component(wrapped, (interface,), field.name, cls.__name__)


def _meant(component: object, interfaces: tuple[type, ...]) -> type | None:
    """The interface that it satisfies, or else the one it has the most members of; None if it has
    none.
    """
    for interface in interfaces:
        if isinstance(component, interface):
            return interface
    if not isinstance(type(component), type) or type(component).__module__ == "builtins":
        return None
    shares = {
        interface: sum(hasattr(component, m) for m in MEMBERS[interface])
        for interface in interfaces
    }
    best = max(shares, key=lambda interface: shares[interface])
    return best if shares[best] else None


def _is_function(function: FunctionType, role: str, owner: str) -> ComponentError:
    wrap = {
        "reward": f"Wrap it: reward=RewardFunction({function.__name__})",
        "environment": "Write a class with problem(), grade() and oracle(), or use Questions(...)",
    }
    return ComponentError(
        f"{owner} was given a plain function as its {role}",
        value=f"{role}={function.__name__}",
        allowed="a component, which declares what it reads",
        do=wrap.get(role, "Write a frozen dataclass with the function as a method"),
        where=line_of(function),
    )


def check_members(component: object, members: Mapping[str, str], interface: str) -> None:
    """Raises if a component lacks a member of its interface.

    Args:
        component: An instance.
        members: Member -> a line that provides it.
        interface: Name of the interface, for the message.

    Raises:
        ComponentError: If a member is missing; with the lines to write.
    """
    cls = type(component)
    missing = [name for name in members if not hasattr(component, name)]
    if missing:
        lines = "; ".join(f"`{members[name].format(cls=cls.__name__)}`" for name in missing)
        raise ComponentError(
            f"{cls.__name__} is no {interface}: it lacks {' and '.join(missing)}",
            value=f"a class with {', '.join(_own(cls)) or 'nothing of its own'}",
            allowed=f"a class with {', '.join(members)}",
            do=f"Add to the class: {lines}",
            where=line_of(cls),
        )


def _own(cls: type) -> list[str]:
    return [name for name in vars(cls) if not name.startswith("_") or name == "__call__"]


def _check_values(component: object, interface: type) -> None:
    """Raises if members have other values than the interface allows."""
    cls = type(component)
    faults: list[tuple[str, object, str]] = []
    if interface is Environment:
        name, strategies = component.name, component.strategies  # type: ignore[attr-defined]
        if not isinstance(name, str) or not name:
            faults.append(("name", name, "a non-empty text"))
        elif name in BUILT_IN["environments"] and _named_by_a_guest(cls):
            faults.append(("name", name, "a name that no environment of this package has"))
        if not isinstance(strategies, tuple) or not all(isinstance(s, str) for s in strategies):
            faults.append(("strategies", strategies, "a tuple of texts, such as () or ('carry',)"))
    for flag in FLAGS:
        if flag in MEMBERS[interface] and not isinstance(getattr(component, flag), bool):
            faults.append((flag, getattr(component, flag), "True or False"))
    for member, value, allowed in faults:
        given = f"tuple: {member} = {tuple(value)!r}" if isinstance(value, list) else ""
        line = MEMBERS[interface][member].format(cls=f"My{cls.__name__}")
        raise ComponentError(
            f"{cls.__name__}.{member} has a value that is not allowed",
            value=f"{member} = {value!r}",
            allowed=allowed,
            do=f"Write a {given}" if given else f"Write, for instance, `{line}`",
            where=line_of(cls),
        )


def _named_by_a_guest(cls: type) -> bool:
    """Whether its name was defined outside this package; a subclass of ours may keep our name."""
    definer = next((base for base in cls.__mro__ if "name" in vars(base)), cls)
    return is_guest(name_of(definer))


def _check_arguments(component: object, interface: type) -> None:
    """Raises if methods cannot be called with the arguments they will get, or do not return."""
    for name, counts in ARGUMENTS.items():
        if interface not in counts:
            continue
        method = getattr(type(component), name)
        kind = (
            "async"
            if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
            else "a generator"
            if inspect.isgeneratorfunction(method)
            else ""
        )
        line = MEMBERS[interface][name]
        if kind:
            raise ComponentError(
                f"{type(component).__name__}.{name}() is {kind}; it has to return its result",
                value=f"{name}() is {kind}",
                allowed="a plain method that returns",
                do=f"Write `{line}`",
                where=line_of(method),
            )
        try:
            inspect.signature(getattr(component, name)).bind(*[None] * counts[interface])
        except TypeError as error:
            raise ComponentError(
                f"{type(component).__name__}.{name}() does not accept the arguments it gets",
                value=f"{name}{inspect.signature(method)}: {error}",
                allowed=line.removeprefix("def ").partition(":")[0],
                do=f"Write `{line}`",
                where=line_of(method),
            ) from error
        except ValueError:  # a callable without a signature
            continue


def check_record(component: object, role: str) -> None:
    """Raises if a component could not be stored, read back and compared.

    Raises:
        ComponentError: If its class is not a frozen dataclass, or a field has a value that JSON
            cannot hold or that can change.
    """
    cls = type(component)
    parameters = getattr(cls, "__dataclass_params__", None)
    if not dataclasses.is_dataclass(component) or parameters is None or not parameters.frozen:
        raise ComponentError(
            f"{cls.__name__} is not a frozen dataclass, so its settings could not be stored or "
            "could change",
            value=f"{role}={cls.__name__}(...), "
            + ("a dataclass that is not frozen" if parameters else "a plain class"),
            allowed="a class under @dataclass(frozen=True)",
            do=f"Write `@dataclass(frozen=True)` above `class {cls.__name__}`",
            where=line_of(cls),
        )
    for field in dataclasses.fields(component):
        if field.init:
            _check_field(cls, field.name, getattr(component, field.name))
    try:
        hash(component)
    except TypeError as error:
        raise ComponentError(
            f"{cls.__name__} has fields that cannot be compared",
            value=str(error),
            allowed="fields that cannot change: text, numbers, booleans, None, tuples, components",
            do="Write tuples for lists and sets, and a tuple of pairs for a mapping",
            where=line_of(cls),
        ) from error


def _check_field(cls: type, name: str, value: object) -> None:
    try:
        encode(value)
        hash(value)
    except (TypeError, RewardscopeError) as error:
        raise ComponentError(
            f"{cls.__name__} has a value in its field '{name}' that cannot be stored or can change",
            value=f"{name}={_short(value)}, of type {type(value).__name__}",
            allowed="text, numbers, booleans, None, tuples and components; a function of a module "
            "by its name",
            do=_plain(name, value),
            where=line_of(cls),
        ) from error


def _plain(name: str, value: object) -> str:
    """A suggestion instead of a value that can change or cannot be stored."""
    if isinstance(value, (list, set, frozenset)):
        return f"Give it a tuple: {name}=tuple(...)"
    if isinstance(value, Mapping):
        return f"Give it a tuple of pairs: {name}=tuple(sorted(mapping.items()))"
    if hasattr(value, "__fspath__"):
        return f"Give it the text: {name}=str(...)"
    if callable(value):
        return (
            "Write the function with def at the top of the module and call it in the method, or "
            "give its name; a lambda has none"
        )
    if hasattr(value, "tolist"):
        return f"Give it plain numbers: {name}=tuple(array.tolist()), or read the file in a method"
    return "Give it plain values, and make the rest from them in a method"


def _short(value: object, most: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= most else text[:most] + " ..."


def instead(role: str, part: object, kind: type | None = None) -> str:
    """A suggestion for the value that was probably meant."""
    if isinstance(part, type):
        needs = dataclasses.is_dataclass(part) and any(
            f.init and f.default is f.default_factory is dataclasses.MISSING
            for f in dataclasses.fields(part)
        )
        return f"{role}={part.__name__}({'...' if needs else ''})"
    if isinstance(part, Mapping) and kind is not None:
        return f"{role}={kind.__name__}({', '.join(f'{k}={v!r}' for k, v in part.items())})"
    if kind is int and isinstance(part, (str, float)):
        try:
            return f"{role}={int(float(part))}, a whole number"
        except ValueError:
            return f"{role}=1, a whole number"
    if role == "start" and isinstance(part, str):
        return f"start=Organism({part!r}) or start=Pretrained({part!r})"
    if role == "start" and hasattr(part, "__fspath__"):
        return f"start=Pretrained({str(part)!r})"
    return f"{role}=... as `rewardscope methods` lists it"


def check_plain_fields(record: Any, kind: type[RewardscopeError]) -> None:
    """Raises if numbers and texts of a record have another type than their field.

    Raises:
        RewardscopeError: Of the given kind; with the field, its value and a correction.
    """
    for name, hint in get_type_hints(type(record)).items():
        kinds = set(get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,))
        plain = kinds - {type(None)}
        if not plain <= {int, float, str, bool}:
            continue
        value = getattr(record, name)
        if type(value) in kinds or (type(value) is int and float in plain):
            continue
        names = " or ".join(sorted(each.__name__ for each in plain))
        raise kind(
            f"{type(record).__name__} cannot take this as its {name}",
            value=f"{name}={value!r}, of type {type(value).__name__}",
            allowed=names + (" or None" if type(None) in kinds else ""),
            do=f"Write {instead(name, value, int)}"
            if plain == {int}
            else f"Write {name}=... with a {names}",
        )
