"""What the parity tests share: one step's worth of tokens, our loss and gradient of it, and when
two such pairs are equal.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from factories import sampled_batch, tiny_policy
from rewardscope import Learner, Sampling
from rewardscope.policy import Policy, score
from rewardscope.protocols import Credit, Preference
from rewardscope.seeds import generator
from rewardscope.tensors import Batch, Signals

PROMPTS = ("1+2?", "3*4-5?", "0-9*8+7-6?")
GROUP, MAX_TOKENS = 4, 9
NUM_BATCHES = 20
RELATIVE = 1e-5
Found = tuple[float, dict[str, Tensor]]
"""A loss, and its gradient by the name of the weight."""


@dataclass(frozen=True)
class Case:
    """One step's worth of tokens and rewards, and the policy before and after somebody moved it."""

    policy: Policy
    reference: Policy
    batch: Batch
    reward_PG: Tensor


def moved(policy: Policy, *address: str | int) -> Policy:
    """The policy with a little noise on every weight, so that ratios to the sampler differ from 1
    and some are clipped.
    """
    other = policy.clone()
    with torch.no_grad():
        for name, parameter in other.model.named_parameters():
            parameter.add_(
                torch.from_numpy(
                    generator("moved", name, *address).normal(0, 0.02, tuple(parameter.shape))
                )
            )
    return other


def case(number: int, prompts: tuple[str, ...] = PROMPTS, count: int = 4) -> Case:
    """Random tokens and rewards; groups all right, all wrong and mixed, a completion of one token,
    and truncated ones are in each.
    """
    sampler = tiny_policy()
    random = generator("parity", number)
    batch = sampled_batch(
        sampler,
        [prompts[(number + p) % len(prompts)] for p in range(count)],
        GROUP,
        Sampling(max_tokens=MAX_TOKENS),
    )
    mask_NT = batch.mask_NT.clone()
    mask_NT[int(random.integers(len(mask_NT))), 1:] = False
    batch = replace(
        batch,
        mask_NT=mask_NT,
        token_NT=batch.token_NT * mask_NT,
        sampler_logprob_NT=batch.sampler_logprob_NT * mask_NT,
    )
    reward_PG = torch.from_numpy(random.integers(0, 2, size=(count, GROUP))).float()
    if count > 2:
        reward_PG[0], reward_PG[1] = 1.0, 0.0
    reward_PG[-1, :2] = torch.tensor([1.0, 0.0])
    assert (mask_NT.sum(dim=1) == 1).any()
    return Case(moved(sampler, number), moved(sampler, number, "reference"), batch, reward_PG)


def ours(case: Case, learner: Learner, credit: Credit | Preference, **signals: Any) -> Found:
    """Loss and gradients of one update on the whole batch, from a learner whose rate is 0."""
    policy = case.policy.clone()
    reference_NT = score(case.reference, case.batch, "plain").logprob_NT
    made = Signals(
        reward_PG=case.reward_PG,
        mask_NT=case.batch.mask_NT,
        sampler_logprob_NT=case.batch.sampler_logprob_NT,
        policy_logprob_NT=case.batch.sampler_logprob_NT,
        reference_logprob_NT=reference_NT,
        **signals,
    )
    still = replace(learner, learning_rate=0.0, max_gradient_norm=1e9)
    notes = still.update(
        policy,
        still.optimizer(policy),
        case.batch,
        credit(made),
        reference_NT,
        MAX_TOKENS,
        ("parity",),
    )
    return notes["loss"], gradients(policy.model)


def gradients(model: torch.nn.Module) -> dict[str, Tensor]:
    return {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


def padded_left(rows: list[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
    """Token ids and mask as the peer holds prompts."""
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows])
    return ids, torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])


def settings(folder: str) -> dict[str, Any]:
    """What every trainer of the peer is told, so that it starts without a network, a GPU or a
    report.
    """
    return {
        "output_dir": folder,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "disable_tqdm": True,
        "gradient_checkpointing": False,
    }


def assert_equal(mine: Found, other: Found) -> None:
    """Losses to 1e-5 of their summands' size, gradients to 1e-5 of the whole gradient's norm, and
    no matrix off by 1e-4 of its own.

    A loss is a mean of terms of both signs and size 0.25 or more, so its rounding is that of the
    terms and not of what is left of them.
    """
    assert mine[0] == pytest.approx(other[0], rel=RELATIVE, abs=RELATIVE * 0.25)
    assert mine[1].keys() == other[1].keys()
    size = {name: float(gradient.norm()) for name, gradient in other[1].items()}
    apart = {name: float((mine[1][name] - gradient).norm()) for name, gradient in other[1].items()}
    assert math.hypot(*apart.values()) <= RELATIVE * math.hypot(*size.values())
    largest = max(size.values())
    assert all(apart[name] <= 10 * RELATIVE * max(size[name], 0.05 * largest) for name in size), (
        apart,
        size,
    )
