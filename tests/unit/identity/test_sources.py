"""What of a user's files counts for a component, and what does not."""

import importlib
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from rewardscope.errors import ComponentError
from rewardscope.identity import file_digest, loaded_again, parts_of, watching
from rewardscope.identity.sources import sources_of

STUDY = '''"""A study file."""
import json
from dataclasses import dataclass
from pathlib import Path

from helpers import halved, unused

HERE = Path(__file__).parent
ROWS = [json.loads(line) for line in (HERE / "rows.jsonl").read_text().splitlines()]
LIMIT = 3  # a comment
OTHER = 4


def scored(text):
    return halved(len(text)) if len(text) < LIMIT else 0


@dataclass(frozen=True)
class Mine:
    weight: float = 1.0

    def __call__(self, view):
        return self.weight * scored(view)


@dataclass(frozen=True)
class Theirs:
    def __call__(self, view):
        return OTHER


def make(claim):
    return ("study", claim, Mine())


study = make("it helps")
'''
HELPERS = """SCALE = 2


def halved(number):
    return number / SCALE


def unused(number):
    return number
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mystudy.py").write_text(STUDY)
    (tmp_path / "helpers.py").write_text(HELPERS)
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def load(project: Path) -> Any:
    for name in ("mystudy", "helpers"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    with watching():
        module = importlib.import_module("mystudy")
    loaded_again([project / "mystudy.py", project / "helpers.py"])
    return module


def digests(project: Path, name: str = "Mine") -> dict[str, str]:
    component = getattr(load(project), name)()
    return {part.what: part.digest for part in parts_of(component)}


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def test_a_component_is_made_of_its_source_and_the_sources_that_it_leads_to(project: Path) -> None:
    assert set(digests(project)) == {"source mystudy.py", "source helpers.py"}
    assert set(digests(project, "Theirs")) == {"source mystudy.py"}


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("mystudy.py", "self.weight * scored", "2 * scored"),
        ("mystudy.py", "len(text) < LIMIT", "len(text) <= LIMIT"),
        ("mystudy.py", "LIMIT = 3", "LIMIT = 5"),
        ("mystudy.py", "weight: float = 1.0", "weight: float = 2.0"),
        ("mystudy.py", "import halved, unused", "import halved as halved, unused"),
        ("helpers.py", "number / SCALE", "number * SCALE"),
        ("helpers.py", "SCALE = 2", "SCALE = 3"),
    ],
)
def test_an_edit_on_the_way_changes_what_it_is_made_of(
    project: Path, file: str, before: str, after: str
) -> None:
    was = digests(project)
    edit(project / file, before, after)
    now = digests(project)
    changed = {what for what in was if was[what] != now[what]}
    assert changed == {f"source {file}"}


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("mystudy.py", "# a comment", "# another comment"),
        ("mystudy.py", "def make(claim):\n", "\n\n\ndef make(claim):\n"),
        ("mystudy.py", '"it helps"', '"it helps a lot"'),
        ("mystudy.py", "OTHER = 4", "OTHER = 5"),
        ("mystudy.py", "return OTHER", "return OTHER + 1"),
        ("helpers.py", "    return number\n", "    return -number\n"),
    ],
)
def test_an_edit_beside_the_way_does_not(project: Path, file: str, before: str, after: str) -> None:
    was = digests(project)
    edit(project / file, before, after)
    assert digests(project) == was


def test_what_acts_at_the_top_of_a_file_counts_for_everything_in_it(project: Path) -> None:
    was = digests(project, "Theirs")
    with (project / "mystudy.py").open("a") as file:
        file.write("\nTheirs.limit = 9\n")
    assert digests(project, "Theirs") != was


def test_a_value_that_is_changed_by_a_call_counts_with_the_call(project: Path) -> None:
    with (project / "mystudy.py").open("a") as file:
        file.write(
            "\nTABLE = []\n\n\ndef fill(table):\n    table.append(1)\n\n\ndone = fill(TABLE)\n\n\n"
            "@dataclass(frozen=True)\nclass Reads:\n    def __call__(self):\n        return TABLE\n"
        )
    was = digests(project, "Reads")
    edit(project / "mystudy.py", "table.append(1)", "table.append(2)")
    assert digests(project, "Reads") != was


def test_data_that_is_opened_at_the_top_counts_where_it_is_used(project: Path) -> None:
    with (project / "mystudy.py").open("a") as file:
        file.write(
            "\n\n@dataclass(frozen=True)\nclass Asks:\n    def __call__(self):\n"
            "        return ROWS\n"
        )
    was = digests(project, "Asks")
    assert was["data rows.jsonl"] == file_digest(project / "rows.jsonl")
    (project / "rows.jsonl").write_text('{"a": 2}\n')
    assert digests(project, "Asks")["data rows.jsonl"] != was["data rows.jsonl"]


def test_data_that_a_reader_outside_of_python_opens_is_known_by_its_name(project: Path) -> None:
    (project / "more.csv").write_text("a\n1\n")
    with (project / "mystudy.py").open("a") as file:
        file.write(
            "\n\n@dataclass(frozen=True)\nclass Table:\n    def __call__(self):\n"
            '        import polars\n\n        return polars.read_csv(HERE / "more.csv")\n'
        )
    assert "data more.csv" in digests(project, "Table")


def test_a_function_in_a_field_counts_with_all_that_it_leads_to(project: Path) -> None:
    with (project / "mystudy.py").open("a") as file:
        file.write(
            "\n\n@dataclass(frozen=True)\nclass Wraps:\n    by: object = scored\n\n"
            "    def __call__(self):\n        return self.by\n"
        )
    was = digests(project, "Wraps")
    edit(project / "helpers.py", "number / SCALE", "number * SCALE")
    assert digests(project, "Wraps")["source helpers.py"] != was["source helpers.py"]


def test_a_file_that_was_edited_after_it_was_loaded_is_not_taken_for_what_runs(
    project: Path,
) -> None:
    component = load(project).Mine()
    parts_of(component)
    edit(project / "helpers.py", "number / SCALE", "number * SCALE")
    with pytest.raises(ComponentError, match="edited after it had been loaded"):
        parts_of(component)


def test_what_has_no_source_file_is_refused() -> None:
    names: dict[str, Any] = {"__name__": "typed_in"}
    exec("def typed(prompt):\n    return 1\n", names)
    assert isinstance(names["typed"], FunctionType)
    with pytest.raises(ComponentError, match=r"no source file.*typed_in:typed.*Write it into"):
        sources_of(names["typed"])


def test_our_own_components_are_made_of_nothing_but_their_version() -> None:
    from rewardscope import Chain, Coin, Truth

    assert parts_of((Chain(), Coin(), Truth())) == ()


def test_a_file_whose_name_is_made_while_it_runs_counts_where_it_is_passed_on(
    project: Path,
) -> None:
    import polars as pl

    pl.DataFrame({"a": [1]}).write_parquet(project / "train.parquet")
    with (project / "mystudy.py").open("a") as file:
        file.write(
            "\n\n@dataclass(frozen=True)\nclass Splits:\n    def read(self, split):\n"
            "        import polars\n\n"
            '        return polars.read_parquet(HERE / f"{split}.parquet")\n'
        )
    component = load(project).Splits()
    assert "data train.parquet" not in {part.what for part in parts_of(component)}
    with watching():
        component.read("train")
    assert "data train.parquet" in {part.what for part in parts_of(component)}
