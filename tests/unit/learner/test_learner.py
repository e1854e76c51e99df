from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
import torch
from torch import Tensor

from factories import sampled_batch, tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.learner import passes
from rewardscope.learner.learner import Learner
from rewardscope.learner.optimizers import load_optimizer, save_optimizer
from rewardscope.policy import Policy, Sampling, score
from rewardscope.tensors import Batch, TokenCredit

PROMPTS = ("1+2?", "3*4-5?", "6+7*8-9?", "0-1?")
MAX_TOKENS = 8


@pytest.fixture(scope="module")
def batch() -> Batch:
    return sampled_batch(tiny_policy(), PROMPTS, 3, Sampling(max_tokens=MAX_TOKENS))


def credit(batch: Batch, of_members: tuple[float, ...] = (1.0, -0.5, -0.5)) -> TokenCredit:
    per_row = torch.tensor(of_members).repeat(batch.num_problems)
    return TokenCredit(per_row[:, None] * batch.mask_NT)


def update(
    learner: Learner,
    policy: Policy,
    batch: Batch,
    given: TokenCredit,
    steps: int = 1,
    reference: Tensor | None = None,
) -> Mapping[str, float]:
    optimizer = learner.optimizer(policy)
    for step in range(steps):
        notes = learner.update(
            policy, optimizer, batch, given, reference, MAX_TOKENS, ("test", step)
        )
    return notes


def weights(policy: Policy) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in policy.model.named_parameters()}


def assert_same_weights(one: Policy, other: Policy, tolerance: float = 0.0) -> None:
    torch.testing.assert_close(weights(one), weights(other), atol=tolerance, rtol=0.0)


def gradients(learner: Learner, batch: Batch) -> dict[str, Tensor]:
    """What one update on the whole batch puts into every weight's gradient."""
    policy = tiny_policy()
    update(replace(learner, learning_rate=0.0, max_gradient_norm=1e9), policy, batch, credit(batch))
    return {
        name: parameter.grad
        for name, parameter in policy.model.named_parameters()
        if parameter.grad is not None
    }


def test_tokens_with_positive_advantage_become_likelier_and_the_others_less_likely(
    batch: Batch,
) -> None:
    policy = tiny_policy()
    before = score(policy, batch).logprob_NT
    update(Learner(learning_rate=1e-3), policy, batch, credit(batch))
    moved = score(policy, batch).logprob_NT - before
    raised = credit(batch).advantage_NT > 0
    lowered = credit(batch).advantage_NT < 0
    assert moved[raised].mean() > 0.005
    assert moved[lowered].mean() < -0.005


def test_advantage_zero_moves_nothing(batch: Batch) -> None:
    policy = tiny_policy()
    notes = update(
        Learner(learning_rate=0.1, minibatches=2),
        policy,
        batch,
        credit(batch, (0.0, 0.0, 0.0)),
        steps=2,
    )
    assert_same_weights(policy, tiny_policy())
    assert (notes["loss"], notes["gradient_norm"]) == (0.0, 0.0)


def test_a_fresh_batch_has_ratio_one(batch: Batch) -> None:
    """Sampler and scorer agree, so nothing is clipped and the loss is the weighted sum of
    advantages alone.
    """
    notes = update(Learner(clip_low=0.01, clip_high=0.01), tiny_policy(), batch, credit(batch))
    expected = -(credit(batch).advantage_NT.sum() / batch.mask_NT.sum()).item()
    assert notes["loss"] == pytest.approx(expected, abs=1e-5)
    assert notes["clip_share"] == 0.0
    assert abs(notes["kl_to_sampler_nats"]) < 1e-6
    assert notes["entropy_mean_nats"] == pytest.approx(
        score(tiny_policy(), batch).entropy_NT.sum().item() / int(batch.mask_NT.sum()), abs=1e-5
    )


