"""Every component there is: what the command line lists, what the tests run over, and what codec
can read back.
"""

import dataclasses
import inspect
import itertools
import json
from pathlib import Path
from typing import Any

import rewardscope.environments
from rewardscope.environments import Environment
from rewardscope.environments.words.extra import INSTALL, missing
from rewardscope.organisms import RECIPES, card
from rewardscope.registry import BUILT_IN, components

UNASKED = {"prompt": f"not installed here: {INSTALL}", "oracle": ""}
"""Stands for the sample of a world whose packages are missing."""
MEASURED = Path(rewardscope.environments.__file__).parent / "measured.json"
"""How an untrained language model behaves in each environment; benchmarks/base_behaviour.py makes
it.
"""


def first_line(cls: type) -> str:
    """What the class is, as its docstring's first sentence says."""
    paragraph = inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0]
    return " ".join(paragraph.split()).replace("``", "")


def fields_of(cls: type) -> str:
    """Fields with their defaults, as one would write them."""
    found = []
    for field in dataclasses.fields(cls):
        missing = field.default is dataclasses.MISSING
        found.append(field.name if missing else f"{field.name}={field.default!r}")
    return ", ".join(found)


def source_of(cls: type) -> str:
    """Where the component comes from, as the ``Source:`` section of its docstring says; empty where
    it is ours.
    """
    lines = inspect.cleandoc(cls.__doc__ or "").splitlines()
    if "Source:" not in lines:
        return ""
    section = itertools.takewhile(
        lambda line: line.startswith(" ") or not line, lines[lines.index("Source:") + 1 :]
    )
    return " ".join(line.strip() for line in section).strip()


def declared_truth(cls: type) -> bool | str | None:
    """Whether the component reads the key; in words where its base or its other fields decide; None
    where the question does not arise.
    """
    found = getattr(cls, "uses_truth", None)
    if found is None or isinstance(found, bool):
        return found
    return (
        "as its base" if "base" in getattr(cls, "__dataclass_fields__", {}) else "as its fields say"
    )


def as_records() -> list[dict[str, Any]]:
    """Every component for machines: kind, name, fields, uses_truth, placebo, what, source."""
    return [
        {
            "kind": kind,
            "name": name,
            "fields": fields_of(cls),
            "uses_truth": declared_truth(cls),
            "placebo": bool(getattr(cls, "placebo", False)),
            "what": first_line(cls),
            "source": source_of(cls),
        }
        for kind in BUILT_IN
        for name, cls in components(kind).items()
    ]


def worlds() -> list[dict[str, Any]]:
    """Every environment and every world of every organism: a sample problem, its oracle's
    completion, and how untrained policies behave.

    ``measured`` holds records of base behaviour by the name of the policy that was asked, empty
    where none was; ``organisms`` those that an environment's problems are the world of.
    """
    lacking = missing()
    asked: dict[str, Any] = json.loads(MEASURED.read_text())
    homes = {
        name: {type(world) for world in recipe.corpus.worlds.values()}
        for name, recipe in RECIPES.items()
    }
    found = [
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
    ]
    for name, recipe in RECIPES.items():
        content = card(name)
        for world, environment in recipe.corpus.worlds.items():
            found.append(
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
    return found


def _sample(environment: Environment) -> dict[str, str]:
    problem = environment.problem("heldout", 0)
    return {"prompt": problem.prompt, "oracle": environment.oracle(problem)}
