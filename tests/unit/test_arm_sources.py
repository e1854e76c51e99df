"""Where an arm's completions come from beyond its own plain sampling: demonstrations, sampling
rounds, a curriculum.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from factories import SMALL_ARM
from rewardscope import (
    DPO,
    Chain,
    Coin,
    Constant,
    Curriculum,
    Imitation,
    Learner,
    Oracle,
    Pool,
    Reprompt,
    SelfDistillation,
    Stored,
    Teacher,
)
from rewardscope.environments import by_historical_variance
from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training import Arm, roll_out, train, write_out
from rewardscope.types import Ending, Grade, Problem, Rollout


def trained(arm: Arm, folder: Path, seed: int = 0) -> CellDirectory:
    cell = CellDirectory(folder)
    train(arm, seed, cell, lambda done: None)
    return cell


def stored(cell: CellDirectory, steps: int) -> list[list[Rollout]]:
    return [list(read_rollouts(cell.step_file("rollouts", step))) for step in range(steps)]


def test_demonstrations_are_graded_and_carry_the_policys_own_logprobs() -> None:
    arm = replace(SMALL_ARM, demonstrations=Oracle(), completions_per_problem=2)
    policy, problem = arm.start.load(), Chain().problem("train", 0)
    (found,) = write_out(arm, policy, [problem], 7)
    assert found.policy_step == 7 and [grade.correct for grade in found.grades] == [True, True]
    assert (
        found.completions[0].text == Chain().oracle(problem)
        and found.completions[0].ending is Ending.END_TOKEN
    )
    (sampled,) = roll_out(policy, Chain(), [problem], 64, arm.sampling, 0, [("test",)])
    twins = [c for c in sampled.completions if c.token_ids == found.completions[0].token_ids]
    assert twins  # the planted strategy writes this very text
    assert found.completions[0].logprobs == pytest.approx(twins[0].logprobs, abs=1e-5)


def test_a_demonstration_longer_than_allowed_is_cut_and_says_so() -> None:
    arm = replace(
        SMALL_ARM, demonstrations=Oracle(), sampling=replace(SMALL_ARM.sampling, max_tokens=5)
    )
    (found,) = write_out(arm, arm.start.load(), [Chain().problem("train", 0)], 0)
    assert {(len(c.token_ids), c.ending) for c in found.completions} == {(5, Ending.LENGTH)}
    whole = Chain().oracle(found.problem)
    assert {c.text for c in found.completions} == {whole[:5]}, "what is graded is what is imitated"
    assert (
        found.grades[0] == Chain().grade(found.problem, whole[:5])
        and not found.grades[0].well_formed
    )


def test_imitating_the_oracle_teaches_its_strategy(tmp_path: Path) -> None:
    arm = replace(
        SMALL_ARM,
        demonstrations=Oracle(),
        completions_per_problem=1,
        problems_per_step=16,
        steps=6,
        credit=Imitation(),
        checkpoint_every=6,
        learner=Learner(learning_rate=2e-3),
    )
    losses = [row["loss"] for row in trained(arm, tmp_path).steps()]
    assert losses[-1] < 0.75 * losses[0]


def test_the_key_in_a_demonstration_is_declared() -> None:
    assert replace(SMALL_ARM, demonstrations=Oracle()).uses_truth["demonstrations"]
    assert replace(SMALL_ARM, demonstrations=Stored("some")).uses_truth["demonstrations"], (
        "who wrote them is not known"
    )
    assert not replace(
        SMALL_ARM, demonstrations=Stored("some", written_with_truth=False)
    ).uses_truth["demonstrations"]
    assert not SMALL_ARM.uses_truth["demonstrations"]


def test_preferences_from_a_stored_file(tmp_path: Path) -> None:
    """The stored texts stand where the policy's own would, and DPO compares them."""
    arm = replace(SMALL_ARM, regime=Pool(4), completions_per_problem=8, steps=2)
    first = trained(arm, tmp_path / "first")
    folder = str(first.path / "rollouts")
    second = trained(
        replace(arm, demonstrations=Stored(folder), credit=DPO(), learner=Learner(1e-3), steps=3),
        tmp_path / "second",
    )
    written = {
        rollout.problem.id: [c.text for c in rollout.completions]
        for step in stored(first, 2)
        for rollout in step
    }
    for step in stored(second, 3):
        for rollout in step:
            assert [c.text for c in rollout.completions] == written[rollout.problem.id]
    assert second.steps()[0]["loss"] == pytest.approx(0.6931, abs=1e-4)
    assert second.steps()[-1]["loss"] < 0.69


