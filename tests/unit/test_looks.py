"""Looks at the verdicts are recorded as the evidence grows, and said."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from answer_runs import RUNS
from report_run import write_run
from rewardscope.report import write_page
from rewardscope.report.page import render_page
from rewardscope.store import RunDirectory, read_json, write_json
from rewardscope.store.looks import Look, look_at, looks_after, looks_text

FEW = Look((0, 1, 2), 64, 16, ("a0", "a1", "a2"))
MORE = Look((0, 1, 2, 3, 4), 64, 16, ("a0", "a1", "a2", "a3", "a4"))


def _record(**more: Any) -> dict[str, Any]:
    arms = [{"cells": {"0": "a0", "1": "a1"}}, {"cells": {"0": "b0", "1": "b1"}}]
    return {
        "arms": arms,
        "seeds": [0, 1],
        "claims": [{}],
        "evaluation": {"problems": 8, "draws": 4},
        **more,
    }


def test_a_look_is_at_the_seeds_under_which_every_arm_is_done() -> None:
    look = look_at(_record(), ["a0", "a1", "b1"])
    assert look == Look((1,), 8, 4, ("a1", "b1"))
    assert look_at(_record(), ["a0", "b1"]) is None
    assert look_at(_record(claims=[]), ["a0", "a1", "b0", "b1"]) is None


def test_the_same_evidence_is_no_new_look_and_another_experiment_begins_anew() -> None:
    assert looks_after([], FEW) == [FEW]
    assert looks_after([FEW], MORE) == [FEW, MORE]
    assert looks_after([FEW, MORE], FEW) == [FEW, MORE]
    draws = replace(MORE, draws=32)
    assert looks_after([FEW, MORE], draws) == [FEW, MORE, draws]
    other = replace(FEW, cells=("x0", "x1", "x2"))
    assert looks_after([FEW, MORE], other) == [other]
    assert looks_after([FEW], None) == [FEW]


def test_what_grew_is_said() -> None:
    assert looks_text([]) == looks_text([FEW]) == ""
    assert looks_text([FEW, MORE]) == "at 3 seeds, then at 5 seeds"
    both = replace(MORE, problems=128)
    assert looks_text([FEW, both]) == "at 3 seeds, 64 problems, then at 5 seeds, 128 problems"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", hostile=False)


def test_judging_records_it_and_the_page_no_longer_says_fixed_before_the_run(root: Path) -> None:
    run = RunDirectory(root)
    verdicts = run.verdicts()
    run.write_verdicts(verdicts)
    run.write_verdicts(verdicts)
    assert [look.seeds for look in run.looks()] == [(0, 1, 2)]
    page = write_page(root).read_text()
    assert "fixed before the run" in page and "looked at" not in page
    record = read_json(root / "study.json")
    write_json(root / "study.json", {**record, "evaluation": {"draws": 128}})
    run.write_verdicts(verdicts)
    assert [look.draws for look in run.looks()] == [64, 128]
    page = write_page(root).read_text()
    assert "fixed before the first of 2 looks" in page and "fixed before the run" not in page
    assert "looked at 2 times</b>, at 64 draws, then at 128 draws" in page


def test_a_run_without_looks_says_nothing() -> None:
    assert "looked at" not in render_page(RUNS["mixed"]())
