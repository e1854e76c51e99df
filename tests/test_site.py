"""The site of documentation: it builds without a network, names every public object, and a broken
link ends the build.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rewardscope.registry import HOMES

ROOT = Path(__file__).parent.parent
NOTHING_OUTSIDE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
"""A network that answers nobody."""


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", site],
        cwd=root,
        env={**os.environ, **NOTHING_OUTSIDE, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.slow
def test_every_public_name_has_its_documentation(site: Path) -> None:
    anchors = {
        anchor
        for page in site.glob("api/*.html")
        for anchor in re.findall(r'id="(rewardscope\.[\w.]+)"', page.read_text())
    }
    wanted = {f"rewardscope.{module}.{name}" for name, module in HOMES.items()}
    assert not wanted - anchors
    overview = (site / "api" / "index.html").read_text()
    assert all(f"#{name}" in overview for name in wanted)


@pytest.mark.slow
def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(\w+:)?//', page.read_text())
        assert not loaded, page


@pytest.mark.slow
def test_a_broken_link_ends_the_build(tmp_path: Path) -> None:
    for name in ("docs", "src", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("weights"))
    for name in ("mkdocs.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    page = tmp_path / "docs" / "performance.md"
    mistakes = "[page](nowhere.md) [place](methods.md#nowhere) [`X`][rewardscope.X]"
    page.write_text(f"{page.read_text()}\n{mistakes}\n")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode == 1
    for mistake in ("'nowhere.md'", "'methods.md#nowhere'", "'rewardscope.X'"):
        assert any(mistake in line for line in built.stderr.splitlines() if "WARNING" in line)
