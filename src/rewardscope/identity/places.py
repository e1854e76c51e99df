"""The owner of a file's code: the user's project, an installed package, Python, or this package."""

import functools
import hashlib
import importlib.metadata
import site
import sysconfig
from pathlib import Path

PACKAGE_FOLDER = Path(__file__).resolve().parents[1]


@functools.cache
def is_project_file(name: str) -> bool:
    """Whether the file is Python source that is neither installed, nor Python's own, nor ours."""
    path = Path(name)
    if path.suffix != ".py" or not path.is_file():
        return False
    resolved = path.resolve()
    return not any(resolved.is_relative_to(folder) for folder in _elsewhere())


@functools.cache
def _elsewhere() -> tuple[Path, ...]:
    """Folders of installed packages, of Python itself, and of this package."""
    names = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    names |= {*site.getsitepackages(), site.getusersitepackages()}
    return (PACKAGE_FOLDER, *(Path(name).resolve() for name in names if name))


@functools.cache
def distribution_of(module: str) -> tuple[str, str] | None:
    """Name of the installed distribution that a top-level module comes from, and its version with
    a digest of what was installed: two builds of a package may have one version.
    """
    names = _distributions().get(module.partition(".")[0])
    if not names:
        return None
    installed = importlib.metadata.distribution(names[0])
    listed = installed.read_text("RECORD")  # lists every file with its digest
    digest = hashlib.sha256(listed.encode()).hexdigest()[:8] if listed else "unlisted"
    return names[0], f"{installed.version} ({digest})"


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())
