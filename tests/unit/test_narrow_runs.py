"""Every part of a learner trains in bfloat16, and a killed run goes on to the bit."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from factories import SMALL_ARM, timeless_steps
from rewardscope import (
    DPO,
    KTO,
    Arm,
    Coin,
    Critic,
    GeneralisedAdvantage,
    ImplicitProcess,
    ImplicitReward,
    Learner,
    LowRank,
    Precision,
    Reprompt,
    SelfDistillation,
    Teacher,
)
from rewardscope.policy import Policy
from rewardscope.store import CellDirectory
from rewardscope.training import train

NARROW = Precision("bfloat16")
ARM = replace(SMALL_ARM, reward=Coin(), steps=3, checkpoint_every=1)
HINT = Reprompt(template="{solution}{prompt}", solution_section="{solution}")
ARMS = {
    "adapters": replace(ARM, learner=Learner(1e-3, low_rank=LowRank(rank=2), kl_weight=0.1)),
    "reset": replace(ARM, learner=Learner(1e-3, kl_weight=0.1, reset_every=2, minibatches=2)),
    "critic": replace(ARM, credit=GeneralisedAdvantage(), learner=Learner(1e-3, critic=Critic())),
    "implicit reward": replace(
        ARM, credit=ImplicitProcess(), learner=Learner(1e-3, implicit=ImplicitReward())
    ),
    "average teacher": replace(
        ARM, credit=SelfDistillation(HINT), learner=Learner(1e-3, teacher=Teacher("average", 0.2))
    ),
    "trust region": replace(
        ARM,
        credit=SelfDistillation(HINT, top=5),
        learner=Learner(1e-3, epochs=2, teacher=Teacher("trust_region", 0.2)),
    ),
    "preference": replace(ARM, credit=DPO(), completions_per_problem=6),
    "mismatched prompts": replace(ARM, credit=KTO()),
    "layers computed again": replace(ARM, learner=Learner(1e-3, recomputing=True, pass_tokens=40)),
}


@pytest.mark.parametrize("arm", ARMS.values(), ids=ARMS)
def test_a_killed_run_goes_on_to_the_bit(arm: Arm, tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    whole, killed = CellDirectory(tmp_path / "whole"), CellDirectory(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        train(arm, 0, killed, stop, precision=NARROW)

    def ended(cell: CellDirectory) -> Policy:
        return train(arm, 0, cell, lambda done: None, precision=NARROW)

    one, other = ended(whole), ended(killed)
    assert one.model.dtype == torch.bfloat16
    assert timeless_steps(whole) == timeless_steps(killed)
    assert torch.equal(*(next(iter(p.model.parameters())) for p in (one, other)))
    for row in whole.steps():
        assert math.isfinite(row["loss"]) and row["gradient_norm"] > 0.0
        assert row["sampler/gap_nats"] >= 0.0
