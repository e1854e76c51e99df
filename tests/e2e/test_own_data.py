"""Twenty lines of somebody's own: a JSONL file, a grader, a reward and a model, up to verdicts."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from e2e.tiny_model import write_model
from listings import listings
from rewardscope.cli import app
from rewardscope.store import RunDirectory


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the user has: problems, a model, and the study of docs/datasets.md."""
    folder = tmp_path_factory.mktemp("own")
    sums = [(a, b) for a in range(1, 8) for b in range(1, 8)]
    rows = [{"prompt": f"{a} + {b}?", "answer": str(a + b)} for a, b in sums]
    (folder / "problems.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    write_model(folder / "model", [f"\\boxed{{{n}}}" for n in range(5, 10)] + ["7", "8"])
    (folder / "own_study.py").write_text(listings("datasets.md")["study"])
    return folder


def test_the_study_is_twenty_lines_at_most() -> None:
    lines = [line for line in listings("datasets.md")["study"].splitlines() if line.strip()]
    assert len(lines) <= 20


def test_a_study_of_ones_own_data_grader_reward_and_model_ends_in_verdicts(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = ["run", str(folder / "own_study.py"), "--out", str(out), "--workers", "1"]
    shown = CliRunner().invoke(app, command, catch_exceptions=False)
    assert shown.exit_code == 0, shown.output
    run = RunDirectory(out)
    (verdict,) = run.verdicts()
    assert verdict.estimate is not None
    assert verdict.num_problems == 8
    record = run.record()
    assert [proof["split"] for proof in record["proofs"]] == ["train", "heldout"]
    assert record["arms"][0]["config"]["reward"]["of"]["of"].endswith(":boxed")
    text = " ".join(shown.output.split())
    assert "prompt 'prompt', answer 'answer'" in text
    again = CliRunner().invoke(app, command, catch_exceptions=False)
    assert "Edited since" not in again.output


def test_an_edited_row_and_an_edited_reward_change_the_names_of_cells(folder: Path) -> None:
    from rewardscope.study import load_study

    def names() -> set[str]:
        return {cell.name for cell in load_study(folder / "own_study.py").cells()}

    before, study = names(), (folder / "own_study.py").read_text()
    problems = (folder / "problems.jsonl").read_text()
    try:
        (folder / "problems.jsonl").write_text(
            problems.replace('"1 + 1?", "answer": "2"', '"1 + 1?", "answer": "3"')
        )
        assert not names() & before
        (folder / "problems.jsonl").write_text("".join(reversed(problems.splitlines(True))))
        assert names() == before  # the order of the rows is no part of it
        (folder / "own_study.py").write_text(study.replace("1.0 if text", "2.0 if text"))
        assert {name.split("-")[0] for name in names() - before} == {"mine"}
    finally:
        (folder / "problems.jsonl").write_text(problems)
        (folder / "own_study.py").write_text(study)