def test_stored_rollouts_of_other_problems_are_refused_with_the_problem(tmp_path: Path) -> None:
    first = trained(replace(SMALL_ARM, regime=Pool(2), steps=1), tmp_path / "first")
    arm = replace(
        SMALL_ARM, regime=Pool(2, first=50), demonstrations=Stored(str(first.path / "rollouts"))
    )
    with pytest.raises(
        ComponentError,
        match=r"no completion of a problem that the arm met. Got: problem [0-9a-f]{16}.*step 0",
    ):
        trained(arm, tmp_path / "second")
    with pytest.raises(ComponentError, match="This folder has no stored rollouts"):
        Stored(str(tmp_path / "nowhere")).identity()


def test_what_is_stored_is_part_of_what_determines_a_cell(tmp_path: Path) -> None:
    first = trained(replace(SMALL_ARM, steps=1), tmp_path / "first")
    before = Stored(str(first.path / "rollouts")).identity()
    assert before == Stored(str(first.path / "rollouts")).identity()
    trained(replace(SMALL_ARM, steps=2), tmp_path / "first")
    assert Stored(str(first.path / "rollouts")).identity() != before


def differing(groups: Sequence[Rollout]) -> int:
    return sum(len(set(group.rewards or ())) > 1 for group in groups)


def test_sampling_goes_on_until_enough_groups_differ(tmp_path: Path) -> None:
    arm = replace(
        SMALL_ARM,
        problems_per_step=4,
        completions_per_problem=2,
        reward=Coin(0.15),
        steps=3,
        checkpoint_every=3,
    )
    once, often = (
        trained(arm, tmp_path / "once"),
        trained(replace(arm, sampling_rounds=8), tmp_path / "often"),
    )
    for plain, step in zip(stored(once, 3), stored(often, 3), strict=True):
        assert len(plain) == 4 and differing(plain) < 4
        assert [rollout.problem.id for rollout in step[:4]] == [
            rollout.problem.id for rollout in plain
        ]  # and then some
        assert differing(step) >= 4 or len(step) == 32
        assert differing(step[: len(step) - 4]) < 4  # the last round was needed
        assert len({rollout.problem.id for rollout in step}) == len(
            step
        )  # other problems, not the same again
    assert all(row["credit/informative_group_share"] == 1.0 for row in often.steps())


def test_a_reward_that_never_differs_ends_after_the_last_round_with_a_full_step(
    tmp_path: Path,
) -> None:
    arm = replace(SMALL_ARM, reward=Constant(1.0), sampling_rounds=3, steps=1, checkpoint_every=1)
    (step,) = stored(trained(arm, tmp_path), 1)
    assert len(step) == 3 * arm.problems_per_step


def drawn(
    regime: Curriculum, history: dict[int, list[tuple[int, float]]], step: int, count: int
) -> list[int]:
    return regime.indices(0, step, count, history)


