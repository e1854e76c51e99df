"""What a reward carries from step to step."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from factories import SMALL_ARM, rollout, timeless_steps
from rewardscope import Arm, Coin, Normalised, Reinforce, Rewards, Truth
from rewardscope.codec import decode, encode
from rewardscope.errors import CheckpointError, ComponentError, TruthSealed
from rewardscope.protocols import Reward, State, View
from rewardscope.rewards import Memory, tell
from rewardscope.seeds import Address
from rewardscope.store import CellDirectory
from rewardscope.training import train
from rewardscope.types import Rollout

GROUP = rollout([True, False, None])
STEPS = [
    [[True, False, None], [True, True, True]],
    [[None, None]],
    [[False, False], [True, False, False, False]],
]


def paid(reward: Reward, group: Rollout, state: State) -> tuple[float | None, ...]:
    return tell(reward, group, (), state).rewards or ()


def test_the_first_step_is_paid_unchanged() -> None:
    assert tell(Normalised(Truth()), GROUP, ()).rewards == (1.0, 0.0, None)


def test_by_hand_after_one_step_with_rewards_1_0_1_1() -> None:
    reward = Normalised(Truth())
    memory = Memory.begin(reward)
    memory.learn([tell(reward, rollout([True, False, None]), ()), tell(reward, GROUP, ())])
    assert memory.state == {"count": 4, "mean": 0.5, "squares": 1.0, "reward": {}}
    told = tell(reward, GROUP, (), memory.state)
    assert told.rewards == (1.0, -1.0, None)  # (1 - 0.5) / 0.5 and (0 - 0.5) / 0.5
    assert told.parts == {"reward": (1.0, 0.0, None)}
    assert paid(Normalised(Truth(), clip=0.25), GROUP, memory.state) == (0.25, -0.25, None)


def test_the_running_figures_are_those_of_all_rewards_so_far() -> None:
    reward = Normalised(Truth())
    memory = Memory.begin(reward)
    seen: list[float] = []
    for step in STEPS:
        groups = [tell(reward, rollout(group), (), memory.state) for group in step]
        memory.learn(groups)
        seen += [float(right) for group in step for right in group if right is not None]
        assert memory.state["count"] == len(seen)
        assert math.isclose(memory.state["mean"], np.mean(seen))
        assert math.isclose(memory.state["squares"] / len(seen), np.var(seen), abs_tol=1e-15)


def test_rewards_that_never_differ_are_paid_unchanged() -> None:
    reward = Normalised(Truth())
    memory = Memory.begin(reward)
    memory.learn([tell(reward, rollout([True, True]), ())])
    assert paid(reward, GROUP, memory.state) == (1.0, 0.0, None)


def test_a_normalised_reward_declares_what_the_one_inside_declares() -> None:
    assert (Normalised(Truth()).uses_truth, Normalised(Truth()).placebo) == (True, False)
    assert (Normalised(Coin()).uses_truth, Normalised(Coin()).placebo) == (False, True)


def test_states_nest_and_each_learns_from_what_it_gave_itself() -> None:
    reward = Normalised(Normalised(Truth()), clip=3.0)
    memory = Memory.begin(reward)
    for step in STEPS:
        memory.learn([tell(reward, rollout(group), (), memory.state) for group in step])
    inner = Memory.begin(Normalised(Truth()))
    for step in STEPS:
        inner.learn([tell(inner.reward, rollout(group), (), inner.state) for group in step])
    assert memory.state["reward"] == inner.state
    assert decode(json.loads(json.dumps(encode(reward)))) == reward


@dataclass(frozen=True)
class Counting:
    """Pays the number of steps so far. It may keep what JSON cannot hold, or look at the key."""

    keeps: str = "plain"
    looks: bool = False

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = True

    @property
    def first_state(self) -> State:
        return {"steps": 0}

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        return self.given(self.first_state, view, address)

    def given(self, state: State, view: View, address: tuple[Address, ...]) -> Rewards:
        return Rewards((float(state["steps"]),) * len(view.completions))

    def next_state(self, state: State, views: Any, told: Any) -> State:
        if self.looks:
            return {"steps": views[0].grades[0].correct}
        kept = {"plain": 1, "nan": math.nan, "set": {1}, "tensor": torch.ones(1)}[self.keeps]
        return {"steps": state["steps"] + kept if self.keeps == "plain" else kept}


@pytest.mark.parametrize("keeps", ["nan", "set", "tensor"])
def test_a_state_that_cannot_be_stored_is_refused_by_name(keeps: str) -> None:
    memory = Memory.begin(Counting(keeps))
    with pytest.raises(ComponentError, match="Counting has a state that cannot be stored"):
        memory.learn([GROUP])


def test_a_state_does_not_see_the_key_through_the_back_door() -> None:
    memory = Memory.begin(Counting(looks=True))
    with pytest.raises(TruthSealed, match=r"grade\.correct"):
        memory.learn([GROUP])


@dataclass(frozen=True)
class Half:
    """A reward that keeps a state and never reads it."""

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = True

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        return Rewards((0.0,) * len(view.completions))

    def next_state(self, state: State, views: Any, told: Any) -> State:
        return {}


def test_a_reward_with_half_a_state_is_refused_with_the_lines_to_write() -> None:
    with pytest.raises(ComponentError, match="lacks first_state and given"):
        replace(SMALL_ARM, reward=Half())


RUNNING = replace(
    SMALL_ARM,
    reward=Normalised(Coin(0.3)),
    credit=Reinforce(),  # does not divide by a group's own spread, so the running one shows
    checkpoint_every=2,
)


class Interrupted(Exception):
    pass


def interrupted_after(arm: Arm, cell: CellDirectory, steps: int) -> None:
    def stop(done: int) -> None:
        if done == steps:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(arm, 0, cell, stop)


def test_a_killed_run_goes_on_with_the_state_and_ends_in_the_same_bits(tmp_path: Path) -> None:
    whole, cut = CellDirectory(tmp_path / "whole"), CellDirectory(tmp_path / "cut")
    expected = train(RUNNING, 0, whole, lambda done: None)
    interrupted_after(RUNNING, cut, 3)
    assert cut.checkpoints() == [2]
    at_two = json.loads((cut.checkpoint(2) / "reward_state.json").read_text())
    assert at_two["count"] == 2 * 2 * 3  # two steps of two groups of three
    found = train(RUNNING, 0, cut, lambda done: None)
    torch.testing.assert_close(
        dict(found.model.state_dict()), dict(expected.model.state_dict()), atol=0.0, rtol=0.0
    )
    assert timeless_steps(cut) == timeless_steps(whole)
    ends = [cell.checkpoint(4) / "reward_state.json" for cell in (whole, cut)]
    assert ends[0].read_bytes() == ends[1].read_bytes()


def test_the_state_is_what_resuming_needs(tmp_path: Path) -> None:
    """A run that went on from the first state would be paid otherwise."""
    cell = CellDirectory(tmp_path)
    train(RUNNING, 0, cell, lambda done: None)
    state = json.loads((cell.checkpoint(4) / "reward_state.json").read_text())
    assert paid(RUNNING.reward, GROUP, state) != paid(
        RUNNING.reward, GROUP, Memory.begin(RUNNING.reward).state
    )


def test_a_checkpoint_without_its_state_is_not_gone_on_from(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path)
    plain = replace(RUNNING, reward=Coin(0.3))
    interrupted_after(plain, cell, 2)
    assert not (cell.checkpoint(2) / "reward_state.json").exists()
    with pytest.raises(CheckpointError, match="state of its reward"):
        train(RUNNING, 0, cell, lambda done: None)
