"""The documents and the code say the same: every component and metric has its row, and nothing else
does.
"""

import json
import re
from pathlib import Path

import pytest

from rewardscope.probes import validation, validation_table
from rewardscope.registry import BUILT_IN, components
from rewardscope.study import load_study

ROOT = Path(__file__).parent.parent
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
COLUMNS = 100


def first_cells(document: str) -> list[str]:
    """What stands in code quotes in the first cell of each table row."""
    return re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / document).read_text(), re.MULTILINE)


def test_every_component_has_one_row_in_methods() -> None:
    components = [name for table in BUILT_IN.values() for name in table]
    rows = first_cells("methods.md")
    for name in components:
        assert rows.count(name) == 1, f"docs/methods.md needs one row that starts with | `{name}` |"
    assert set(rows) - set(components) == {"greater", "less", "same"}


def test_every_metric_has_one_row_in_instruments() -> None:
    metrics = [metric for cls in components("probes").values() for metric in cls.metrics]
    rows = [row for row in first_cells("instruments.md") if "/" in row]
    assert sorted(rows) == sorted(metrics)


def test_every_instrument_says_what_proved_it() -> None:
    rows = [row for row in first_cells("instruments.md") if "/" not in row]
    assert rows == list(components("probes"))


def test_the_figures_that_proved_an_instrument_stand_in_its_section() -> None:
    text = (ROOT / "docs" / "instruments.md").read_text()
    blocks = dict(re.findall(r"<!-- validation (\w+) -->\n(.*?)<!-- end -->", text, re.DOTALL))
    assert set(blocks) == {check["instrument"] for check in validation()} - set(
        components("detectors")
    )
    for name, block in blocks.items():
        assert block == validation_table(name), (
            f"run: python studies/validation, or write_tables() of it, for {name}"
        )


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_every_make_target_in_the_readme_exists() -> None:
    targets = re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = set(
        re.findall(r"(?:^|`)make ([a-z0-9]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    )
    assert named and named <= set(targets)


def test_the_readme_studies_are_studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    questions = [{"question": f"{n} + {n}?", "answer": str(2 * n)} for n in range(20)]
    (tmp_path / "problems.jsonl").write_text("\n".join(json.dumps(row) for row in questions))
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "study.py"
    arms = []
    for block in blocks:
        file.write_text(block)
        arms.append([arm.name for arm in load_study(file).arms])
    assert arms == [["truth", "coin", "form"], ["brief", "coin"]]
    assert sum(bool(line.strip()) for line in blocks[1].splitlines()) <= 20


def prose(text: str) -> list[tuple[int, str]]:
    """The lines of a page, numbered, without tables, listings and pictures."""
    kept, listing = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            listing = not listing
        elif not listing and not line.startswith(("|", "![", "<!--")):
            kept.append((number, line))
    return kept


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_lines_of_prose_fit_the_width(path: Path) -> None:
    long = [number for number, line in prose(path.read_text()) if len(line) > COLUMNS]
    assert not long, f"{path.name}: lines {long} have more than {COLUMNS} columns"
