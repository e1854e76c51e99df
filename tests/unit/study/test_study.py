import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from rewardscope import (
    Arm,
    Boundary,
    Chain,
    Claim,
    Coin,
    Evaluation,
    Mislabelled,
    Organism,
    Policy,
    Pool,
    Pretrained,
    Sampling,
    Study,
    Truth,
)
from rewardscope.errors import (
    ComponentError,
    EnvironmentFault,
    ModelError,
    RunDirectoryError,
    StudyError,
)
from rewardscope.probes import Evidence
from rewardscope.store import measuring_signature, read_json
from rewardscope.study import load_study, open_run
from rewardscope.study.cells import _told, held_out, run_cell
from rewardscope.training import roll_out
from rewardscope.types import Grade, Measurement, Problem

CLAIM = Claim(
    sentence="It helps.",
    metric="boundary/pass_at_k",
    labels={"k": "1"},
    treatment="truth",
    control="coin",
)
TRUTH = Arm(
    name="truth", start=Organism("formats-planted"), environment=Chain(), reward=Truth(), steps=2
)
COIN = replace(TRUTH, name="coin", reward=Coin())
STUDY = Study(name="little", question="?", arms=(TRUTH, COIN), seeds=(0, 1), claims=(CLAIM,))


def test_two_arms_that_would_train_the_same_thing_are_refused() -> None:
    with pytest.raises(StudyError, match="'coin' and arm 'coin2' are the same"):
        replace(STUDY, arms=(TRUTH, COIN, replace(COIN, name="coin2")))


def test_a_group_of_one_is_refused() -> None:
    with pytest.raises(ComponentError, match="groups of one"):
        replace(TRUTH, completions_per_problem=1)


@pytest.mark.parametrize(
    ("field", "part", "message"),
    [
        (
            "start",
            "formats-planted",
            r"'truth' cannot take this as its start. Got: "
            r"start='formats-planted'.*Organism\('formats-planted'\)",
        ),
        (
            "environment",
            Chain,
            r"environment=Chain, a class. Allowed: instances of Environment. Write "
            r"environment=Chain\(\)",
        ),
        ("reward", "coin", r"reward='coin'. Allowed: instances of Reward"),
        ("regime", Pool, r"Write regime=Pool\(\.\.\.\)"),
        ("credit", None, r"instances of Credit or Preference"),
        ("steps", 2.5, r"steps=2.5. Allowed: instances of int"),
        ("steps", 0, r"below 1. Got: steps=0. Allowed: 1 or more"),
    ],
)
def test_a_part_of_an_arm_that_is_something_else_is_named(
    field: str, part: object, message: str
) -> None:
    with pytest.raises(ComponentError, match=message):
        replace(TRUTH, **{field: part})


def test_a_start_that_is_nowhere_stops_the_study_before_a_cell_is_written(tmp_path: Path) -> None:
    for name, message in (
        (str(tmp_path / "gone"), "no such folder"),
        (str(tmp_path), "holds no safetensors"),
    ):
        study = replace(
            STUDY, arms=tuple(replace(arm, start=Pretrained(name)) for arm in STUDY.arms)
        )
        with pytest.raises(ModelError, match=message):
            open_run(study, tmp_path / "run", "test")
        assert not (tmp_path / "run").exists()


def test_a_claim_about_an_unknown_arm_is_refused() -> None:
    with pytest.raises(StudyError, match="nobody"):
        replace(STUDY, claims=(replace(CLAIM, control="nobody"),))


def test_a_claim_about_an_unknown_metric_lists_the_nearest_ones() -> None:
    with pytest.raises(
        StudyError, match=r"boundary/pass_at_k, .* more that the study's probes make"
    ):
        replace(STUDY, claims=(replace(CLAIM, metric="boundary/pass"),))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expects": "bigger"}, "expects something.*bigger.*greater, less, same"),
        ({"control": "truth"}, "compares an arm with itself.*truth and truth"),
        ({"labels": {"k": 1}}, "labels that are no texts.*'k': 1"),
    ],
)
def test_a_claim_that_could_not_be_judged_is_refused_before_anything_is_trained(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError, match=re.compile(message, re.DOTALL)):
        replace(STUDY, claims=(replace(CLAIM, **changes),))


@pytest.mark.parametrize(
    ("margin", "expects"),
    [(-0.1, "greater"), (-0.1, "same"), (0.0, "same"), (float("nan"), "less")],
)
def test_a_margin_that_could_decide_nothing_is_refused(
    margin: float, expects: Literal["greater", "less", "same"]
) -> None:
    with pytest.raises(StudyError, match="margin that nothing could be held against"):
        replace(STUDY, claims=(replace(CLAIM, margin=margin, expects=expects),))


@pytest.mark.parametrize("name", ["a/b", "", "Base Arm", "../x", "base"])
def test_a_name_that_cannot_be_a_folder_is_refused(name: str) -> None:
    with pytest.raises(StudyError, match="part of a file name"):
        replace(STUDY, arms=(replace(TRUTH, name=name), COIN), claims=())


