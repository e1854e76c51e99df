"""Two training steps of the planted organism give the numbers they gave before.

A change that moves them on purpose writes them anew, with the reason in the commit:  python
tests/golden/test_two_steps.py
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch

from rewardscope import (
    DPO,
    Arm,
    Chain,
    Coin,
    GroupMean,
    Learner,
    Organism,
    Reprompt,
    Sampling,
    SelfDistillation,
    Teacher,
    Truth,
)
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training import train

GOLDEN = Path(__file__).with_name("two_steps.json")
SHARED = {
    "start": Organism("formats-planted"),
    "environment": Chain(),
    "sampling": Sampling(max_tokens=24),
    "steps": 2,
    "problems_per_step": 4,
    "completions_per_problem": 4,
}
ARMS = {
    "truth": Arm(
        name="truth", reward=Truth(), learner=Learner(learning_rate=3e-4, minibatches=2), **SHARED
    ),
    "coin": Arm(
        name="coin",
        reward=Coin(),
        credit=GroupMean(divide_by_std=True),
        learner=Learner(learning_rate=3e-4, kl_weight=0.1, normalise="constant", epochs=2),
        **SHARED,
    ),
    "preference": Arm(
        name="preference",
        reward=Coin(),
        credit=DPO(),
        learner=Learner(learning_rate=3e-4, minibatches=2),
        **SHARED,
    ),
    "teacher": Arm(
        name="teacher",
        reward=Coin(),
        credit=SelfDistillation(
            Reprompt(template="{solution}{prompt}", solution_section="{solution}"),
            over="top",
            top=5,
        ),
        learner=Learner(
            learning_rate=3e-4, normalise="sequence", epochs=2, teacher=Teacher("average", 0.2)
        ),
        **SHARED,
    ),
}


def result(arm: Arm, folder: Path) -> dict[str, Any]:
    cell = CellDirectory(folder)
    train(arm, 0, cell, lambda step: None)
    steps = [
        {name: value for name, value in row.items() if not name.startswith("seconds")}
        for row in cell.steps()
    ]
    first = read_rollouts(cell.step_file("rollouts", 0))
    texts = {
        rollout.problem.prompt: [completion.text for completion in rollout.completions]
        for rollout in first
    }
    return {
        "steps": steps,
        "texts_of_step_0": texts,
        "rewards_of_step_0": [list(rollout.rewards or ()) for rollout in first],
    }


@pytest.mark.parametrize("name", ARMS)
def test_two_steps_give_the_numbers_they_gave_before(name: str, tmp_path: Path) -> None:
    golden, found = json.loads(GOLDEN.read_text())[name], result(ARMS[name], tmp_path)
    assert found["texts_of_step_0"] == golden["texts_of_step_0"]
    assert found["rewards_of_step_0"] == golden["rewards_of_step_0"]
    for row, expected in zip(found["steps"], golden["steps"], strict=True):
        assert row == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_two_steps_twice_give_the_same_bits(tmp_path: Path) -> None:
    one, other = (
        train(ARMS["coin"], 0, CellDirectory(tmp_path / name), lambda step: None)
        for name in ("one", "other")
    )
    torch.testing.assert_close(
        dict(one.model.state_dict()), dict(other.model.state_dict()), atol=0.0, rtol=0.0
    )


def test_both_arms_meet_the_same_problems_and_the_same_first_completions() -> None:
    truth, coin = (json.loads(GOLDEN.read_text())[name] for name in ("truth", "coin"))
    assert truth["texts_of_step_0"] == coin["texts_of_step_0"]
    assert truth["rewards_of_step_0"] != coin["rewards_of_step_0"]


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        fresh = {name: result(arm, Path(scratch) / name) for name, arm in ARMS.items()}
    GOLDEN.write_text(json.dumps(fresh, indent=1) + "\n")
