"""What a user gets for a mistake: one paragraph, exit code 2, nothing half-written."""

import sys
from pathlib import Path

import pytest
import torch

from rewardscope.cli import main
from rewardscope.store import LOCK, RunDirectory

STUDY = Path(__file__).with_name("tiny_study.py")


def refused(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The text on standard error of a command that must end with 2."""
    monkeypatch.setattr(sys, "argv", ["rewardscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    text = capsys.readouterr().err
    assert "Traceback" not in text
    return " ".join(text.split())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tiny run."""
    out = tmp_path_factory.mktemp("bad") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sys, "argv", ["rewardscope", "run", str(STUDY), "--out", str(out), "--workers", "0"]
        )
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0
    return out


def edited(tmp_path: Path, old: str, new: str) -> Path:
    text = STUDY.read_text()
    assert old in text
    file = tmp_path / "study_file.py"
    file.write_text(text.replace(old, new))
    return file


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps=6", "stepps=6", "unexpected keyword argument 'stepps'"),
        ("import (", "import nothing_of_the_kind, (", "does not import"),
        ("completions_per_problem=4", "completions_per_problem=1", "groups of one"),
        ('arm("coin", Coin())', 'arm("coin", Truth())', "are the same"),
        ('Organism("formats-planted")', 'Organism("formats-plantd")', "Unknown organism"),
        ("seeds=(0, 1),", 'seeds=(0, 1), device="tpu",', "device cpu, cuda, cuda:0"),
        pytest.param(
            "seeds=(0, 1),", 'seeds=(0, 1), device="cuda",', "wants a GPU",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here"),
        ),
    ],
)  # fmt: skip
def test_a_mistaken_study_file(
    old: str,
    new: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = edited(tmp_path, old, new)
    assert message in refused(
        ["run", str(study), "--out", str(tmp_path / "out")], monkeypatch, capsys
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max_tokens=24", "max_tokens=500", "too long for the model's context"),
        (
            'Organism("formats-planted")',
            'Pretrained("nobody/no-such-model")',
            "could not be loaded",
        ),
        ("environment=Chain()", "environment=Sums()", "cannot write what the environment says"),
    ],
)
def test_a_cell_that_cannot_run_is_reported_and_the_page_is_still_made(
    old: str,
    new: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = edited(tmp_path, old, new)
    study.write_text(
        study.read_text().replace("    Learner,\n", "    Learner,\n    Pretrained,\n    Sums,\n")
    )
    text = refused(
        ["run", str(study), "--out", str(tmp_path / "out"), "--workers", "0"], monkeypatch, capsys
    )
    assert message in text and ".." not in text
    assert "not run" in (tmp_path / "out" / "report.html").read_text().lower()


@pytest.mark.slow
def test_a_truncated_checkpoint_is_named_and_other_cells_are_untouched(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = next(
        cell for cell in RunDirectory(run).cells() if cell.path.name.startswith("truth--s0")
    )
    others = {
        path: path.stat().st_mtime_ns
        for path in run.glob("cells/coin*/**/*")
        if path.is_file() and path.name != LOCK
    }
    weights = cell.checkpoint(6) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    cell.write_status("running", 6)
    text = refused(["run", str(STUDY), "--out", str(run), "--workers", "0"], monkeypatch, capsys)
    assert "A checkpoint's file is not what was written" in text
    assert "truth--s0" in text
    assert {path: path.stat().st_mtime_ns for path in others} == others
    weights.write_bytes(whole)
    monkeypatch.setattr(
        sys, "argv", ["rewardscope", "run", str(STUDY), "--out", str(run), "--workers", "0"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0


@pytest.mark.slow
def test_a_study_without_a_seed_that_the_run_has_refuses_it_with_the_list(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = edited(tmp_path, "seeds=(0, 1)", "seeds=(0,)")
    text = refused(["run", str(study), "--out", str(run)], monkeypatch, capsys)
    assert "cannot account for" in text
    assert "truth--s1" in text
    assert "coin--s1" in text


def test_a_report_of_a_folder_that_holds_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "study.json" in refused(["report", str(tmp_path)], monkeypatch, capsys)


def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Opening the temporary file fails as it does on a full disk."""
    import tempfile

    def full(*_: object, **__: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    text = refused(
        ["run", str(STUDY), "--out", str(tmp_path / "out"), "--workers", "0"], monkeypatch, capsys
    )
    assert "No space left on device" in text
    assert not list(tmp_path.rglob("*.json"))
