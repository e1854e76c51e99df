import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from factories import SMALL_ARM, completion, rollout, timeless_steps
from rewardscope import (
    Arm,
    Critic,
    GeneralisedAdvantage,
    GroupMean,
    House,
    KLInReward,
    Learner,
    Oracle,
    Organism,
    Sampling,
    Truth,
)
from rewardscope.errors import CheckpointError
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training import summary, train
from rewardscope.types import Ending, Rewards

ARM = SMALL_ARM
EPISODES = replace(
    SMALL_ARM,
    start=Organism("house"),
    environment=House(),
    sampling=Sampling(max_tokens=60, turn_tokens=4),
    credit=KLInReward(base=GeneralisedAdvantage()),
    learner=Learner(learning_rate=3e-4, kl_weight=0.1, critic=Critic()),
)


class Interrupted(Exception):
    pass


def interrupted_after(arm: Arm, cell: CellDirectory, steps: int) -> None:
    def stop(done: int) -> None:
        if done == steps:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(arm, 0, cell, stop)


@pytest.mark.parametrize(
    ("arm", "steps"),
    [(ARM, 1), (ARM, 2), (ARM, 3), (EPISODES, 3)],
    ids=["1", "2", "3", "episodes, 3"],
)
def test_an_interrupted_run_goes_on_to_the_same_bits_and_the_same_rows(
    tmp_path: Path, arm: Arm, steps: int
) -> None:
    whole, cut = CellDirectory(tmp_path / "whole"), CellDirectory(tmp_path / "cut")
    expected = train(arm, 0, whole, lambda done: None)
    interrupted_after(arm, cut, steps)
    seen: list[int] = []
    found = train(arm, 0, cut, seen.append)
    assert seen == list(range(steps // 2 * 2 + 1, 5))
    torch.testing.assert_close(
        dict(found.model.state_dict()), dict(expected.model.state_dict()), atol=0.0, rtol=0.0
    )
    assert timeless_steps(cut) == timeless_steps(whole)
    assert [row["step"] for row in timeless_steps(cut)] == [0, 1, 2, 3]
    for step in range(4):
        assert read_rollouts(cut.step_file("rollouts", step)) == read_rollouts(
            whole.step_file("rollouts", step)
        )


def test_a_finished_run_is_loaded_and_not_trained_again(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path)
    trained = train(ARM, 0, cell, lambda done: None)
    again = train(ARM, 0, cell, lambda done: pytest.fail("it trained again"))
    torch.testing.assert_close(
        dict(again.model.state_dict()), dict(trained.model.state_dict()), atol=0.0, rtol=0.0
    )
    assert cell.checkpoints() == [4]  # older ones were let go


def test_a_damaged_checkpoint_is_not_gone_on_from(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path)
    interrupted_after(ARM, cell, 2)
    os.truncate(cell.checkpoint(2) / "model.safetensors", 1000)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        train(ARM, 0, cell, lambda done: None)


def test_arms_under_one_seed_meet_the_same_problems_and_seeds_meet_others(tmp_path: Path) -> None:
    def problems(name: str, arm: Arm, seed: int) -> list[str]:
        cell = CellDirectory(tmp_path / name)
        train(replace(arm, steps=2), seed, cell, lambda done: None)
        return [
            r.problem.id
            for step in range(2)
            for r in read_rollouts(cell.step_file("rollouts", step))
        ]

    truth = problems("truth", ARM, 0)
    assert (
        problems(
            "strict", replace(ARM, name="strict", reward=Truth(strict=True), learner=Learner()), 0
        )
        == truth
    )
    assert not set(problems("other seed", ARM, 1)) & set(truth)


def test_a_steps_numbers_by_hand() -> None:
    mixed = rollout([True, False, None], strict=False).told(Rewards((1.0, 0.0, None)))
    mixed = replace(
        mixed,
        completions=(
            completion(num_tokens=2),
            completion(num_tokens=4),
            completion("", Ending.LENGTH, 6),
        ),
    )
    assert summary([mixed], ("stepwise", "guess")) == {
        "reward_mean": 0.5,
        "correct_share": 0.5,
        "strict_share": 0.0,
        "ungraded": 1.0,
        "well_formed_share": 1.0,
        "length_mean_tokens": 4.0,
        "end_token_share": pytest.approx(2 / 3),
        "strategy/stepwise": 0.0,
        "strategy/guess": 1.0,
    }


def test_what_nobody_could_say_is_none_in_a_steps_row() -> None:
    found = summary([rollout([None, None]).told(Rewards((None, None)))], ())
    assert (found["reward_mean"], found["correct_share"], found["strict_share"]) == (
        None,
        None,
        None,
    )


def test_demonstrations_of_several_turns_are_written_out_with_their_answers(tmp_path: Path) -> None:
    arm = replace(
        EPISODES,
        demonstrations=Oracle(),
        credit=GroupMean(),
        learner=Learner(),
        steps=1,
        sampling=Sampling(max_tokens=80),
    )
    cell = CellDirectory(tmp_path)
    train(arm, 0, cell, lambda done: None)
    for written in read_rollouts(cell.step_file("rollouts", 0)):
        for found, grade in zip(written.completions, written.grades, strict=True):
            assert found.said == House().oracle(written.problem) and grade.strict
            assert found.ending is Ending.OVER and found.chosen is not None
            assert all(own or lp == 0 for lp, own in zip(found.logprobs, found.chosen, strict=True))
            assert (
                sum(lp < 0 for lp in found.logprobs) > found.length / 2
            )  # of some tokens the organism is sure to the last digit


def test_a_step_of_episodes_counts_what_the_policy_said(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path)
    train(replace(EPISODES, steps=1, checkpoint_every=1), 0, cell, lambda done: None)
    completions = [
        c for written in read_rollouts(cell.step_file("rollouts", 0)) for c in written.completions
    ]
    assert all(c.chosen is not None and not all(c.chosen) for c in completions)
    assert cell.steps()[0]["length_mean_tokens"] == pytest.approx(
        sum(sum(c.chosen or ()) for c in completions) / len(completions)
    )
