"""The story of a stale verdict: a study whose reward, grader, data or helper is edited between runs
never gives another verdict than a fresh directory does.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rewardscope.cli import app
from rewardscope.errors import RewardscopeError

STUDY = '''"""Does my reward do anything?"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from grading import right
from rewards import Mine

from rewardscope import (
    Arm, Boundary, Claim, Coin, Evaluation, Grade, Organism, Pool, Problem, Sampling, Study,
)

ROWS = [json.loads(l) for l in (Path(__file__).parent / "rows.jsonl").read_text().splitlines()]


@dataclass(frozen=True)
class Mod10:
    name: ClassVar[str] = "Mod10"
    strategies: ClassVar[tuple[str, ...]] = ()

    def problem(self, split, index):
        rows = [row for row in ROWS if row["split"] == split]
        row = rows[index % len(rows)]
        return Problem(row["prompt"], "Mod10", prompt=row["prompt"], answer=row["answer"])

    def grade(self, problem, text):
        correct = right(text, problem.answer)
        return Grade(correct=correct, strict=correct, well_formed=text.isdigit(), answer=text)

    def oracle(self, problem):
        return problem.answer


def arm(name, reward):
    return Arm(
        name=name, start=Organism("formats-planted"), environment=Mod10(), reward=reward,
        sampling=Sampling(max_tokens=3), steps=2, problems_per_step=4, completions_per_problem=4,
        regime=Pool(4),
    )


study = Study(
    name="mine", question="Does my reward do anything?", about=__doc__,
    arms=(arm("mine", Mine()), arm("coin", Coin())), seeds=(0, 1),
    evaluation=Evaluation(problems=8, draws=8, readings=2), probes=(Boundary(),),
    claims=(
        Claim(sentence="It helps.", metric="boundary/pass_at_k", labels={"k": "1"},
              treatment="mine", control="coin"),
    ),
)
'''
GRADING = """def right(text, key):
    return text.strip() == key
"""
REWARDS = '''from dataclasses import dataclass
from typing import ClassVar

from rewardscope import Rewards


@dataclass(frozen=True)
class Mine:
    """Pays for a digit."""

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = False

    def __call__(self, view, address):
        return Rewards(tuple(float(c.text.isdigit()) for c in view.completions))