def test_cells_are_named_by_what_determines_them_and_not_by_how_often_they_are_saved() -> None:
    names = [cell.name for cell in STUDY.cells()]
    often = replace(STUDY, arms=(replace(TRUTH, checkpoint_every=1), COIN))
    longer = replace(STUDY, arms=(replace(TRUTH, steps=3), COIN))
    assert [cell.name for cell in often.cells()] == names
    assert len(names) == len(set(names)) == 1 + 2 * 2
    assert {name for name in names if not name.startswith("truth")} == {
        c.name for c in longer.cells() if not c.name.startswith("truth")
    }
    assert not {name for name in names if name.startswith("truth")} & {
        cell.name for cell in longer.cells()
    }


def test_arms_from_one_start_share_one_base_cell_and_other_starts_have_their_own() -> None:
    other = replace(
        STUDY, arms=(TRUTH, COIN, replace(TRUTH, name="barren", start=Organism("formats-barren")))
    )
    assert [cell.label for cell in other.cells() if cell.seed is None] == [
        "base:formats-planted",
        "base:formats-barren",
    ]


def test_arms_of_different_problems_measured_on_the_same_ones_share_their_base() -> None:
    longer = replace(TRUTH, name="longer", environment=Chain(4, 4))
    apart = replace(STUDY, arms=(TRUTH, COIN, longer))
    together = replace(apart, evaluation=Evaluation(problems=8, environment=Chain(5, 5)))
    assert [sum(cell.seed is None for cell in study.cells()) for study in (apart, together)] == [
        2,
        1,
    ]
    assert {p.level for p in held_out(longer, apart.evaluation)} == {4}
    assert [p.id for p in held_out(longer, together.evaluation)] == [
        p.id for p in held_out(TRUTH, together.evaluation)
    ]
    assert {p.level for p in held_out(TRUTH, together.evaluation)} == {5}
    assert apart.measuring_signature != together.measuring_signature


def test_study_json_says_what_rows_were_made_under(tmp_path: Path) -> None:
    """What reads a run without torch finds the signature that cells are marked with."""
    study = replace(STUDY, evaluation=Evaluation(problems=8, environment=Chain(5, 5)))
    assert (
        measuring_signature(
            read_json(open_run(study, tmp_path / "run", "test").root / "study.json")
        )
        == study.measuring_signature
    )


@dataclass(frozen=True)
class Watching:
    """An instrument that keeps what it was pointed at and finds nothing."""

    metrics: ClassVar[tuple[str, ...]] = ("watching/nothing",)
    reads: ClassVar[str] = "nothing"
    seen: ClassVar[list[Evidence]] = []

    def measure(self, evidence: Evidence) -> list[Measurement]:
        self.seen.append(evidence)
        return []


@dataclass(frozen=True)
class Twice(Watching):
    """Another that makes a metric of the first."""

    metrics: ClassVar[tuple[str, ...]] = ("twice/mine", "watching/nothing")


def test_two_probes_that_make_the_same_metric_are_refused_with_file_and_line() -> None:
    with pytest.raises(
        StudyError,
        match=r"make the same metric.*Got: watching/nothing of Watching and of Twice\. Allowed: "
        r"every metric from one probe\..*rename its metric.*At: .*test_study.py, line \d+",
    ):
        replace(STUDY, probes=(Watching(), Twice()), claims=())
    with pytest.raises(StudyError, match=r"boundary/pass_at_k of Boundary and of Boundary"):
        replace(STUDY, probes=(Boundary(), Boundary(max_k=4)))


def test_instruments_are_given_the_environment_whose_problems_were_asked(tmp_path: Path) -> None:
    """The arm trains on chains of 3 operations and is measured on those of 5: an instrument that
    asks again asks those.
    """
    Watching.seen.clear()
    evaluation = Evaluation(problems=2, draws=2, readings=0, environment=Chain(5, 5))
    study = replace(STUDY, evaluation=evaluation, probes=(Watching(),), claims=())
    run = open_run(study, tmp_path / "run", "test")
    run_cell(study, study.cells()[0], run)
    (evidence,) = Watching.seen
    assert evidence.environment == Chain(5, 5) != TRUTH.environment
    assert {rollout.problem.level for rollout in evidence.rollouts} == {5}


def test_a_trained_policy_is_compared_only_with_a_base_that_is_measured_alike(
    tmp_path: Path,
) -> None:
    small = {
        "steps": 1,
        "problems_per_step": 2,
        "completions_per_problem": 2,
        "sampling": Sampling(max_tokens=8),
    }
    arms = tuple(replace(arm, **small) for arm in (TRUTH, COIN))  # type: ignore[arg-type]
    older = replace(
        STUDY,
        arms=arms,
        evaluation=Evaluation(problems=2, draws=2, readings=0),
        probes=(Watching(),),
        claims=(),
    )
    study = replace(older, evaluation=Evaluation(problems=3, draws=2, readings=0))
    run = open_run(older, tmp_path / "run", "test")
    base, trained = older.cells()[0], older.cells()[1]
    run_cell(older, base, run)
    with pytest.raises(StudyError, match=f"cell {base.name}: done"):
        run_cell(study, trained, run)
    assert run.cell(trained.name).checkpoints() == [1], "what was trained is kept"
    run_cell(study, base, run)
    Watching.seen.clear()
    run_cell(study, trained, run)
    assert [
        len(side or ()) for side in (Watching.seen[0].rollouts, Watching.seen[0].base_rollouts)
    ] == [3, 3]


