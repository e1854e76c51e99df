"""Labels of the untrained model: written once, and paid by."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner

from factories import PROBLEM, SMALL_ARM, rollout
from rewardscope import AllProblems, Curriculum, OfflineLabels, Pool
from rewardscope.analyses.labelling import labelled, problems_of, write_labels
from rewardscope.cli import app
from rewardscope.codec import signature
from rewardscope.errors import ComponentError, RunDirectoryError, StudyError
from rewardscope.identity import parts_of
from rewardscope.policy import Placement
from rewardscope.rewards import tell
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training import train
from rewardscope.types import Grade, Rollout

LABELS = str(Path(__file__).parent.parent.parent / "data" / "labels.jsonl")
POOLED = replace(SMALL_ARM, regime=Pool(5), steps=2)


def answered(*answers: tuple[str | None, bool | None]) -> Rollout:
    group = rollout([correct for _, correct in answers])
    grades = tuple(
        replace(grade, answer=answer)
        for grade, (answer, _) in zip(group.grades, answers, strict=True)
    )
    return replace(group, grades=grades)


GROUP = answered(("5", True), ("6", False), ("7", False), (None, False), (None, None))


def test_by_hand() -> None:
    assert tell(OfflineLabels(LABELS), GROUP, ()).rewards == (1.0, 0.0, 0.0, 0.0, 0.0)
    assert tell(OfflineLabels(LABELS, "wrong"), GROUP, ()).rewards == (0.0, 1.0, 0.0, 0.0, None)


def test_a_problem_without_a_label_gets_none_and_one_that_is_not_there_is_refused() -> None:
    unlabelled = replace(GROUP, problem=replace(PROBLEM, id="00000000000000bb"))
    assert tell(OfflineLabels(LABELS), unlabelled, ()).rewards == (None,) * 5
    stranger = replace(GROUP, problem=replace(PROBLEM, id="00000000000000cc"))
    with pytest.raises(ComponentError, match="does not have a problem that the arm met"):
        tell(OfflineLabels(LABELS), stranger, ())


def test_what_they_declare() -> None:
    majority, wrong = OfflineLabels(LABELS), OfflineLabels(LABELS, "wrong")
    assert (majority.uses_truth, majority.placebo) == (False, False)
    assert (wrong.uses_truth, wrong.placebo) == (True, True)


def test_the_content_of_the_file_is_signed_and_not_where_it_lies(tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(Path(LABELS).read_bytes())
    here, there = OfflineLabels(LABELS), OfflineLabels(str(copy))
    assert signature(here) == signature(there)
    (kept,), (moved,) = parts_of(here), parts_of(there)
    assert kept.digest == moved.digest
    copy.write_text(copy.read_text().replace('"5"', '"8"'))
    assert parts_of(there)[0].digest != kept.digest


@pytest.mark.parametrize("content", [None, "no labels", '{"problem": "a"}', "[1]"])
def test_a_file_that_is_none_of_labels_is_refused(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ComponentError, match="no file of labels"):
        tell(OfflineLabels(str(file)), GROUP, ())
    with pytest.raises(ComponentError, match="no such label"):
        OfflineLabels(LABELS, "right")  # type: ignore[arg-type]


def test_a_label_is_the_commonest_answer_and_of_equals_the_first() -> None:
    told = answered(("7", False), ("5", True), ("5", True), ("7", False), (None, False))
    made = labelled("a", 3, told.grades)
    assert (made.majority, made.wrong) == ("7", "7")
    assert (made.draws, made.answered, made.correct) == (5, 4, 2)
    nothing = labelled("a", 3, (Grade(None, None, False), Grade(True, True, True, answer="5")))
    assert (nothing.majority, nothing.wrong) == ("5", None)


def test_the_problems_are_those_that_the_arm_meets(tmp_path: Path) -> None:
    arm = replace(SMALL_ARM, regime=AllProblems(), steps=2)
    indices = problems_of(arm, (0, 1))
    assert len(indices) == 2 * 2 * 2  # seeds, steps, problems of a step
    ids = {arm.environment.problem("train", index).id for index in indices}
    cell = CellDirectory(tmp_path)
    train(arm, 1, cell, lambda done: None)
    met = [r.problem.id for s in range(2) for r in read_rollouts(cell.step_file("rollouts", s))]
    assert set(met) <= ids
    assert problems_of(replace(arm, regime=Curriculum(6)), (0,)) == list(range(6))


def test_labels_are_written_once_and_continued_where_they_were_cut(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    made = write_labels(POOLED, (0,), 8, Placement(), whole)
    assert [each.index for each in made] == list(range(5))
    assert all(each.draws == 8 and each.answered <= 8 for each in made)
    text = whole.read_text()
    cut.write_text(text[: len(text) // 2])  # in the middle of a line
    assert write_labels(POOLED, (0,), 8, Placement(), cut) == made
    assert cut.read_text() == text
    with pytest.raises(RunDirectoryError, match="another number of draws"):
        write_labels(POOLED, (0,), 4, Placement(), cut)
    cut.write_text("something else\n")
    with pytest.raises(RunDirectoryError, match="something else than labels"):
        write_labels(POOLED, (0,), 8, Placement(), cut)


def test_an_arm_trains_on_what_the_command_wrote(tmp_path: Path) -> None:
    study = tmp_path / "labelled.py"
    study.write_text(
        "from rewardscope import *\n"
        "ARM = Arm(name='truth', start=Organism('formats-planted'), environment=Chain(),\n"
        "    reward=Truth(), sampling=Sampling(max_tokens=24), regime=Pool(4), steps=2,\n"
        "    problems_per_step=2, completions_per_problem=3)\n"
        "study = Study(name='s', question='?', arms=(ARM,), seeds=(0,), claims=())\n"
    )
    file = tmp_path / "labels" / "chain.jsonl"
    command = ["labels", str(study), "truth", "--draws", "8", "--out", str(file)]
    shown = CliRunner().invoke(app, command, catch_exceptions=False)
    assert shown.exit_code == 0 and "4 problems" in shown.stdout.replace("\n", " ")
    rows = {row["problem"]: row for row in map(json.loads, file.read_text().splitlines())}
    arm = replace(POOLED, regime=Pool(4), reward=OfflineLabels(str(file)))
    cell = CellDirectory(tmp_path / "cell")
    train(arm, 0, cell, lambda done: None)
    for step in range(2):
        for group in read_rollouts(cell.step_file("rollouts", step)):
            label = rows[group.problem.id]["majority"]
            expected = tuple(
                None if label is None else float(g.answer == label) for g in group.grades
            )
            assert group.rewards == expected


@dataclass(frozen=True)
class Harder:
    """Goes on to the next problem when the last one was solved."""

    uses_truth: ClassVar[bool] = True

    def indices(
        self, seed: int, step: int, count: int, history: Any, sampling_round: int = 0
    ) -> list[int]:
        return [len(history)] * count


def test_problems_that_depend_on_what_is_solved_are_refused() -> None:
    with pytest.raises(StudyError, match="depends on what it solves"):
        problems_of(replace(SMALL_ARM, regime=Harder()), (0,))
