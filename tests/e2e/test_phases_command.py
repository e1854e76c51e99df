import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from factories import SMALL_ARM
from rewardscope import Organism
from rewardscope.cli import app
from rewardscope.codec import encode
from rewardscope.errors import StudyError
from rewardscope.policy import Policy
from rewardscope.store import RunDirectory, write_json, write_rollouts
from rewardscope.training import roll_out

GRAMS = [part for gram in "stg" for part in ("--gram", gram)]


@pytest.fixture
def run(planted: Policy, tmp_path: Path) -> Path:
    """A run in which nothing is learned: twelve steps of the untrained policy's completions, under
    two seeds.
    """
    directory = RunDirectory(tmp_path)
    arm = replace(SMALL_ARM, start=Organism("formats-planted"))
    record = {
        "name": arm.name,
        "config": encode(arm),
        "cells": {"0": "truth--s0", "1": "truth--s1"},
        "base_cell": "base",
    }
    write_json(
        tmp_path / "study.json", {"name": "small", "seeds": [0, 1], "claims": [], "arms": [record]}
    )
    problems = [arm.environment.problem("train", index) for index in range(2)]
    for cell, kind, steps in (
        ("base", "evaluation", 1),
        ("truth--s0", "rollouts", 12),
        ("truth--s1", "rollouts", 12),
    ):
        for step in range(steps):
            rollouts = roll_out(
                planted,
                arm.environment,
                problems,
                6,
                arm.sampling,
                step,
                [(cell, step, p) for p in range(2)],
            )
            write_rollouts(directory.cell(cell).step_file(kind, step), rollouts)
    return tmp_path


def test_a_run_that_learns_nothing_has_no_phases(run: Path) -> None:
    record = json.loads(
        CliRunner()
        .invoke(app, ["phases", str(run), "truth", *GRAMS, "--json"], catch_exceptions=False)
        .stdout
    )
    assert record["strategic"]["grams"] == ["s", "t", "g"] and len(record["random"]["grams"]) == 3
    for kind in ("strategic", "random"):
        for seed in ("0", "1"):
            course = record[kind]["seeds"][seed]
            assert course["steps"] == list(range(12)) and len(course["plan_entropy_nats"]) == 12
            assert course["two_phases"] is not True
    shown = CliRunner().invoke(app, ["phases", str(run), "truth", *GRAMS])
    assert shown.exit_code == 0 and "grams: s, t, g" in shown.stdout and "random" in shown.stdout


def test_an_arm_that_is_not_there_is_refused(run: Path) -> None:
    with pytest.raises(StudyError, match="no such arm"):
        CliRunner().invoke(app, ["phases", str(run), "lies"], catch_exceptions=False)
