"""Self-distillation on an organism that uses a hint: evidence reaches the teacher, the steps say
how much, placebos get as much.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from rewardscope import (
    Arm,
    Coin,
    Hinted,
    Learner,
    Organism,
    Reprompt,
    Sampling,
    SelfDistillation,
    Teacher,
    Truth,
)
from rewardscope.environments.hinted import FEEDBACK_SECTION, SOLUTION_SECTION, TEMPLATE
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training import train

TOLD = Reprompt(
    feedback="always",
    template=TEMPLATE,
    solution_section=SOLUTION_SECTION,
    feedback_section=FEEDBACK_SECTION,
)
ARM = Arm(
    name="sdpo",
    start=Organism("feedback"),
    environment=Hinted(),
    reward=Truth(),
    credit=SelfDistillation(TOLD),
    learner=Learner(learning_rate=3e-4, normalise="sequence", teacher=Teacher("average", 0.05)),
    sampling=Sampling(max_tokens=24),
    steps=1,
    problems_per_step=8,
    completions_per_problem=8,
)


def first_step(arm: Arm, folder: Path) -> tuple[float, float]:
    """Share of completions with evidence, and the norm of the step's gradient."""
    cell = CellDirectory(folder / arm.name)
    train(arm, 0, cell, lambda done: None)
    (row,) = cell.steps()
    return row["credit/taught_share"], row["gradient_norm"]


def test_the_step_says_how_many_completions_had_evidence_and_placebos_have_as_many(
    tmp_path: Path,
) -> None:
    found = {
        name: first_step(replace(ARM, name=name, credit=SelfDistillation(reprompt)), tmp_path)
        for name, reprompt in {
            "told": TOLD,
            "other": replace(TOLD, solution="other", feedback_of="other"),
            "empty": replace(TOLD, solution="empty", feedback_of="empty"),
        }.items()
    }
    groups = list(read_rollouts(CellDirectory(tmp_path / "told").step_file("rollouts", 0)))
    evidence = 0
    for group in groups:
        solved = sum(grade.correct is True for grade in group.grades)
        for grade in group.grades:
            evidence += solved > 1 if grade.correct else solved > 0 or grade.feedback is not None
    assert (
        found["told"][0] == found["other"][0] == found["empty"][0] == pytest.approx(evidence / 64)
    )
    assert 0.5 < evidence / 64 <= 1.0
    assert found["told"][1] > 0 and found["other"][1] > 0
    assert found["empty"][1] < 1e-4, "a teacher that is told nothing says what the policy says"


def test_the_key_enters_by_the_reprompt_and_the_arm_declares_it() -> None:
    assert ARM.uses_truth == {
        "reward": True,
        "credit": True,
        "regime": False,
        "demonstrations": False,
        "mask": False,
        "bank": False,
    }
    told_flips = replace(
        ARM, reward=Coin(), credit=SelfDistillation(replace(TOLD, feedback="none"))
    )
    assert not any(told_flips.uses_truth.values())