def test_a_curriculum_meets_everything_once_and_then_what_is_neither_easy_nor_hard() -> None:
    regime, history = (
        Curriculum(6, low=0.2, high=0.8, rest=10),
        dict[int, list[tuple[int, float]]](),
    )
    for step in range(3):
        for index in drawn(regime, history, step, 2):
            history[index] = [(step, {0: 1.0, 1: 0.0}.get(index, 0.5))]
    assert sorted(history) == list(range(6))
    middling = {2, 3, 4, 5}
    assert set(drawn(regime, history, 3, 4)) == middling
    oldest = sorted(middling, key=lambda index: history[index][-1][0])
    assert set(drawn(regime, history, 3, 1)) <= {
        i for i in middling if history[i][-1][0] == history[oldest[0]][-1][0]
    }
    assert set(drawn(regime, history, 3, 6)) == set(range(6))  # a step is always full
    assert set(drawn(regime, history, 30, 2)) == {0, 1}  # rested, and measured again
    assert len(drawn(regime, history, 3, 9)) == 9


def test_the_last_pass_rate_counts() -> None:
    history = {0: [(0, 0.5), (1, 1.0)], 1: [(0, 1.0), (1, 0.5)]}
    assert drawn(Curriculum(2), history, 2, 1) == [1]


def test_a_curriculum_reads_the_truth_and_says_so(tmp_path: Path) -> None:
    arm = replace(SMALL_ARM, regime=Curriculum(3), reward=Coin())
    assert arm.uses_truth == {
        "reward": False,
        "credit": False,
        "regime": True,
        "demonstrations": False,
        "mask": False,
        "bank": False,
    }
    assert Pool(1, chosen_by_truth=True).uses_truth and not Pool(1).uses_truth
    trained(arm, tmp_path)
    with pytest.raises(ComponentError, match="a pool and a band"):
        Curriculum(3, low=0.8, high=0.2)


def graded(name: str, *marks: str) -> list[Rollout]:
    """A problem met once per string of marks: 1 right, 0 wrong, ? could not be graded."""
    problem = Problem(name * 16, "Chain", name, "0")
    known = {"1": True, "0": False, "?": None}
    return [
        Rollout(problem, 0, (), tuple(Grade(known[m], known[m], True) for m in met))
        for met in marks
    ]


def test_problems_by_the_variance_of_their_history_by_hand() -> None:
    found = by_historical_variance(
        [
            *graded("a", "10", "10"),
            *graded("b", "00", "11"),
            *graded("c", "11"),
            *graded("d", "0?", "10", "??"),
        ]
    )
    assert [(ranked.prompt, ranked.times_met) for ranked in found] == [
        ("b", 2),
        ("d", 2),
        ("a", 2),
    ]  # c was met once
    assert [ranked.deviation for ranked in found] == [0.5, 0.25, 0.0]
    assert found[1].mean == 0.25


def test_a_reprompt_longer_than_the_context_is_stopped_with_method_step_and_problem(
    tmp_path: Path,
) -> None:
    reprompt = Reprompt(template="{solution}{prompt}" + "1" * 300, solution_section="{solution}")
    arm = replace(
        SMALL_ARM,
        reward=Constant(1.0),
        credit=SelfDistillation(reprompt),
        learner=Learner(teacher=Teacher()),
    )
    message = (
        r"longer than the model's context.*problem [0-9a-f]{16}; arm 'truth' with "
        r"SelfDistillation, seed 0, step 0"
    )
    with pytest.raises(RewardscopeError, match=message):
        trained(arm, tmp_path)


def test_a_run_goes_on_where_no_group_has_a_better_and_a_worse_completion(tmp_path: Path) -> None:
    """A seed that has learned everything finishes like the others; before the first pair, not a
    weight moves.
    """
    arm = replace(SMALL_ARM, reward=Constant(1.0), credit=DPO())
    policy, cell = (
        train(arm, 0, CellDirectory(tmp_path), lambda done: None),
        CellDirectory(tmp_path),
    )
    assert [(row["loss"], row["credit/pairs"]) for row in cell.steps()] == [(0.0, 0.0)] * arm.steps
    torch.testing.assert_close(
        policy.model.state_dict(), arm.start.load().model.state_dict(), atol=0.0, rtol=0.0
    )
