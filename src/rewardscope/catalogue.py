"""All components and instruments, for the command line, the tests and the codec."""

import dataclasses
import inspect
import itertools
import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import rewardscope.environments
from rewardscope.environments.words.extra import INSTALL, missing
from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.organisms import RECIPES, card
from rewardscope.probes import Need, validation
from rewardscope.probes.base import needs_of, uses_of
from rewardscope.protocols import Environment
from rewardscope.registry import (
    ANALYSES,
    BUILT_IN,
    analysis,
    class_of,
    components,
    name_of,
    offered,
)

UNASKED = {"prompt": f"not installed here: {INSTALL}", "oracle": ""}
"""The sample of a world whose packages are missing."""
MEASURED = Path(rewardscope.environments.__file__).parent / "measured.json"
"""How an untrained language model behaves in each environment; benchmarks/base_behaviour.py makes
it.
"""


def first_line(cls: type) -> str:
    """The summary of the class: the first paragraph of its docstring."""
    paragraph = inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0]
    return " ".join(paragraph.split()).replace("``", "")


def fields_of(cls: type) -> str:
    """Fields with their defaults, as written in code."""
    parts = []
    for field in dataclasses.fields(cls):
        missing = field.default is dataclasses.MISSING
        parts.append(field.name if missing else f"{field.name}={field.default!r}")
    return ", ".join(parts)


def stands_alone(cls: type) -> bool:
    """Whether it can be made without arguments, unlike a data set, which needs a file."""
    return all(
        field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        for field in dataclasses.fields(cls)
        if field.init
    )


def source_of(cls: type) -> str:
    """The ``Source:`` section of the component's docstring; empty if it is ours."""
    lines = inspect.cleandoc(cls.__doc__ or "").splitlines()
    if "Source:" not in lines:
        return ""
    section = itertools.takewhile(
        lambda line: line.startswith(" ") or not line, lines[lines.index("Source:") + 1 :]
    )
    return " ".join(line.strip() for line in section).strip()


def declared_truth(cls: type) -> bool | str | None:
    """Whether the component reads the answer key; in words if its base or its fields decide; None
    if it declares nothing.
    """
    if dataclasses.is_dataclass(cls) and any(
        f.name == "uses_truth" for f in dataclasses.fields(cls)
    ):
        return "as its fields say"
    declared = getattr(cls, "uses_truth", None)
    if declared is None or isinstance(declared, bool):
        return declared
    return (
        "as its base" if "base" in getattr(cls, "__dataclass_fields__", {}) else "as its fields say"
    )


def as_records() -> list[dict[str, Any]]:
    """Every component for machines: kind, name, fields, uses_truth, placebo, what, source, and for
    one that an installed package offers, the package and its version.
    """
    return [
        record
        for kind in BUILT_IN
        for record in (
            *(_record(kind, name, cls) for name, cls in components(kind).items()),
            *(_offered_record(kind, entry) for entry in offered(kind).values()),
        )
    ]


def _record(kind: str, name: str, cls: type) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "fields": fields_of(cls),
        "uses_truth": declared_truth(cls),
        "placebo": getattr(cls, "placebo", False) is True,
        "what": first_line(cls),
        "source": source_of(cls),
        "package": "",
    }


def _offered_record(kind: str, entry: EntryPoint) -> dict[str, Any]:
    """The record of a component from an installed package, or the reason why it cannot be used."""
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
    try:
        cls = class_of(entry.value)
        record = _record(kind, name_of(cls), cls)
    except (RewardscopeError, TypeError) as error:  # TypeError: a class that is no dataclass
        unknown = {"fields": "", "source": "", "uses_truth": None, "placebo": False}
        record = {"kind": kind, "name": entry.value, "what": f"cannot be used: {error}", **unknown}
    return record | {"package": package}


def instruments() -> list[dict[str, Any]]:
    """Every instrument for machines: name, what, needs, uses, metrics, the figures that proved it,
    and the package that offers it where that is not this one.
    """
    checks = validation()
    listed = [
        *((name, cls, "") for name, cls in components("probes").items()),
        *((name, analysis(name), "") for name in ANALYSES),
        *((name, cls, "") for name, cls in components("detectors").items()),
        *_offered_probes(),
    ]
    return [
        {
            "name": name,
            "what": cls if isinstance(cls, str) else first_line(cls),
            **_asks(cls),
            "metrics": list(getattr(cls, "metrics", ())),
            "checks": [check for check in checks if check["instrument"] == name],
            "package": package,
        }
        for name, cls, package in listed
    ]


def _offered_probes() -> list[tuple[str, type | str, str]]:
    """Probes of installed packages: name, the class or why it cannot be used, package."""
    probes: list[tuple[str, type | str, str]] = []
    for entry in offered("probes").values():
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
        try:
            cls = class_of(entry.value)
            needs_of(cls), uses_of(cls)
            probes.append((entry.value, cls, package))
        except RewardscopeError as error:
            probes.append((entry.value, f"cannot be used: {error}", package))
    return probes


def _asks(cls: type | str) -> dict[str, list[str]]:
    """What an instrument needs and uses, in words."""
    if isinstance(cls, str):
        return {"needs": [], "uses": []}
    if hasattr(cls, "measure"):
        sides = {"needs": needs_of(cls), "uses": uses_of(cls)}
        return {name: [n.value for n in Need if n in side] for name, side in sides.items()}
    texts = cls in components("detectors").values()
    return {"needs": [getattr(cls, "reads", "texts" if texts else "measurements")], "uses": []}


def worlds(only: str | None = None) -> list[dict[str, Any]]:
    """Every environment and every world of every organism, or those of one name: a sample problem,
    its oracle's completion, and how untrained policies behave.

    ``measured`` holds records of base behaviour by the name of the policy that was asked, empty
    where none was; ``organisms`` those that an environment's problems are the world of.
    """
    lacking = missing()
    asked: dict[str, Any] = json.loads(MEASURED.read_text())
    homes = {
        name: {type(world) for world in recipe.corpus.worlds.values()}
        for name, recipe in RECIPES.items()
    }
    records = [
        {
            "kind": "environment",
            "name": name,
            "world": "",
            "what": first_line(cls),
            "planted": {},
            **(UNASKED if name in lacking else _sample(cls())),
            "measured": asked.get(name, {}),
            "organisms": [organism for organism, types in homes.items() if cls in types],
        }
        for name, cls in components("environments").items()
        if stands_alone(cls) and only in (None, name)
    ]
    for name, recipe in RECIPES.items():
        if only not in (None, name):
            continue
        content = card(name)
        for world, environment in recipe.corpus.worlds.items():
            records.append(
                {
                    "kind": "organism",
                    "name": name,
                    "world": world,
                    "what": first_line(type(recipe.corpus)),
                    "planted": content["planted"],
                    **_sample(environment),
                    "measured": {name: content["measured"][world]},
                    "organisms": [],
                }
            )
    if not records:
        alone = [name for name, cls in components("environments").items() if stands_alone(cls)]
        raise ComponentError(
            "There is no world of this name, or it needs a file of yours",
            value=repr(only),
            allowed=", ".join([*alone, *RECIPES]),
            do="Check the spelling",
        )
    return records


def _sample(environment: Environment) -> dict[str, str]:
    problem = environment.problem("heldout", 0)
    return {"prompt": problem.prompt, "oracle": environment.oracle(problem)}
