"""requirements.lock pins what constraints.txt pins, and every package has hashes."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;]+)", re.MULTILINE)


def name(text: str) -> str:
    """The name of a distribution as registries compare it."""
    return re.sub(r"[-_.]+", "-", text).lower()


def pins(text: str) -> dict[str, str]:
    """Name -> version of each pinned package."""
    return {name(package): version for package, version in PIN.findall(text)}


def test_the_lock_and_the_constraints_agree() -> None:
    locked = pins(LOCK)
    pinned = pins((ROOT / "constraints.txt").read_text())
    assert len(pinned) > 40
    assert {package: locked.get(package, version) for package, version in pinned.items()} == pinned


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(one for extra in extras for one in extras[extra])]
    missing = {name(re.split(r"[<>=!\[~;]", one)[0].strip()) for one in wanted} - set(pins(LOCK))
    assert missing <= {"verifiers"}, missing  # it is tried in an environment of its own


def test_every_locked_package_has_a_hash() -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(blocks) > 100
    assert not [block.split()[0] for block in blocks if "--hash=sha256:" not in block]
