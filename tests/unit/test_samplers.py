"""Samplers: training asks for completions through a protocol, and says where logprobs differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from experience_makers import BLOCK
from factories import SMALL_ARM, sampled_batch, timeless_steps, tiny_policy
from rewardscope import (
    ByPolicy,
    Chain,
    Coin,
    Completion,
    Learner,
    Organism,
    Rules,
    Sampling,
    SkillBank,
)
from rewardscope.errors import ModelError
from rewardscope.policy import LocalSampler, Policy, score
from rewardscope.protocols import FollowingSampler, Sampler, Trainable
from rewardscope.seeds import Address
from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.tensors import TokenCredit
from rewardscope.training import roll_out, train
from rewardscope.types import Replies

ARM = replace(SMALL_ARM, steps=3, checkpoint_every=1, reward=Coin())


@dataclass
class Server:
    """A sampler that holds a copy of the weights, as a server does, and says logprobs that are
    ``off`` nats too high.
    """

    off: float = 0.0
    exact: bool = True
    copy: Policy | None = None
    version: int = -1
    asked: list[tuple[int, int]] = field(default_factory=list)
    """(version, prompts) of each request."""

    def follow(self, policy: Trainable, version: int) -> None:
        assert isinstance(policy, Policy)
        self.copy, self.version = policy.clone(), version

    def sample(
        self,
        prompts: Sequence[str],
        group_size: int,
        sampling: Sampling,
        addresses: Sequence[tuple[Address, ...]],
        replies: Replies | None = None,
        opening: str = "",
    ) -> list[tuple[Completion, ...]]:
        assert self.copy is not None
        self.asked.append((self.version, len(prompts)))
        groups = self.copy.sample(prompts, group_size, sampling, addresses, replies, opening)
        return [
            tuple(replace(c, logprobs=tuple(lp + self.off for lp in c.logprobs)) for c in group)
            for group in groups
        ]


def test_a_policy_is_a_sampler_of_itself_and_can_be_trained() -> None:
    policy = tiny_policy()
    assert isinstance(policy, Sampler) and isinstance(policy, Trainable)
    assert not isinstance(policy, FollowingSampler)
    assert isinstance(LocalSampler(), FollowingSampler) and isinstance(Server(), FollowingSampler)
    batch = sampled_batch(policy, ("1+2?", "3*4-5?"), 3, Sampling(max_tokens=8))
    assert torch.equal(policy.score(batch).logprob_NT, score(policy, batch).logprob_NT)


def test_groups_are_the_same_whoever_stands_between() -> None:
    policy, problems = tiny_policy(), [Chain().problem("train", index) for index in range(2)]
    local, server = LocalSampler(), Server()
    for each in (local, server):
        each.follow(policy, 7)
        assert each.version == 7
    addresses: list[tuple[Address, ...]] = [("test", index) for index in range(2)]
    groups = [
        roll_out(each, Chain(), problems, 3, Sampling(max_tokens=8), 7, addresses)
        for each in (policy, local, server)
    ]
    assert groups[0] == groups[1] == groups[2]


def test_training_with_a_server_that_follows_gives_the_same_numbers(tmp_path: Path) -> None:
    server = Server()
    cells = [CellDirectory(tmp_path / name) for name in ("local", "server")]
    one = train(ARM, 0, cells[0], lambda done: None)
    other = train(ARM, 0, cells[1], lambda done: None, sampler=server)
    assert timeless_steps(cells[0]) == timeless_steps(cells[1])
    torch.testing.assert_close(
        dict(one.model.state_dict()), dict(other.model.state_dict()), atol=0.0, rtol=0.0
    )
    assert server.asked == [(0, 2), (1, 2), (2, 2)] and server.version == 3


def test_a_run_goes_on_with_a_sampler_that_is_told_how_far_it_is(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path)

    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(ARM, 0, cell, stop)
    server = Server()
    train(ARM, 0, cell, lambda done: None, sampler=server)
    assert server.asked == [(2, 2)]


def test_a_sampler_that_differs_from_the_scores_has_the_gap_in_every_row(tmp_path: Path) -> None:
    cell = CellDirectory(tmp_path)
    train(ARM, 0, cell, lambda done: None, sampler=Server(off=0.05, exact=False))
    for row in cell.steps():
        assert row["sampler/gap_nats"] == pytest.approx(0.05, abs=1e-4)


def test_the_gap_is_the_mean_over_chosen_tokens() -> None:
    policy = tiny_policy()
    batch = sampled_batch(policy, ("1+2?", "3*4-5?"), 3, Sampling(max_tokens=8))
    learner, credit = Learner(learning_rate=0.0), TokenCredit(torch.ones(batch.mask_NT.shape))

    def noted(logprob_NT: torch.Tensor) -> Mapping[str, float]:
        moved = replace(batch, sampler_logprob_NT=logprob_NT, exact=False)
        optimizer = learner.optimizer(policy)
        return learner.update(policy, optimizer, moved, credit, None, 8, ("gap",))

    assert noted(batch.sampler_logprob_NT)["sampler/gap_nats"] == pytest.approx(0.0, abs=1e-5)
    logprob_NT = batch.sampler_logprob_NT.clone()
    logprob_NT[0, 0] -= 1.0  # one token, of all that were chosen: its weight is e, cut at 2
    found, count = noted(logprob_NT), int(batch.mask_NT.sum())
    assert found["sampler/gap_nats"] == pytest.approx(1 / count, abs=1e-5)
    assert found["sampler/cut_share"] == pytest.approx(1 / count)


def test_a_bank_writes_and_tries_through_the_sampler(tmp_path: Path) -> None:
    bank = SkillBank(
        ByPolicy(2, 4, "{prompt}{completion};", "{prompt}{completion};"),
        block=BLOCK,
        first_problems=6,
        evolve_every=1,
        evolve_problems=4,
        draws=4,
        weak_below=1.0,
    )
    learned = {"start": Organism("rules"), "environment": Rules(), "sampling": Sampling(4)}
    arm = replace(ARM, steps=1, bank=bank, **learned)
    server, cell = Server(), CellDirectory(tmp_path)
    train(arm, 0, cell, lambda done: None, sampler=server)
    attempts = [count for version, count in server.asked if version == 0]
    assert attempts[0] == 6 and attempts[-1] == 2  # the bank's, its writer's, the step's
    assert (1, 4) in server.asked, "after the step it tries with the new weights"
    assert len(read_rollouts(cell.step_file("evolve", 0))) == 6


def test_a_sampler_without_weights_says_so() -> None:
    with pytest.raises(ModelError, match="before it had any weights"):
        LocalSampler().sample(["1+2?"], 1, Sampling(), [("test",)])
    with pytest.raises(ModelError, match="cannot sample its own completions here"):
        LocalSampler().follow(object(), 0)  # type: ignore[arg-type]