'''


def rows(add: int = 0) -> str:
    lines = []
    for n in range(40):
        a, b = n % 10, (3 * n + n // 10) % 10
        split = "heldout" if n % 4 == 0 else "train"
        line = {"split": split, "prompt": f"{a}+{b}?", "answer": str((a + b + add) % 10)}
        lines.append(json.dumps(line))
    return "\n".join(dict.fromkeys(lines)) + "\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mystudy.py").write_text(STUDY)
    (folder / "grading.py").write_text(GRADING)
    (folder / "rewards.py").write_text(REWARDS)
    (folder / "rows.jsonl").write_text(rows())
    return folder


def command(*arguments: str) -> str:
    """What the command prints, or the error that it ends with."""
    done = CliRunner().invoke(app, arguments)
    if isinstance(done.exception, RewardscopeError):
        return f"error: {done.exception}"
    assert done.exit_code == 0, done.output
    return done.output


def run(project: Path, out: str = "run", *options: str) -> str:
    place = ("--out", str(project.parent / out))
    return command("run", str(project / "mystudy.py"), *place, "--workers", "0", *options)


def cells(project: Path, out: str = "run") -> dict[str, str]:
    """Arm and seed -> name of its cell."""
    names = [path.name for path in (project.parent / out / "cells").iterdir()]
    return {name.rpartition("--")[0]: name for name in names}


def record(project: Path, out: str = "run") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.parent / out / "study.json").read_text())
    return found


def verdicts(project: Path, out: str = "run") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((project.parent / out / "verdicts.json").read_text())[
        "verdicts"
    ]
    return found


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


BASE, MINE, COIN = "base-formats-planted", ("mine--s0", "mine--s1"), ("coin--s0", "coin--s1")
EDITS = {
    "reward": ("rewards.py", "c.text.isdigit()", "not c.text.isdigit()", {*MINE}),
    "grader": ("grading.py", "text.strip() == key", "key in text", {BASE, *MINE, *COIN}),
    "environment": ("mystudy.py", "text.isdigit()", "bool(text)", {BASE, *MINE, *COIN}),
    "data": ("rows.jsonl", rows(), rows(add=1), {BASE, *MINE, *COIN}),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_runs_again_what_it_touches_and_the_verdict_is_a_fresh_directorys(
    project: Path, what: str
) -> None:
    file, before, after, touched = EDITS[what]
    run(project)
    was = cells(project)
    edit(project / file, before, after)
    output = run(project)
    now = cells(project)
    assert {name for name in was if was[name] != now[name]} == touched
    assert "Edited since the run began" in output and f"{file} was edited" in output
    assert {path.name for path in (project.parent / "run" / "superseded").iterdir()} == {
        was[name] for name in touched
    }
    edits = record(project)["edits"]
    assert {entry["was"] for entry in edits[-1]["ran_again"]} == {was[name] for name in touched}
    run(project, "fresh")
    assert verdicts(project) == verdicts(project, "fresh")
    assert "was edited" in (project.parent / "run" / "report.html").read_text()


def test_an_edit_that_is_undone_finds_the_old_cells_again(project: Path) -> None:
    run(project)
    was, first = cells(project), verdicts(project)
    edit(project / "rewards.py", "c.text.isdigit()", "not c.text.isdigit()")
    run(project)
    edit(project / "rewards.py", "not c.text.isdigit()", "c.text.isdigit()")
    output = run(project)
    assert "An edit was undone: 2 earlier cells used again" in output
    assert cells(project) == was
    assert verdicts(project) == first


def test_comments_claims_and_another_arms_reward_cost_nothing(project: Path) -> None:
    run(project)
    was = cells(project)
    edit(project / "mystudy.py", "def arm(", "# an arm\ndef arm(")
    edit(project / "mystudy.py", "It helps.", "It helps a lot.")
    edit(project / "rewards.py", "    def __call__", "    # pays\n    def __call__")
    output = run(project)
    assert cells(project) == was
    assert "Edited since" not in output


def test_who_vouches_for_an_edit_is_recorded_and_on_the_page(project: Path) -> None:
    run(project)
    first = verdicts(project)
    edit(project / "grading.py", "text.strip() == key", "(text.strip() == key)")
    output = run(project, "run", "--accept-same")
    assert "vouches that these edits change no result" in output
    assert not (project.parent / "run" / "superseded").exists()
    told = {name: value for name, value in verdicts(project)[0].items() if name != "evidence"}
    assert told == {name: value for name, value in first[0].items() if name != "evidence"}
    assert record(project)["edits"][-1]["vouched_by"]
    assert "vouched" in (project.parent / "run" / "report.html").read_text()
    assert "Edited since" not in run(project), "the next run has nothing to do"


def test_nobody_can_vouch_for_a_changed_setting(project: Path) -> None:
    run(project)
    edit(project / "mystudy.py", "steps=2", "steps=1")
    output = run(project, "run", "--accept-same")
    assert (
        output.startswith("error: ")
        and "a setting changed as well" in output
        and "arm.steps went from 2 to 1" in output
    )


def test_sources_and_commits_are_kept_with_the_run(project: Path) -> None:
    run(project)
    sources = record(project)["sources"]
    folder = project.parent / "run" / sources["folder"]
    assert (folder / "mystudy.py").read_text() == STUDY
    assert (folder / "grading.py").read_text() == GRADING
    assert list(sources["data"]) == [str((project / "rows.jsonl").resolve())]
    assert record(project)["project"] == {"folder": str(project), "commit": None, "dirty": None}


def test_workers_of_their_own_give_the_same_cells_and_rows(project: Path) -> None:
    run(project)
    command("run", str(project / "mystudy.py"), "--out", str(project.parent / "two"), "--workers=2")
    assert cells(project, "two") == cells(project)
    assert verdicts(project, "two") == verdicts(project)


def test_what_looks_closer_at_a_run_takes_guests(project: Path) -> None:
    run(project)
    root = str(project.parent / "run")
    for arguments in (["report", root], ["rank", root, "mine"], ["status", root]):
        assert not command(*arguments).startswith("error")
    moved = project.with_name("moved")
    shutil.move(project, moved)
    assert "--study" in command("rank", root, "mine")
    study = ("--study", str(moved / "mystudy.py"))
    assert not command("rank", root, "mine", *study).startswith("error")
    edit(moved / "rewards.py", "c.text.isdigit()", "not c.text.isdigit()")
    assert "edited since" in command("rank", root, "mine", *study)
