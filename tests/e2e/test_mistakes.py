"""A stranger's mistakes: what they are told, where, and that nothing was begun."""

import re
import sys
from pathlib import Path

import pytest

from mistakes.edits import MISTAKES, Mistake
from rewardscope.cli import main
from rewardscope.environments import distinct
from rewardscope.errors import EnvironmentFault
from rewardscope.study import load_study, open_run
from rewardscope.study.checks import check_graded
from rewardscope.study.rehearsal import made_up

RIGHT = Path(__file__).parents[1] / "mistakes" / "right.py"


def edited(folder: Path, old: str, new: str) -> Path:
    """The study with an edit, as a file of its own."""
    text = RIGHT.read_text()
    assert old in text
    if old == "environment=Additions(),":  # a field that the class has to have first
        text = text.replace(
            "    strategies: ClassVar", "    rows: object = None\n\n    strategies: ClassVar"
        )
    text = text.replace(old, new, 1)
    text = text.replace("import dataclass\n", "import dataclass, field, replace\n", 1)
    file = folder / "a_study.py"
    file.write_text(text.replace("    Organism,\n", "    Organism,\n    Pretrained,\n"))
    return file


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_told_with_its_line_before_anything_is_begun(
    mistake: Mistake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = edited(tmp_path, mistake.old, mistake.new)
    run = tmp_path / "run"
    monkeypatch.setattr(
        sys, "argv", ["rewardscope", "run", str(study), "--out", str(run), "--workers", "0"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "Traceback" not in said
    assert "Got: " in said and "Allowed: " in said
    for words in mistake.says:
        assert " ".join(words.split()) in said
    place = re.search(r"At: (\S+), line (\d+)", said)
    assert place is not None and Path(place[1]) == study, said
    assert mistake.at in study.read_text().splitlines()[int(place[2]) - 1]
    assert not run.exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Organism,", "Organism,"),
        ('arms=(arm("mine", Marked()), arm("coin", Coin()))',
         'arms=[arm("mine", Marked()), arm("coin", Coin())]'),
        ("seeds=(0,)", "seeds=[0]"),
        ("return Rewards(values)", "return Rewards(list(values))"),
        ("return Rewards(values)", "return Rewards(tuple(v > 0 for v in values))"),
        ("return Rewards(values)",
         'return Rewards(tuple(__import__("numpy").int64(1) for v in values))'),
        ("name: ClassVar[str]", "name: str"),
    ],
    ids=["right", "arms in a list", "seeds in a list", "rewards in a list", "booleans", "numpy",
         "no ClassVar"],
)  # fmt: skip
def test_what_is_meant_plainly_is_taken(old: str, new: str, tmp_path: Path) -> None:
    study = load_study(edited(tmp_path, old, new))
    notes: list[str] = []
    open_run(study, tmp_path / "run", "test", on_note=notes.append)
    assert notes == [
        "With one seed no claim is decided: it says nothing about other seeds",
        "None of the 8 held-out problems is among 108 training problems.",
    ]


def test_a_study_of_one_pool_says_so(tmp_path: Path) -> None:
    file = edited(tmp_path, 'if row["split"] == split', "")
    file.write_text(file.read_text().replace("readings=1", "readings=1, seen_in_training=True"))
    open_run(load_study(file), tmp_path / "run", "test")
    assert (tmp_path / "run" / "study.json").is_file()


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("right = answer == problem.answer or None", "correct=None for"),
        ("right = answer == problem.answer\n        print(answer)", "prints while it grades"),
    ],
)
def test_what_might_be_meant_is_a_note(new: str, words: str, tmp_path: Path) -> None:
    study = load_study(edited(tmp_path, "right = answer == problem.answer", new))
    notes: list[str] = []
    open_run(study, tmp_path / "run", "test", on_note=notes.append)
    assert any(words in note and "a_study.py, line" in note for note in notes)


def test_a_base_that_hardly_anybody_could_grade_fails_its_cell(tmp_path: Path) -> None:
    old, new = "right = answer == problem.answer", "right = answer == problem.answer or None"
    sure = load_study(edited(tmp_path, old, old)).arms[0].environment
    rollouts = [made_up(sure, problem, 8) for problem in distinct(sure, "test", 4)]
    check_graded(sure, rollouts)
    unsure = load_study(edited(tmp_path, old, new)).arms[0].environment
    ungraded = [made_up(unsure, problem, 16) for problem in distinct(unsure, "test", 4)]
    with pytest.raises(EnvironmentFault, match="could grade hardly any") as told:
        check_graded(unsure, ungraded)
    assert "correct=None for 59 of 64" in str(told.value)