def test_the_held_out_problems_are_distinct_and_not_trained_on() -> None:
    problems = held_out(TRUTH, Evaluation(problems=40))
    trained = {Chain().problem("train", index).id for index in range(500)}
    assert len({problem.id for problem in problems}) == 40
    assert not {problem.id for problem in problems} & trained


def test_too_few_held_out_problems_are_named() -> None:
    with pytest.raises(EnvironmentFault, match="too few different problems"):
        held_out(replace(TRUTH, environment=Chain(1, 1)), Evaluation(problems=400))


class Crooked(Chain):
    """A verifier that does not know its own answers."""

    def grade(self, problem: Problem, text: str) -> Grade:
        return Grade(correct=False, strict=False, well_formed=True)


def test_an_environment_that_fails_its_own_oracle_stops_the_study_before_a_cell_is_written(
    tmp_path: Path,
) -> None:
    study = replace(STUDY, arms=tuple(replace(arm, environment=Crooked()) for arm in STUDY.arms))
    with pytest.raises(EnvironmentFault, match="does not accept its own oracle"):
        open_run(study, tmp_path / "run", "test")
    assert not (tmp_path / "run").exists()


def test_a_run_directory_of_another_study_is_refused(tmp_path: Path) -> None:
    open_run(STUDY, tmp_path / "run", "test")
    with pytest.raises(RunDirectoryError, match="another study's"):
        open_run(replace(STUDY, name="other"), tmp_path / "run", "test")


def test_cells_that_the_study_cannot_account_for_are_listed(tmp_path: Path) -> None:
    run = open_run(STUDY, tmp_path / "run", "test")
    stranger = run.cell("elsewhere--s0--0123456789ab")
    stranger.write_status("done", 2)
    with pytest.raises(RunDirectoryError, match="elsewhere--s0--0123456789ab"):
        open_run(STUDY, tmp_path / "run", "test")


def test_a_folder_with_other_files_is_not_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(RunDirectoryError, match="holds no run"):
        open_run(STUDY, tmp_path, "test")


def test_claims_changed_after_the_first_cell_began_are_remembered(tmp_path: Path) -> None:
    run = open_run(STUDY, tmp_path / "run", "test")
    changed = replace(STUDY, claims=(replace(CLAIM, margin=0.3),))
    open_run(changed, run.root, "test")
    assert read_json(run.root / "study.json")["claims_changed_after_start"] is False
    run.cell(STUDY.cells()[0].name).write_status("running", 0)
    open_run(STUDY, run.root, "test")
    assert read_json(run.root / "study.json")["claims_changed_after_start"] is True
    open_run(STUDY, run.root, "test")
    assert read_json(run.root / "study.json")["claims_changed_after_start"] is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from nowhere import x", "does not import.*ModuleNotFoundError"),
        ("from rewardscope import Coin\nCoin(q=1)", "unexpected keyword argument 'q'"),
        ("from rewardscope import Coine", "Coine"),
        ("study = 3", "leaves no study behind"),
        (
            "from rewardscope import Coin\nCoin(p=2)",
            "a coin's p is a probability|A coin's p is a probability",
        ),
        ("def (", r"SyntaxError: invalid syntax.*At: .*study_file\.py, line 1"),
        ("import nowhere", r"No module named 'nowhere'.*At: .*study_file\.py, line 1"),
        (
            "from rewardscope import Coin\n\n\nCoin(q=1)",
            r"Allowed: known components.*At: .*study_file\.py, line 4",
        ),
        ("import json\njson.loads('{')", r"Correct that line.*At: .*study_file\.py, line 2"),
    ],
)
def test_a_study_file_that_cannot_be_used_is_explained(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "study_file.py"
    file.write_text(text)
    with pytest.raises((StudyError, ComponentError), match=message):
        load_study(file)


def test_the_base_is_told_what_the_arm_would_pay_it(planted: Policy) -> None:
    problems = held_out(TRUTH, Evaluation(problems=3, readings=0))
    base = roll_out(
        planted,
        Chain(),
        problems,
        8,
        Sampling(max_tokens=24),
        0,
        [("evaluate", problem.id) for problem in problems],
    )
    paid = _told(TRUTH, base)
    assert [r.rewards for r in paid] == [
        tuple(float(bool(g.correct)) for g in r.grades) for r in base
    ]
    assert {reward for r in _told(COIN, base) for reward in r.rewards or ()} == {0.0, 1.0}
    assert _told(replace(TRUTH, reward=Mislabelled()), base) == tuple(base), (
        "it knows no wrong keys of held-out problems"
    )
