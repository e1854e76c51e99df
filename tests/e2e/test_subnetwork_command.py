"""From a finished run to the table of its subnetworks, in one process."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from factories import SMALL_ARM
from rewardscope import Boundary, Evaluation, Study
from rewardscope.cli import app
from rewardscope.errors import StudyError
from rewardscope.store import RunDirectory
from rewardscope.study import open_run, run_study

ARM = replace(SMALL_ARM, steps=2, checkpoint_every=2, problems_per_step=4)


def finished_run(root: Path, seeds: tuple[int, ...]) -> Path:
    evaluation = Evaluation(problems=4, draws=4, readings=0)
    study = Study(
        name="small",
        question="?",
        arms=(ARM,),
        seeds=seeds,
        claims=(),
        evaluation=evaluation,
        probes=(Boundary(max_k=4),),
    )
    assert run_study(study, None, open_run(study, root, "test"), 0) == {}
    return root


@pytest.mark.slow
def test_a_finished_run_becomes_a_table_of_its_subnetworks(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "small", (0, 1))
    out = tmp_path / "out"
    command = ["subnetwork", str(run), "truth", "--workers", "0", "--out", str(out)]
    first = CliRunner().invoke(app, command, catch_exceptions=False)
    assert first.exit_code == 0 and "intervals over 2 seeds" in first.stdout
    assert (
        RunDirectory(out).record()["command"] == f"rewardscope subnetwork {run} truth --out {out}"
    )
    again = CliRunner().invoke(
        app, [*command, "--json"], catch_exceptions=False
    )  # finished cells are kept
    record = json.loads(again.stdout[again.stdout.index("\n{") :])
    rows = {row["arm"]: row for row in record["arms"]}
    assert len(rows) == 12 and record["seeds"] == [0, 1]
    assert {estimate["value"] for estimate in rows.pop("full")["equal"].values()} == {1.0}
    assert all(row["moved_outside"] == 0 for row in rows.values())
    for view in ("bfloat16", "largest"):
        shares = {
            rows[f"{view}-{entries}"]["trained_share"]
            for entries in ("changed", "other", "random", "smallest")
        }
        assert len(shares) == 1 and 0 < shares.pop() < 1
        assert rows[f"{view}-changed"]["accuracy"]["lower"] is not None
        assert rows[f"{view}-random"]["against_random"] is None
    for entries in ("changed", "other", "random"):
        matched, plain = rows[f"largest-{entries}-matched"], rows[f"largest-{entries}"]
        assert matched["trained_share"] == plain["trained_share"]
        assert matched["update_norm"] > plain["update_norm"] > 0
    cells = RunDirectory(out).cells()
    assert len(cells) == 1 + 12 * 2


def test_one_seed_and_an_unknown_arm_are_refused(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "small", (0,))
    with pytest.raises(
        StudyError, match=r"several finished seeds\. Got: 1 finished seed\. Allowed: 2 or more"
    ):
        CliRunner().invoke(app, ["subnetwork", str(run), "truth"], catch_exceptions=False)
    with pytest.raises(StudyError, match="no such arm"):
        CliRunner().invoke(app, ["subnetwork", str(run), "coin"], catch_exceptions=False)
