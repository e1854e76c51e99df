import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from factories import SMALL_ARM, completion, rollout
from rewardscope import Arm, Learner, Truth
from rewardscope.errors import CheckpointError
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training import summary, train
from rewardscope.types import Ending, Rewards

ARM = SMALL_ARM


class Interrupted(Exception):
    pass


def interrupted_after(cell: CellDirectory, steps: int) -> None:
    def stop(done: int) -> None:
        if done == steps:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(ARM, 0, cell, stop)


def rows(cell: CellDirectory) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in cell.steps()]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_interrupted_run_goes_on_to_the_same_bits_and_the_same_rows(tmp_path: Path, steps: int) -> None:
    whole, cut = CellDirectory(tmp_path / "whole"), CellDirectory(tmp_path / "cut")
    expected = train(ARM, 0, whole, lambda done: None)
    interrupted_after(cut, steps)
    seen: list[int] = []
    found = train(ARM, 0, cut, seen.append)
    assert seen == list(range(steps // 2 * 2 + 1, 5))
    torch.testing.assert_close(dict(found.model.state_dict()), dict(expected.model.state_dict()), atol=0.0, rtol=0.0)
    assert rows(cut) == rows(whole)
    assert [row["step"] for row in rows(cut)] == [0, 1, 2, 3]
    for step in range(4):
        assert read_rollouts(cut.step_file("rollouts", step)) == read_rollouts(whole.step_file("rollouts", step))


def test_a_finished_run_is_loaded_and_not_trained_again(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path)
    trained = train(ARM, 0, cell, lambda done: None)
    again = train(ARM, 0, cell, lambda done: pytest.fail("it trained again"))
    torch.testing.assert_close(dict(again.model.state_dict()), dict(trained.model.state_dict()), atol=0.0, rtol=0.0)
    assert cell.checkpoints() == [4]  # older ones were let go


def test_a_damaged_checkpoint_is_not_gone_on_from(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path)
    interrupted_after(cell, 2)
    os.truncate(cell.checkpoint(2) / "model.safetensors", 1000)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        train(ARM, 0, cell, lambda done: None)


def test_arms_under_one_seed_meet_the_same_problems_and_seeds_meet_others(tmp_path: Path) -> None:
    def problems(name: str, arm: Arm, seed: int) -> list[str]:
        cell = CellDirectory(tmp_path / name)
        train(replace(arm, steps=2), seed, cell, lambda done: None)
        return [r.problem.id for step in range(2) for r in read_rollouts(cell.step_file("rollouts", step))]

    truth = problems("truth", ARM, 0)
    assert problems("strict", replace(ARM, name="strict", reward=Truth(strict=True), learner=Learner()), 0) == truth
    assert not set(problems("other seed", ARM, 1)) & set(truth)


def test_a_steps_numbers_by_hand() -> None:
    mixed = rollout([True, False, None], strict=False).told(Rewards((1.0, 0.0, None)))
    mixed = replace(mixed, completions=(completion(num_tokens=2), completion(num_tokens=4), completion("", Ending.LENGTH, 6)))
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
    assert (found["reward_mean"], found["correct_share"], found["strict_share"]) == (None, None, None)
