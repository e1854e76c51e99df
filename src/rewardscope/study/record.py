"""study.json: the resolved study, and on what it ran."""

import contextlib
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rewardscope import __version__
from rewardscope.codec import encode, signature
from rewardscope.policy import Precision
from rewardscope.probes.base import section_of
from rewardscope.study.edits import MADE_OF
from rewardscope.study.origin import package_state, project_state
from rewardscope.study.study import Cell, Study

PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "numpy",
    "scipy",
    "polars",
    "reasoning-gym",
    "altair",
)


def hardware() -> dict[str, Any]:
    """Processor, cores, memory, accelerator."""
    import torch

    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "system": platform.platform(),
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "accelerator": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
    }


def _versions() -> dict[str, str]:
    """Versions of the packages that a result may depend on, as far as they are installed."""
    versions = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # an extra's
            versions[name] = importlib.metadata.version(name)
    return versions


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def describe(
    study: Study, cells: Sequence[Cell], command: str, file: Path | None
) -> dict[str, Any]:
    """What study.json holds of the study as it is now; what happened to the run is added to it."""
    labels = {cell.name: cell.label for cell in cells}
    commit, dirty = package_state()
    arms = []
    for arm in study.arms:
        own = [cell for cell in cells if cell.seed is not None and cell.arm.name == arm.name]
        arms.append(
            {
                "name": arm.name,
                "start": arm.start.label,
                "placebo": arm.reward.placebo,
                "base": labels[own[0].base],
                "base_cell": own[0].base,
                "cells": {str(cell.seed): cell.name for cell in own},
                "uses_truth": arm.uses_truth,
                "config": encode(arm),
                "made_of": own[0].determined_by.get(MADE_OF, []),
            }
        )
    return {
        "name": study.name,
        "question": study.question,
        "about": study.about,
        "command": command,
        "signature": study.signature,
        "claims_signature": signature(study.claims),
        "version": __version__,
        "commit": commit,
        "dirty": dirty,
        "file": str(file.resolve()) if file else None,
        "project": project_state(file),
        "packages": _versions() | {"python": platform.python_version()},
        "hardware": hardware(),
        "threads_per_cell": study.threads_per_cell,
        "device": study.device,
        "precision": encode(study.precision or Precision.of(study.device)),
        "seeds": list(study.seeds),
        "steps": max(arm.steps for arm in study.arms),
        "starts": list(dict.fromkeys(arm.start.label for arm in study.arms)),
        **{name: value for name, value in study.measured_by().items() if name != "version"},
        "sections": [
            section.record() for probe in study.probes if (section := section_of(probe)) is not None
        ],
        "interim": encode(study.interim),
        "arms": arms,
        "claims": encode(study.claims),
    }
