"""Random damage to a file of a finished run."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

HOW = ("bit", "bit", "byte", "cut", "empty", "deleted", "longer", "zeroed", "folder", "swapped")


def kind(path: Path) -> str:
    """Of a file of a run: its name, or the folder of the steps' tables or checkpoints it is in."""
    if path.parent.parent.name == "checkpoints":
        return f"checkpoint {path.name}"
    return path.parent.name if path.name.startswith("step_") else path.name


def kinds_of(run: Path) -> dict[str, list[Path]]:
    """Files of the run by kind, each as a path in it."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(run.rglob("*")):
        if path.is_file() and path.name != ".lock":
            kinds.setdefault(kind(path), []).append(path.relative_to(run))
    return kinds


def damage(path: Path, how: str, others: list[Path], chance: random.Random) -> None:
    """Damages the file in this way; ``others`` are of its kind."""
    content = bytearray(path.read_bytes())
    size = len(content)
    if how == "bit" and size:
        content[chance.randrange(size)] ^= 1 << chance.randrange(8)
    elif how == "byte" and size:
        place = chance.randrange(size)
        content[place] = (content[place] + chance.randrange(1, 256)) % 256
    elif how == "cut":
        del content[chance.randrange(size) if size else 0 :]
    elif how == "empty":
        content.clear()
    elif how == "longer":
        content += chance.randbytes(chance.randrange(1, 100))
    elif how == "zeroed":
        place = chance.randrange(size) if size else 0
        count = min(chance.choice([16, 512, 4096]), size - place)
        content[place : place + count] = bytes(count)
    elif how == "swapped" and others:
        content = bytearray(chance.choice(others).read_bytes())
    path.unlink()
    if how == "folder":
        path.mkdir()
    elif how != "deleted":
        path.write_bytes(content)


def meaning(path: Path) -> Any:
    """What a file says: of JSON, not the blanks in it; None where there is none."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    try:
        return json.loads(content) if path.suffix == ".json" else content
    except (ValueError, RecursionError):
        return content


def copied(run: Path, to: Path) -> Path:
    """A copy of the run."""
    shutil.copytree(run, to)
    return to
