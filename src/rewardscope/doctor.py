"""Whether this machine can run the laboratory."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from rewardscope.catalogue import stands_alone
from rewardscope.environments import prove
from rewardscope.environments.words.extra import INSTALL, missing
from rewardscope.errors import RewardscopeError
from rewardscope.identity import cache_folder
from rewardscope.organisms import RECIPES
from rewardscope.organisms.organism import Organism
from rewardscope.policy.packaged import PACKAGED
from rewardscope.registry import components

MIN_FREE_GIB = 2.0
"""Space for the tour and its page, with a margin."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    what: str
    found: str
    good: bool = True


def examine() -> list[Finding]:
    """Everything that a study depends on, each tried rather than assumed."""
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    accelerator = (
        torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none: float32 on the CPU"
    )
    findings = [
        Finding("python", platform.python_version()),
        Finding("torch", f"{torch.__version__}, {len(os.sched_getaffinity(0))} cores"),
        Finding("accelerator", accelerator),
        Finding("free disk here", f"{free:.1f} GiB", free >= MIN_FREE_GIB),
    ]
    for name, package in PACKAGED.items():
        unpacked = (cache_folder() / name / "model.safetensors").is_file()
        there = unpacked or importlib.util.find_spec(package.module) is not None
        findings.append(
            Finding(
                f"model {name}",
                "in the cache"
                if unpacked
                else "installed"
                if there
                else f"optional; {package.install}",
            )
        )
    for organism in RECIPES:
        findings.append(_try(f"organism {organism}", Organism(organism).load))
    lacking = missing()
    for environment, cls in components("environments").items():
        if not stands_alone(cls):
            continue
        findings.append(
            Finding(f"environment {environment}", f"optional; not installed: {INSTALL}")
            if environment in lacking
            else _try(f"environment {environment}", partial(_prove, cls))
        )
    return findings


def _prove(environment: type) -> None:
    prove(environment(), "heldout")


def _try(what: str, action: Callable[[], object]) -> Finding:
    try:
        action()
    except RewardscopeError as error:
        return Finding(what, str(error), False)
    return Finding(what, "works")
