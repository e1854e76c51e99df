from dataclasses import replace
from pathlib import Path

import pytest
import torch

from factories import SMALL_ARM, sampled_batch, tiny_policy
from rewardscope import (
    ImplicitProcess,
    ImplicitReward,
    Learner,
    LowRank,
    Reprompt,
    SelfDistillation,
    Teacher,
)
from rewardscope.errors import ComponentError, ModelError
from rewardscope.learner.low_rank import load_adapters, merged, save_adapters
from rewardscope.policy import Policy, Sampling, score
from rewardscope.seeds import generator
from rewardscope.store import CellDirectory
from rewardscope.training import Arm, train

BASIC = Learner(learning_rate=1e-3, low_rank=LowRank(rank=2, alpha=4.0))
HINT = Reprompt(template="{solution}{prompt}", solution_section="{solution}")
ARMS: dict[str, Arm] = {
    "group mean": replace(SMALL_ARM, learner=BASIC),
    "reference, reset": replace(SMALL_ARM, learner=replace(BASIC, kl_weight=0.1, reset_every=2)),
    "reference, kept over the checkpoint": replace(
        SMALL_ARM, learner=replace(BASIC, kl_weight=0.1, reset_every=4)
    ),
    "restart": replace(SMALL_ARM, learner=replace(BASIC, restart_every=3)),
    "implicit reward": replace(
        SMALL_ARM, credit=ImplicitProcess(), learner=replace(BASIC, implicit=ImplicitReward())
    ),
    "teacher": replace(
        SMALL_ARM,
        credit=SelfDistillation(HINT),
        learner=replace(BASIC, normalise="sequence", teacher=Teacher("average", 0.5)),
    ),
}


def wiggled(policy: Policy) -> Policy:
    with torch.no_grad():
        for name, parameter in policy.trainable().items():
            parameter.add_(
                torch.from_numpy(
                    generator("low rank test", name).normal(0, 0.3, tuple(parameter.shape))
                )
            )
    return policy


def test_it_starts_where_the_policy_was_and_only_adapters_can_move() -> None:
    plain, adapted = tiny_policy(), LowRank(rank=3).attach(tiny_policy())
    batch = sampled_batch(plain, ["1+2?"], 4, Sampling(max_tokens=8))
    assert torch.equal(score(adapted, batch).logprob_NT, score(plain, batch).logprob_NT)
    assert all(".lora_A." in name or ".lora_B." in name for name in adapted.trainable())
    # llama: q, k, v, o of 16 x 16 and gate, up, down of 16 x 32, in two layers, at rank 3
    assert sum(parameter.numel() for parameter in adapted.trainable().values()) == 2 * 3 * (
        4 * (16 + 16) + 3 * (16 + 32)
    )


def test_the_merged_weight_is_the_sum_by_hand() -> None:
    adapted, plain = (
        wiggled(LowRank(rank=2, alpha=6.0, layers=("q_proj",)).attach(tiny_policy())),
        tiny_policy(),
    )
    sum_of = merged(adapted)
    prefix = "model.layers.0.self_attn.q_proj"
    a, b = (adapted.model.get_parameter(f"{prefix}.lora_{side}.default.weight") for side in "AB")
    expected = plain.model.get_parameter(f"{prefix}.weight") + 6.0 / 2 * b @ a
    torch.testing.assert_close(sum_of.model.get_parameter(f"{prefix}.weight"), expected)
    assert torch.equal(
        sum_of.model.get_parameter("model.layers.0.mlp.up_proj.weight"),
        plain.model.get_parameter("model.layers.0.mlp.up_proj.weight"),
    )
    batch = sampled_batch(plain, ["1+2?"], 4, Sampling(max_tokens=8))
    torch.testing.assert_close(
        score(sum_of, batch).logprob_NT, score(adapted, batch).logprob_NT, atol=1e-4, rtol=1e-4
    )


def test_adapters_are_read_back_to_the_same_bits(tmp_path: Path) -> None:
    adapted, again = wiggled(LowRank().attach(tiny_policy())), LowRank().attach(tiny_policy())
    save_adapters(adapted, tmp_path)
    load_adapters(again, tmp_path)
    torch.testing.assert_close(
        dict(again.trainable()), dict(adapted.trainable()), atol=0.0, rtol=0.0
    )


@pytest.mark.parametrize("name", ARMS)
def test_an_interrupted_run_goes_on_to_the_same_bits(name: str, tmp_path: Path) -> None:
    arm = ARMS[name]
    straight, cell = (
        train(arm, 0, CellDirectory(tmp_path / "straight"), lambda step: None),
        CellDirectory(tmp_path / "broken"),
    )

    class Killed(BaseException):
        pass

    def stop(step: int) -> None:
        if step == 3:  # one step after the checkpoint
            raise Killed

    with pytest.raises(Killed):
        train(arm, 0, cell, stop)
    assert cell.checkpoints() == [2]
    resumed = train(arm, 0, cell, lambda step: None)
    torch.testing.assert_close(
        dict(resumed.model.state_dict()), dict(straight.model.state_dict()), atol=0.0, rtol=0.0
    )


def test_a_layer_that_no_model_has_is_refused_with_those_it_has() -> None:
    with pytest.raises(ComponentError, match="q_proj"):
        LowRank(layers=("attention_of_another",)).attach(tiny_policy())


@pytest.mark.parametrize("wrong", [{"rank": 0}, {"alpha": 0.0}])
def test_settings_without_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ComponentError, match="rank"):
        LowRank(**wrong)  # type: ignore[arg-type]


def test_without_peft_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"rewardscope\[lora\]"):
        LowRank().attach(tiny_policy())


def test_a_rank_that_no_update_can_have_is_refused() -> None:
    with pytest.raises(
        ComponentError, match=r"rank=100000; .* has a side of 8\. Allowed: 1 to 8 in this model"
    ):
        LowRank(rank=100_000).attach(tiny_policy("llama, grouped heads, tied"))
    LowRank(rank=8).attach(tiny_policy("llama, grouped heads, tied"))
