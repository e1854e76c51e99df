from dataclasses import replace

import pytest
from typer.testing import CliRunner

from factories import SMALL_ARM
from rewardscope import Evaluation, Pool, Study
from rewardscope.analyses.ranking import rank_problems
from rewardscope.cli import app
from rewardscope.errors import StudyError
from rewardscope.store import RunDirectory, read_rollouts
from rewardscope.study import open_run
from rewardscope.training import train

ARM = replace(
    SMALL_ARM, regime=Pool(4, first=7), steps=6, checkpoint_every=6, completions_per_problem=8
)
STUDY = Study(
    "ranked", "Which?", (ARM,), (0, 1), (), evaluation=Evaluation(problems=2, draws=2, readings=0)
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    directory = open_run(STUDY, tmp_path_factory.mktemp("ranked") / "run", "test")
    for cell in STUDY.cells():
        if cell.seed is not None:
            train(ARM, cell.seed, directory.cell(cell.name), lambda done: None)
    return directory


def test_problems_are_ranked_by_the_deviation_of_their_own_pass_rates(run: RunDirectory) -> None:
    cells = [run.cell(cell.name) for cell in STUDY.cells() if cell.seed is not None]
    ranked = rank_problems(ARM, cells)
    assert sorted(index for index, _ in ranked) == [7, 8, 9, 10]
    assert [each.deviation for _, each in ranked] == sorted(
        (each.deviation for _, each in ranked), reverse=True
    )
    index, first = ranked[0]
    assert ARM.environment.problem("train", index).id == first.problem
    rates = [
        sum(grade.correct is True for grade in rollout.grades) / 8
        for cell in cells
        for step in range(6)
        for rollout in read_rollouts(cell.step_file("rollouts", step))
        if rollout.problem.id == first.problem
    ]
    mean = sum(rates) / len(rates)
    assert first.deviation == pytest.approx(
        (sum((rate - mean) ** 2 for rate in rates) / len(rates)) ** 0.5
    )
    assert (first.mean, first.times_met) == (pytest.approx(mean), len(rates))


def test_the_command_prints_the_order_with_indices_for_a_pool(run: RunDirectory) -> None:
    cells = [run.cell(cell.name) for cell in STUDY.cells() if cell.seed is not None]
    index, first = rank_problems(ARM, cells)[0]
    printed = CliRunner().invoke(app, ["rank", str(run.root), "truth", "--top", "1"])
    assert printed.exit_code == 0
    assert first.prompt in printed.output and f" {index} " in printed.output


def test_an_arm_that_is_not_there_or_has_no_pool_is_refused(run: RunDirectory) -> None:
    with pytest.raises(StudyError, match=r"no such arm.*'none'.*Allowed: truth"):
        CliRunner().invoke(app, ["rank", str(run.root), "none"], catch_exceptions=False)
    with pytest.raises(StudyError, match="meets none twice"):
        rank_problems(SMALL_ARM, [])
