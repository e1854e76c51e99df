"""A start is the files in its folder: each that decides a result is part of its name, and what is
loaded is what was digested.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rewardscope import Organism, Pretrained
from rewardscope.errors import ModelError
from rewardscope.policy import Policy
from rewardscope.store import write_json
from rewardscope.study import load_study, open_run
from rewardscope.study.edits import Edits

MICRO = Path(__file__).parents[2] / "hard" / "micro_study.py"

DECIDING = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start") / "model"
    Organism("formats-planted").load().save(folder)
    return folder


@pytest.fixture
def model(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("name", DECIDING)
def test_a_changed_file_is_another_start(model: Path, name: str) -> None:
    before = Pretrained(str(model)).identity()
    record = json.loads((model / name).read_text())
    (model / name).write_text(json.dumps(record | {"added": 1}))
    assert Pretrained(str(model)).identity() != before


def test_a_chat_template_is_part_of_the_start_and_a_readme_is_not(model: Path) -> None:
    before = Pretrained(str(model)).identity()
    (model / "README.md").write_text("A model.")
    assert Pretrained(str(model)).identity() == before
    (model / "chat_template.jinja").write_text("{{ messages }}")
    assert Pretrained(str(model)).identity() != before


def test_files_written_while_they_are_read_are_refused(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Policy.load.__func__  # type: ignore[attr-defined]

    def written_meanwhile(cls: type[Policy], name: Path, *, device: str = "cpu") -> Policy:
        policy: Policy = load(cls, name, device=device)
        (model / "generation_config.json").write_text("{}")
        return policy

    monkeypatch.setattr(Policy, "load", classmethod(written_meanwhile))
    with pytest.raises(ModelError, match="changed while they were read"):
        Pretrained(str(model)).load()


def test_a_hub_name_is_the_revision_in_the_cache_and_that_is_loaded(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache as the hub's client lays it out: snapshots of links into blobs, and a ref."""
    repository = tmp_path / "hub" / "models--some--model"
    for revision, added in (("a" * 40, 1), ("b" * 40, 2)):
        blobs, snapshot = repository / "blobs" / revision, repository / "snapshots" / revision
        shutil.copytree(model, blobs)
        (blobs / "generation_config.json").write_text(json.dumps({"top_k": added}))
        snapshot.mkdir(parents=True)
        for file in blobs.iterdir():
            (snapshot / file.name).symlink_to(file)
    refs = repository / "refs"
    refs.mkdir()
    (refs / "main").write_text("a" * 40)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    loaded: list[Path] = []
    load = Policy.load.__func__  # type: ignore[attr-defined]

    def noted(cls: type[Policy], name: Path, *, device: str = "cpu") -> Policy:
        loaded.append(Path(name))
        policy: Policy = load(cls, name, device=device)
        return policy

    monkeypatch.setattr(Policy, "load", classmethod(noted))
    first = Pretrained("some/model").identity()
    assert first == Pretrained(str(repository / "snapshots" / ("a" * 40))).identity()
    Pretrained("some/model").load()
    assert loaded[-1].name == "a" * 40
    (refs / "main").write_text("b" * 40)
    assert Pretrained("some/model").identity() != first


def test_a_run_says_that_its_start_changed_and_sets_the_old_cells_aside(
    model: Path, tmp_path: Path
) -> None:
    study = load_study(MICRO)
    arms = tuple(replace(arm, start=Pretrained(str(model))) for arm in study.arms)
    study, root = replace(study, arms=arms), tmp_path / "run"
    run, before = open_run(study, root, "test"), study.cells()
    for cell in before:
        write_json(run.cell(cell.name).path / "arm.json", {"determined_by": cell.determined_by})
    record = json.loads((model / "tokenizer_config.json").read_text())
    (model / "tokenizer_config.json").write_text(json.dumps(record | {"added": 1}))
    told: list[Edits] = []
    open_run(study, root, "test", on_edits=told.append)
    assert [rerun.why for rerun in told[0].reruns] == [("the start's files changed",)] * len(before)
    assert {cell.path.name for cell in run.cells_aside()} == {cell.name for cell in before}
