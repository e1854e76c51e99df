"""bfloat16 weights on the CPU: the branch that an accelerator takes, at toy size."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from factories import SMALL_ARM, sampled_batch, timeless_steps, tiny_policy
from rewardscope import GroupMean, KLInReward, Learner, Sampling, Teacher
from rewardscope.learner.losses import importance, ratio_to_old
from rewardscope.policy import Placement, Policy, Precision, score
from rewardscope.store import CellDirectory
from rewardscope.tensors import Batch, TokenCredit
from rewardscope.training import train

NARROW = Precision("bfloat16")
PROMPTS = ("1+2?", "3*4-5?", "7?", "2*2*2?")


def narrow_policy(family: str = "llama", *, float32_head: bool = False) -> Policy:
    return tiny_policy(family).cast(Precision("bfloat16", float32_head)).with_masters()


def batch_of(policy: Policy) -> Batch:
    return sampled_batch(policy, PROMPTS, 4, Sampling(max_tokens=12))


def ramp(batch: Batch, sign: int = 1) -> TokenCredit:
    """An advantage that differs from token to token."""
    numbers = sign * torch.linspace(-1, 1, batch.mask_NT.numel()).reshape(batch.mask_NT.shape)
    return TokenCredit(numbers * batch.mask_NT)


def updated(
    learner: Learner,
    policy: Policy,
    batch: Batch,
    sign: int = 1,
    reference_NT: torch.Tensor | None = None,
) -> Mapping[str, float]:
    optimizer, credit = learner.optimizer(policy), ramp(batch, sign)
    return learner.update(policy, optimizer, batch, credit, reference_NT, 12, ("t", 0))


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2, capped logits", "bloom"])
@pytest.mark.parametrize("minibatches", [1, 2, 4])
def test_the_log_ratio_is_exactly_0_on_policy(family: str, minibatches: int) -> None:
    policy = narrow_policy(family)
    batch = batch_of(policy)
    assert not batch.exact
    # a clip of no width cuts every token whose ratio is not 1
    learner = Learner(learning_rate=0.0, minibatches=minibatches, clip_low=0.0, clip_high=0.0)
    for of in ("token", "sequence", "product"):
        for sign in (1, -1):
            assert updated(replace(learner, ratio=of), policy, batch, sign)["clip_share"] == 0.0


def test_the_ratio_to_the_sampler_is_cut_before_any_update() -> None:
    policy = narrow_policy()
    batch = batch_of(policy)
    learner = Learner(learning_rate=0.0, clip_low=0.0, clip_high=0.0)
    assert updated(learner, policy, batch)["sampler/gap_nats"] > 0.0
    before = updated(learner, policy, replace(batch, exact=True))  # as if the sampler's were ours
    assert before["clip_share"] > 0.1 and "sampler/gap_nats" not in before


@pytest.mark.parametrize("minibatches", [1, 2])
def test_the_kl_is_exactly_0_at_step_0(minibatches: int) -> None:
    policy = narrow_policy()
    batch, reference = batch_of(policy), policy.clone()
    learner = Learner(learning_rate=0.0, kl_weight=1.0, minibatches=minibatches)
    reference_NT = learner.score(reference, batch, ("t", 0))
    assert torch.equal(learner.score(policy, batch, ("t", 0)), reference_NT)
    plain = replace(learner, kl_weight=0.0)
    with_kl, without = (updated(each, policy, batch, 1, reference_NT) for each in (learner, plain))
    assert with_kl["loss"] == without["loss"]


def test_a_run_in_bfloat16_has_no_kl_at_its_first_step_and_a_gap_in_each(tmp_path: Path) -> None:
    arm = replace(
        SMALL_ARM,
        credit=KLInReward(base=GroupMean(), weight=1.0, estimator="k3"),
        learner=Learner(learning_rate=1e-2, minibatches=2),
        steps=2,
    )
    cell = CellDirectory(tmp_path)
    train(arm, 0, cell, lambda done: None, precision=NARROW)
    first, second = cell.steps()
    assert first["credit/kl_nats"] == 0.0 < second["credit/kl_nats"]
    assert min(first["sampler/gap_nats"], second["sampler/gap_nats"]) > 0.0


def test_a_killed_run_in_bfloat16_goes_on_to_the_bit(tmp_path: Path) -> None:
    arm = replace(SMALL_ARM, learner=Learner(learning_rate=1e-4, teacher=Teacher("average", 0.2)))
    whole, killed = CellDirectory(tmp_path / "whole"), CellDirectory(tmp_path / "killed")

    def stop(done: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(arm, 0, killed, stop, precision=NARROW)
    policies = [
        train(arm, 0, cell, lambda done: None, precision=NARROW) for cell in (whole, killed)
    ]
    assert timeless_steps(whole) == timeless_steps(killed)
    for name, weight in policies[0].model.state_dict().items():
        assert torch.equal(weight, policies[1].model.state_dict()[name])
    for name, master in policies[0].masters.items():
        assert torch.equal(master, policies[1].masters[name])


def test_masters_gather_updates_that_bfloat16_would_lose() -> None:
    policy, plain = narrow_policy(), tiny_policy().cast(NARROW)
    batch, learner = batch_of(policy), Learner(learning_rate=3e-5)
    optimizer = learner.optimizer(policy)
    before = {name: weight.detach().clone() for name, weight in policy.trainable().items()}
    for _ in range(30):  # 30 x 3e-5 is a quarter of the spacing of bfloat16 at 0.5
        learner.update(policy, optimizer, batch, ramp(batch), None, 12, ("t", 0))
        learner.update(plain, learner.optimizer(plain), batch, ramp(batch), None, 12, ("t", 0))
    weights = {name: weight.detach() for name, weight in policy.trainable().items()}
    shares = [
        sum(int((one[name] != before[name]).sum()) for name in before)
        / sum(weight.numel() for weight in before.values())
        for one in (weights, {name: weight.detach() for name, weight in plain.trainable().items()})
    ]
    assert shares[0] > 2 * shares[1]
    for name, master in policy.masters.items():
        assert master.dtype == torch.float32 and policy.trainable()[name].grad is None
        assert torch.equal(master.to(torch.bfloat16), weights[name])


def test_a_float32_head_brings_sampler_and_scorer_together() -> None:
    gaps = []
    for wide in (False, True):
        policy = narrow_policy(float32_head=wide)
        batch = batch_of(policy)
        apart = (score(policy, batch).logprob_NT - batch.sampler_logprob_NT).abs()
        gaps.append(float(apart[batch.mask_NT].mean()))
    assert gaps[1] < gaps[0]
    assert (
        policy.head is not None
        and policy.logits(torch.ones(1, 16).bfloat16()).dtype == torch.float32
    )


def test_families_are_tried_in_bfloat16_as_in_float32() -> None:
    for family in ("llama", "qwen2", "gpt2", "bloom", "falcon, position biases"):
        wide, narrow = tiny_policy(family), tiny_policy(family).cast(NARROW)
        assert (wide.packs, wide.shares) == (narrow.packs, narrow.shares), family
        assert not narrow.blocks


def test_memory_that_ran_out_is_not_taken_for_a_family(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tiny_policy()

    def full(**inputs: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(policy.model, "forward", full)
    monkeypatch.setattr(policy.model.base_model, "forward", full)
    for trial in ("packs", "shares", "lean", "blocks"):
        with pytest.raises(torch.OutOfMemoryError):
            getattr(policy, trial)


def test_importance_weights_by_hand() -> None:
    old, sampler = torch.tensor([0.5, 2.0, 0.1]).log(), torch.tensor([0.25, 0.5, 0.2]).log()
    weights = [
        importance(old, sampler, how, 3.0).tolist() for how in ("truncated", "masked", "none")
    ]
    assert weights[0] == pytest.approx([2.0, 3.0, 0.5])
    assert weights[1] == pytest.approx([2.0, 0.0, 0.5])
    assert weights[2] == [1.0, 1.0, 1.0]
    assert ratio_to_old(old, old, torch.tensor([0, 0, 1]), 2, "product").tolist() == [1.0] * 3


def test_a_device_has_its_usual_format() -> None:
    assert [Precision.of(d).weights for d in ("cpu", "cuda", "cuda:1", "mps")] == [
        "float32",
        *["bfloat16"] * 3,
    ]
    assert Placement().load(lambda device: tiny_policy()).model.dtype == torch.float32
    policy = Placement(precision=NARROW).load(lambda device: tiny_policy())
    assert policy.model.dtype == torch.bfloat16 and policy.precise == NARROW
