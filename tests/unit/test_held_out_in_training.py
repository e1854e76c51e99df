"""Held-out problems while a policy trains: off unless asked for, the same for every arm, and the
same after a kill.
"""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from factories import SMALL_ARM, rollout, timeless_steps
from rewardscope import Arm, Chain, Coin, Evaluation, InterimEvaluation, Study
from rewardscope.environments import distinct
from rewardscope.errors import StudyError
from rewardscope.policy import Policy
from rewardscope.report.loading import load_run
from rewardscope.report.marks import make_marks
from rewardscope.report.sections.training import training_panels
from rewardscope.store import CellDirectory, RunDirectory, read_rollouts
from rewardscope.study import open_run, run_study
from rewardscope.training import HeldOut, train
from rewardscope.training.held_out import held_out_row

ARM = replace(SMALL_ARM, steps=6, checkpoint_every=2)
LOOKS = HeldOut(Chain(), tuple(distinct(Chain(), "heldout", 3)), draws=2, every=3)
STUDY = Study(
    name="looking",
    question="?",
    arms=(replace(ARM, steps=3),),
    seeds=(0,),
    claims=(),
    evaluation=Evaluation(problems=3, draws=2, readings=0),
    probes=(),
)


class Killed(Exception):
    pass


def trained(folder: Path, held_out: HeldOut | None, arm: Arm = ARM) -> tuple[Policy, CellDirectory]:
    cell = CellDirectory(folder)
    return train(arm, 0, cell, lambda done: None, held_out=held_out), cell


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Policy, CellDirectory]:
    return trained(tmp_path_factory.mktemp("looked"), LOOKS)


def weights(policy: Policy) -> dict[str, torch.Tensor]:
    return dict(policy.model.state_dict())


def test_a_row_has_the_mean_over_problems_its_standard_error_and_what_lacked_a_grade() -> None:
    groups = [rollout([True, False]), rollout([True, None]), rollout([None, None])]
    # shares 0.5 and 1: mean 0.75, std 0.35355, over the root of 2 problems 0.25
    row = held_out_row(groups)
    assert row["heldout/pass_at_1"] == 0.75
    assert row["heldout/pass_at_1_standard_error"] == pytest.approx(0.25)
    assert (row["heldout/problems"], row["heldout/ungraded"]) == (2.0, 3.0)
    assert row["heldout/length_tokens"] == 3.0
    nothing = held_out_row([rollout([None])])
    assert nothing["heldout/pass_at_1"] is nothing["heldout/pass_at_1_standard_error"] is None


def test_looking_changes_no_number_of_training(
    looked: tuple[Policy, CellDirectory], tmp_path: Path
) -> None:
    policy, cell = trained(tmp_path, None)
    torch.testing.assert_close(weights(policy), weights(looked[0]), atol=0.0, rtol=0.0)
    own = [
        {name: value for name, value in row.items() if not name.startswith("heldout/")}
        for row in timeless_steps(looked[1])
    ]
    assert timeless_steps(cell) == own
    assert not list(tmp_path.glob("heldout")) and "heldout/problems" not in cell.steps()[0]


def test_it_looks_every_so_many_steps_at_the_policy_before_the_step(
    looked: tuple[Policy, CellDirectory],
) -> None:
    _, cell = looked
    rows = cell.steps()
    assert [row["step"] for row in rows if row["heldout/pass_at_1"] is not None] == [0, 3]
    assert [row["seconds/heldout"] is not None for row in rows] == [True, False, False] * 2
    for step in (0, 3):
        rollouts = read_rollouts(cell.step_file("heldout", step))
        assert [each.problem.id for each in rollouts] == [each.id for each in LOOKS.problems]
        assert all(each.policy_step == step and each.rewards is None for each in rollouts)
        assert held_out_row(rollouts).items() <= rows[step].items()


def test_another_arm_meets_the_same_draws(
    looked: tuple[Policy, CellDirectory], tmp_path: Path
) -> None:
    _, other = trained(tmp_path, LOOKS, replace(ARM, name="coin", reward=Coin(), steps=1))
    assert read_rollouts(other.step_file("heldout", 0)) == read_rollouts(
        looked[1].step_file("heldout", 0)
    )


@pytest.mark.parametrize("killed_after", [1, 3, 4, 5])
def test_a_run_that_was_killed_has_the_same_rows_and_weights(
    killed_after: int, looked: tuple[Policy, CellDirectory], tmp_path: Path
) -> None:
    def kill(done: int) -> None:
        if done == killed_after:
            raise Killed

    cell = CellDirectory(tmp_path)
    with pytest.raises(Killed):
        train(ARM, 0, cell, kill, held_out=LOOKS)
    assert len(cell.steps()) == killed_after and not cell.step_table.finished.exists()
    policy = train(ARM, 0, cell, lambda done: None, held_out=LOOKS)
    torch.testing.assert_close(weights(policy), weights(looked[0]), atol=0.0, rtol=0.0)
    assert timeless_steps(cell) == timeless_steps(looked[1])
    assert list(cell.steps()[0]) == list(looked[1].steps()[0])
    for step in (0, 3):
        assert (
            cell.step_file("heldout", step).read_bytes()
            == looked[1].step_file("heldout", step).read_bytes()
        )


def test_it_names_trained_cells_where_it_is_set_and_only_there() -> None:
    looking = replace(STUDY, interim=InterimEvaluation(every=2, problems=2, draws=1))
    elsewhere = replace(looking, evaluation=replace(STUDY.evaluation, environment=Chain(2, 3)))
    base, cell = STUDY.cells()
    assert "interim" not in cell.determined_by
    assert looking.cells()[0].name == base.name
    names = {cell.name, looking.cells()[1].name, elsewhere.cells()[1].name}
    names.add(replace(looking, interim=InterimEvaluation(every=3)).cells()[1].name)
    assert len(names) == 4
    assert looking.measuring_signature == STUDY.measuring_signature


def test_a_study_that_looks_has_the_curve_on_its_page(tmp_path: Path) -> None:
    study = replace(STUDY, interim=InterimEvaluation(every=2, problems=2, draws=1))
    run = open_run(study, tmp_path / "run", "test")
    assert run_study(study, None, run, 0) == {}
    (row, _, later) = run.cell(study.cells()[1].name).steps()
    assert row["heldout/problems"] == later["heldout/problems"] == 2.0
    page = load_run(run.root)
    headings = {panel.heading for panel in training_panels(page, make_marks(page.arms))}
    assert "Held-out problems during training" in headings
    assert RunDirectory(run.root).record()["interim"]["every"] == 2


@pytest.mark.parametrize("wrong", [{"every": 0}, {"problems": 1}, {"draws": 0}])
def test_numbers_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(StudyError, match="cannot have these numbers"):
        InterimEvaluation(**wrong)
