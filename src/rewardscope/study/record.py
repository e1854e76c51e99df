"""study.json: the resolved study, and on what it ran."""

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rewardscope import __version__
from rewardscope.codec import encode, signature
from rewardscope.errors import RunDirectoryError, StudyError
from rewardscope.store import LOCK, RunDirectory, write_json
from rewardscope.study.checks import check_study
from rewardscope.study.study import Study

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


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Commit and whether files differ from it; (None, None) outside a repository."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
            )
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain")
    return commit, None if changes is None or commit is None else bool(changes)


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


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def describe(study: Study, command: str, changed: bool) -> dict[str, Any]:
    """What study.json holds."""
    cells = study.cells()
    labels = {cell.name: cell.label for cell in cells}
    commit, dirty = git_state(Path(__file__).parent)
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
            }
        )
    return {
        "name": study.name,
        "question": study.question,
        "about": study.about,
        "command": command,
        "signature": study.signature,
        "claims_signature": signature(study.claims),
        "claims_changed_after_start": changed,
        "version": __version__,
        "commit": commit,
        "dirty": dirty,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
        "hardware": hardware(),
        "threads_per_cell": study.threads_per_cell,
        "device": study.device,
        "seeds": list(study.seeds),
        "steps": max(arm.steps for arm in study.arms),
        "starts": list(dict.fromkeys(arm.start.label for arm in study.arms)),
        "evaluation": encode(study.evaluation),
        "probes": encode(study.probes),
        "arms": arms,
        "claims": encode(study.claims),
    }


def open_run(
    study: Study, root: Path, command: str, on_note: Callable[[str], None] = lambda note: None
) -> RunDirectory:
    """The run directory, checked to be this study's, with study.json written.

    Every environment first proves that it accepts its own oracle, and what a guest brought is
    rehearsed.

    Args:
        study: What is to run.
        root: Where to.
        command: What it was asked for with.
        on_note: Told of what the user should know before the run.

    Raises:
        RunDirectoryError: If the directory is another study's, holds what no study wrote, or a run
            is at work in it.
        EnvironmentFault: If an environment fails its own oracle.
        StudyError: If the study wants a GPU and there is none.
    """
    if study.device != "cpu" and hardware()["accelerator"] is None:
        raise StudyError(
            "The study wants a GPU, and torch finds none here",
            value=f"device={study.device!r}",
            do="Run it where one is",
        )
    run = RunDirectory(root)
    record = root / "study.json"
    changed = False
    if record.is_file():
        before = run.record()
        if before["name"] != study.name:
            raise RunDirectoryError(
                "The run directory is another study's",
                value=f"{root}: '{before['name']}'",
                do="Choose another --out",
            )
        begun = any(cell.status()["state"] != "owed" for cell in run.cells())
        changed = bool(before.get("claims_changed_after_start")) or (
            begun and before.get("claims_signature") != signature(study.claims)
        )
    elif root.exists() and not root.is_dir():
        raise RunDirectoryError(
            "There is a file where the run directory should be",
            value=root,
            do="Choose another --out",
        )
    elif root.is_dir() and any(path.name != LOCK for path in root.iterdir()):
        raise RunDirectoryError(
            "The directory is not empty and holds no run", value=root, do="Choose another --out"
        )
    run.account([cell.name for cell in study.cells()])
    for note in check_study(study):
        on_note(note)
    with run.held():
        write_json(record, describe(study, command, changed))
    return run