def test_the_gradient_is_that_of_the_loss_written_out(batch: Batch) -> None:
    policy = tiny_policy()
    total = torch.zeros(())
    for n, length in enumerate(batch.mask_NT.sum(dim=1).tolist()):
        prompt = list(batch.prompt_ids[n // batch.group_size])
        ids = torch.tensor([prompt + batch.token_NT[n, :length].tolist()])
        logprobs = torch.log_softmax(
            policy.model(input_ids=ids).logits[0, len(prompt) - 1 : -1].float(), dim=-1
        )
        chosen = logprobs.gather(1, batch.token_NT[n, :length, None]).squeeze(1)
        total = total - (chosen * credit(batch).advantage_NT[n, :length]).sum() / (12 * MAX_TOKENS)
    total.backward()  # at ratio 1 the surrogate's gradient is advantage x gradient of the logprob
    found = gradients(Learner(normalise="constant"), batch)
    for name, parameter in policy.model.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, atol=2e-6, rtol=1e-4)


@pytest.mark.parametrize("normalise", ["token", "sequence", "constant"])
def test_splitting_the_passes_changes_memory_and_not_the_gradient(
    batch: Batch, normalise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(normalise=normalise)  # type: ignore[arg-type]
    whole = gradients(learner, batch)
    monkeypatch.setattr(passes, "PASS_TOKENS", 1)
    torch.testing.assert_close(gradients(learner, batch), whole, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("minibatches", "sizes"), [(1, [4]), (2, [2, 2]), (3, [2, 1, 1]), (9, [1, 1, 1, 1])]
)
def test_minibatches_are_whole_groups_and_every_group_is_met_once_an_epoch(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, minibatches: int, sizes: list[int]
) -> None:
    met: list[list[int]] = []
    problems = Batch.problems

    def noted(self: Batch, chosen: list[int]) -> Batch:
        met.append(chosen)
        return problems(self, chosen)

    monkeypatch.setattr(Batch, "problems", noted)
    update(Learner(minibatches=minibatches, epochs=2), tiny_policy(), batch, credit(batch))
    first, second = met[: len(sizes)], met[len(sizes) :]
    for epoch in (first, second):
        assert [len(chosen) for chosen in epoch] == sizes
        assert sorted(problem for chosen in epoch for problem in chosen) == [0, 1, 2, 3]


@pytest.mark.parametrize("told", [0, 2])
def test_a_minibatch_reads_the_advantages_and_the_reference_of_its_own_problems(
    batch: Batch, told: int
) -> None:
    own = torch.arange(12) // batch.group_size == told
    whole, alone = credit(batch), batch.problems([told])
    advantage_NT = whole.advantage_NT * own[:, None]
    reference_NT = batch.sampler_logprob_NT + 0.7 * own[:, None] * batch.mask_NT
    width = alone.token_NT.shape[1]
    learner = Learner(learning_rate=0.0, kl_weight=0.5)
    expected = update(
        learner,
        tiny_policy(),
        alone,
        TokenCredit(advantage_NT[own, :width]),
        reference=reference_NT[own, :width],
    )
    found = update(
        replace(learner, minibatches=4),
        tiny_policy(),
        batch,
        TokenCredit(advantage_NT),
        reference=reference_NT,
    )
    assert abs(expected["loss"]) > 0.01
    assert found["loss"] == pytest.approx(expected["loss"] / 4, abs=1e-5)


def test_a_sub_batch_keeps_whole_groups_and_drops_padding_that_nobody_needs(batch: Batch) -> None:
    part = batch.problems([2, 0])
    assert part.prompt_ids == (batch.prompt_ids[2], batch.prompt_ids[0])
    rows = [6, 7, 8, 0, 1, 2]
    width = int(batch.mask_NT[rows].sum(dim=1).max())
    assert part.token_NT.shape == (6, width)
    assert torch.equal(part.token_NT, batch.token_NT[rows, :width])
    assert torch.equal(part.sampler_logprob_NT, batch.sampler_logprob_NT[rows, :width])


def test_the_kl_term_holds_the_policy_to_its_reference(batch: Batch) -> None:
    reference = score(tiny_policy(), batch).logprob_NT
    drifted = [tiny_policy(), tiny_policy()]
    for policy, weight in zip(drifted, (0.0, 5.0), strict=True):
        update(
            Learner(learning_rate=1e-3, kl_weight=weight),
            policy,
            batch,
            credit(batch),
            steps=8,
            reference=reference,
        )
    away = [(score(policy, batch).logprob_NT - reference).abs().sum().item() for policy in drifted]
    assert away[1] < 0.8 * away[0]


def test_clipping_stops_a_policy_that_has_moved_far_from_its_sampler(batch: Batch) -> None:
    free, held = tiny_policy(), tiny_policy()
    loose = update(
        Learner(learning_rate=3e-3, epochs=12, clip_low=1.0, clip_high=1e9),
        free,
        batch,
        credit(batch),
    )
    tight = update(
        Learner(learning_rate=3e-3, epochs=12, clip_low=0.05, clip_high=0.05),
        held,
        batch,
        credit(batch),
    )
    assert loose["clip_share"] == 0.0
    assert tight["clip_share"] > 0.3
    assert tight["kl_to_sampler_nats"] < 0.5 * loose["kl_to_sampler_nats"]


def test_the_gradient_norm_is_reported_before_it_is_cut(batch: Batch) -> None:
    whole = gradients(Learner(), batch)
    norm = sum(float(gradient.square().sum()) for gradient in whole.values()) ** 0.5
    notes = update(Learner(max_gradient_norm=1e-3), tiny_policy(), batch, credit(batch))
    assert notes["gradient_norm"] == pytest.approx(norm, rel=1e-4)


def test_the_same_update_twice_gives_the_same_bits(batch: Batch) -> None:
    one, other = tiny_policy(), tiny_policy()
    learner = Learner(learning_rate=1e-3, minibatches=2)
    assert update(learner, one, batch, credit(batch), steps=3) == update(
        learner, other, batch, credit(batch), steps=3
    )
    assert_same_weights(one, other)


def test_training_goes_on_from_a_saved_optimizer_to_the_same_bits(
    batch: Batch, tmp_path: Path
) -> None:
    learner = Learner(learning_rate=1e-3, weight_decay=0.01)
    policy = tiny_policy()
    optimizer = learner.optimizer(policy)
    resumed = None
    for step in range(4):
        if step == 2:
            save_optimizer(optimizer, tmp_path / "optimizer.safetensors")
            resumed = policy.clone()
        learner.update(policy, optimizer, batch, credit(batch), None, MAX_TOKENS, ("test", step))
    assert resumed is not None
    fresh = learner.optimizer(resumed)
    load_optimizer(fresh, tmp_path / "optimizer.safetensors")
    for step in (2, 3):
        learner.update(resumed, fresh, batch, credit(batch), None, MAX_TOKENS, ("test", step))
    assert_same_weights(resumed, policy)


def test_moments_that_were_there_before_change_nothing(batch: Batch) -> None:
    learner = Learner(learning_rate=1e-3, weight_decay=0.01)
    early, lazy = tiny_policy(), tiny_policy()
    with_state, without = learner.optimizer(early), learner.optimizer(lazy)
    assert len(with_state.state) == len(early.trainable())
    without.state.clear()
    for step in range(2):
        learner.update(early, with_state, batch, credit(batch), None, MAX_TOKENS, ("test", step))
        learner.update(lazy, without, batch, credit(batch), None, MAX_TOKENS, ("test", step))
    assert_same_weights(early, lazy)
    for one, other in zip(early.trainable().values(), lazy.trainable().values(), strict=True):
        assert with_state.state[one].keys() == without.state[other].keys()
        assert all(
            torch.equal(with_state.state[one][name], value)
            for name, value in without.state[other].items()
        )


def test_a_fresh_optimizer_would_not_have_been_the_same(batch: Batch) -> None:
    learner = Learner(learning_rate=1e-3)
    carried, restarted = tiny_policy(), tiny_policy()
    update(learner, carried, batch, credit(batch), steps=2)
    update(learner, restarted, batch, credit(batch))
    optimizer = learner.optimizer(restarted)
    learner.update(restarted, optimizer, batch, credit(batch), None, MAX_TOKENS, ("test", 1))
    with pytest.raises(AssertionError):
        assert_same_weights(carried, restarted)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ratio": "word"},
        {"kl": "k4"},
        {"kl": "k1"},
        {"kl_weight": -1.0},
        {"reset_every": -1},
        {"learning_rate": -1.0},
        {"clip_low": 1.5},
        {"clip_high": -0.1},
        {"minibatches": 0},
        {"epochs": 0},
        {"normalise": "mean"},
    ],
)
def test_settings_that_cannot_learn_are_refused(
    wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ComponentError):
        Learner(**wrong)
