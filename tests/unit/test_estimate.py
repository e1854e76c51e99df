"""The memory of an arm: by hand, against what a model really holds, and what is refused."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from transformers import Qwen2Config

from factories import SMALL_ARM
from rewardscope import (
    KLInReward,
    Learner,
    LowRank,
    Organism,
    Precision,
    Pretrained,
    Sampling,
    Study,
    Teacher,
)
from rewardscope.errors import ModelError, StudyError
from rewardscope.policy import Placement, Policy
from rewardscope.store import CellDirectory
from rewardscope.study.checks import _check_memory
from rewardscope.training import estimate as module
from rewardscope.training import loop, train
from rewardscope.training.estimate import check_memory, empty_model, estimate

GIB = 2**30
NARROW = Precision("bfloat16")
LARGE = Qwen2Config(
    hidden_size=3584,
    num_hidden_layers=28,
    num_attention_heads=28,
    num_key_value_heads=4,
    intermediate_size=18_944,
    vocab_size=152_064,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A 7B without its weights: its shape is all that is asked."""
    LARGE.save_pretrained(tmp_path)
    return tmp_path


def test_bytes_by_hand() -> None:
    model = empty_model(Organism("formats-planted").folder(), NARROW)
    count = sum(weight.numel() for weight in model.parameters())
    layers, width = model.config.num_hidden_layers, model.config.hidden_size
    inner, vocabulary = model.config.intermediate_size, model.config.vocab_size
    found = estimate(SMALL_ARM, model, tokens=100, rows=8)
    assert found.weights == 2 * count
    assert found.optimizer == 12 * count and found.gradients == 4 * count
    assert found.companions == 0
    kept = 100 * layers * 2 * (4 * inner + 12 * width)
    assert found.activations == kept + 3 * 4 * 100 * vocabulary
    heads = model.config.num_key_value_heads * width // model.config.num_attention_heads
    assert found.cache == 8 * (24 * 2 * layers * heads * 2 + 24 * vocabulary)
    assert found.peak == 14 * count + max(4 * count + found.activations, found.cache)

    def of(learner: Learner, **changes: object) -> module.Estimate:
        arm = replace(SMALL_ARM, learner=learner, **changes)  # type: ignore[arg-type]
        return estimate(arm, model, tokens=100, rows=8)

    assert of(Learner(kl_weight=0.1)).companions == 2 * count
    assert of(Learner(), credit=KLInReward()).companions == 2 * count
    assert of(Learner(teacher=Teacher("average"))).companions == 6 * count
    assert of(Learner(moments="8bit")).optimizer == int(2.03125 * count) + 4 * count
    assert of(Learner(recomputing=True)).activations < found.activations
    assert of(Learner(low_rank=LowRank(rank=1))).gradients < found.gradients / 10


def test_weights_and_optimizer_are_what_a_policy_really_holds() -> None:
    for precision in (Precision(), NARROW):
        policy = Placement(precision=precision).load(SMALL_ARM.start.load).with_masters()
        optimizer = Learner().optimizer(policy)
        moments = sum(
            each.numel() * each.element_size()
            for entry in optimizer.state.values()
            for name, each in entry.items()
            if name != "step"
        )
        masters = sum(master.numel() * 4 for master in policy.masters.values())
        weights = sum(w.numel() * w.element_size() for w in policy.model.parameters())
        model = empty_model(SMALL_ARM.start.folder(), precision)  # type: ignore[attr-defined]
        found = estimate(SMALL_ARM, model, tokens=1, rows=1)
        assert (found.weights, found.optimizer) == (weights, moments + masters)


def test_a_7b_is_refused_with_what_would_fit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arm = replace(SMALL_ARM, start=Pretrained(str(folder)), sampling=Sampling(max_tokens=1024))
    cuda, memory = Placement("cuda"), 80 * GIB
    for name in ("training.estimate", "learner.passes"):
        monkeypatch.setattr(f"rewardscope.{name}.total_bytes", lambda device: memory)
    with pytest.raises(StudyError) as caught:
        check_memory(arm, cuda)
    said = str(caught.value)
    # 7.6e9 weights of 2 + 4 + 8 + 4 bytes, 128 GiB, and a pass of 1,024 tokens
    assert "134." in said and "72.0 GiB, 90% of cuda's" in said
    assert "Learner(low_rank=LowRank())" in said and "Learner(recomputing=True):" not in said
    memory = 160 * GIB
    found = check_memory(arm, cuda)
    assert found is not None and 127 * GIB < found.peak < 144 * GIB
    low = replace(arm, learner=Learner(low_rank=LowRank()))
    memory = 40 * GIB
    found = check_memory(low, cuda)
    assert found is not None and found.peak < 36 * GIB


def test_a_study_tells_what_its_largest_arm_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study("small", "?", (SMALL_ARM,), (0,), ())
    assert _check_memory(study) == []
    monkeypatch.setattr("rewardscope.study.checks.WORTH_SAYING", 0.0)
    (said,) = _check_memory(study)
    assert said.startswith("Arm 'truth' takes about ") and "GiB" in said


def test_memory_that_ran_out_in_a_step_is_told_with_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> dict[str, float]:
        torch.empty(1 << 60, dtype=torch.uint8)
        return {}

    monkeypatch.setattr(loop, "_update", full)
    with pytest.raises(ModelError, match="ran out") as caught:
        train(SMALL_ARM, 0, CellDirectory(tmp_path), lambda done: None)
    assert "pass_tokens" in str(caught.value) and "step 0" in str(caught.value)


def test_a_start_that_lies_in_no_folder_is_not_estimated() -> None:
    @dataclass(frozen=True)
    class Elsewhere:
        label: str = "elsewhere"

        def identity(self) -> str:
            return "it"

        def load(self, device: str = "cpu") -> Policy:
            raise AssertionError("never read")

    assert check_memory(replace(SMALL_ARM, start=Elsewhere()), Placement()) is None
    assert check_memory(SMALL_ARM, Placement()) is not None
