"""Every listing of the documentation is run, as a reader would: in an empty directory, from files
that have the names which the page gives them.

Of a page under docs/write-your-own, ``title="study.py"`` is run through the installed command,
``title="mistake.py"`` has to fail with the text that stands below it, any other titled listing is a
file beside them, and an untitled one is run where it stands.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.main import get_command

from rewardscope.cli import app
from rewardscope.study import load_study

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "write-your-own").glob("*.md"))
BLOCK = re.compile(r'^```(\w+)(?: title="([\w.]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
COMMAND = Path(sys.executable).with_name("rewardscope")
MOST_STEPS = 2


@dataclass(frozen=True)
class Listing:
    """One fenced block of a page."""

    language: str
    title: str
    text: str


def listings(page: Path) -> list[Listing]:
    return [Listing(*found) for found in BLOCK.findall(page.read_text())]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_listing_runs(page: Path, tmp_path: Path) -> None:
    failure = ""
    for listing in listings(page):
        name = listing.title or "untitled.py"
        if listing.language == "python" or listing.title:
            (tmp_path / name).write_text(listing.text)
        if listing.language == "text" and not listing.title:
            assert failure and words(listing.text) in words(failure), failure
            failure = ""
        elif name == "mistake.py":
            mistaken = run(sys.executable, name, cwd=tmp_path)
            assert mistaken.returncode == 1 and "errors." in mistaken.stderr, mistaken.stderr
            failure = mistaken.stderr
        elif name == "study.py":
            study = load_study(tmp_path / name)
            assert max(arm.steps for arm in study.arms) <= MOST_STEPS
            ran = run(COMMAND, "run", name, "--workers", "0", cwd=tmp_path)
            assert ran.returncode == 0, ran.stderr
            assert (tmp_path / "runs" / study.name / "report.html").is_file()
        elif name == "untitled.py":
            ran = run(sys.executable, name, cwd=tmp_path)
            assert ran.returncode == 0, ran.stderr
    assert not failure, "a mistake without the text of its error"


def test_pages_have_listings_and_every_mistake_its_text() -> None:
    for page in PAGES:
        titles = [listing.title for listing in listings(page)]
        assert page.stem == "index" or "study.py" in titles
        mistakes = titles.count("mistake.py")
        assert mistakes == sum(
            listing.language == "text" and not listing.title for listing in listings(page)
        )


def test_every_command_that_the_documentation_names_exists() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
    for page in pages:
        text = page.read_text()
        shell = "\n".join(block.text for block in listings(page) if block.language == "bash")
        named = re.findall(r"`rewardscope ([a-z][a-z-]*)", text)
        named += re.findall(r"^rewardscope ([a-z][a-z-]*)", shell, re.MULTILINE)
        assert set(named) <= commands, page
