"""What a pass keeps, how many tokens it reads, and in what the optimizer keeps its moments."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, Qwen2Config

from factories import SMALL_ARM, sampled_batch, timeless_steps, tiny_policy
from rewardscope import Learner, Sampling, Subnetwork
from rewardscope.errors import ComponentError, ModelError
from rewardscope.learner import passes
from rewardscope.learner.moments import adamw
from rewardscope.policy import Policy, Precision
from rewardscope.store import CellDirectory
from rewardscope.tensors import TokenCredit
from rewardscope.training import train

GIB = 2**30
SHAPE = Qwen2Config(
    hidden_size=1536,
    num_hidden_layers=28,
    num_attention_heads=12,
    num_key_value_heads=2,
    intermediate_size=8960,
    vocab_size=151_936,
    tie_word_embeddings=True,
)


def gradients(learner: Learner, policy: Policy) -> dict[str, torch.Tensor]:
    policy = policy.clone()
    batch = sampled_batch(policy, ("1+2?", "3*4-5?"), 4, Sampling(max_tokens=10))
    advantage = torch.linspace(-1, 1, batch.mask_NT.numel()).reshape(batch.mask_NT.shape)
    optimizer = torch.optim.SGD(policy.trainable().values(), lr=0.0)
    learner.update(policy, optimizer, batch, TokenCredit(advantage), None, 10, ("passes",))
    return {name: weight.grad for name, weight in policy.trainable().items()}  # type: ignore[misc]


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2, capped logits", "bloom"])
def test_layers_computed_again_give_the_same_gradient(family: str) -> None:
    policy = tiny_policy(family)
    plain, again = (gradients(Learner(recomputing=r), policy) for r in (False, True))
    torch.testing.assert_close(again, plain, atol=1e-6, rtol=1e-4)


def kept_bytes(policy: Policy, *, recomputing: bool) -> int:
    """Bytes of what a pass of one row of 128 tokens keeps but weights."""
    from rewardscope.policy.packing import Rows, read
    from rewardscope.policy.recomputing import recomputing_layers

    weights = {w.untyped_storage().data_ptr() for w in policy.model.parameters()}
    held: dict[int, torch.UntypedStorage] = {}

    def hold(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            held[storage.data_ptr()] = storage
        return tensor

    ids = torch.arange(128)[None] % 20
    none = torch.zeros(0, dtype=torch.long)
    rows = Rows(ids, torch.arange(128)[None], None, none, none, ())
    hooks = torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor)
    with hooks, recomputing_layers(wanted=recomputing):
        states = read(policy, rows, states=True)
    assert states.requires_grad
    return sum(storage.nbytes() for storage in held.values())


@pytest.mark.parametrize("recomputing", [False, True])
def test_what_a_layer_keeps_is_what_is_planned_for(recomputing: bool) -> None:
    found = []
    for layers in (2, 4):
        config = Qwen2Config(
            hidden_size=64,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=1,
            intermediate_size=320,
            vocab_size=32,
        )
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
        policy = Policy(model.eval(), tiny_policy().tokenizer)
        planned = 128 * passes.activation_bytes(config, 2, recomputing=recomputing)
        found.append((kept_bytes(policy, recomputing=recomputing), planned))
    kept, planned = (found[1][n] - found[0][n] for n in range(2))  # of two layers
    assert 0.8 * planned <= kept <= planned


def test_a_pass_follows_the_memory_of_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):  # an accelerator, as far as sizes go
        model = AutoModelForCausalLM.from_config(SHAPE, dtype=torch.bfloat16)
    policy = Policy(model, tiny_policy().tokenizer)
    memory = 80 * GIB
    monkeypatch.setattr(passes, "total_bytes", lambda device: memory)
    # 1.54e9 weights: 2 + 2 bytes with a reference, 16 that move them, 28.8 GiB; half of the other
    # 43.2 GiB over 28 layers x 2 x (4 x 8,960 + 12 x 1,536) bytes = 2.9 MiB a token
    assert passes.pass_tokens(policy) == 4096
    assert passes.pass_tokens(policy, recomputing=True) == passes.ACCELERATOR_TOKENS
    memory = 36 * GIB
    assert passes.pass_tokens(policy) == 512
    assert passes.pass_tokens(policy, moment_bytes=2.0) == 2048
    assert passes.pass_tokens(policy, 77) == 77
    memory = 16 * GIB
    assert passes.pass_tokens(policy) == 1


def test_moments_in_8_bits_say_what_they_need_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"bitsandbytes.*pip install 'rewardscope\[memory\]'"):
        Learner(moments="8bit").optimizer(tiny_policy())


def test_a_mask_takes_moments_in_float32() -> None:
    mask = Subnetwork(((0, "somewhere"),))
    with pytest.raises(ComponentError, match="moments in float32"):
        Learner(moments="8bit", mask=mask)


@pytest.mark.filterwarnings("ignore")  # of the library
def test_a_run_with_moments_in_8_bits_learns_and_goes_on_to_the_bit(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="pip install -e '.[memory]'")
    arm = replace(SMALL_ARM, learner=Learner(learning_rate=1e-3, moments="8bit"))
    whole, killed = CellDirectory(tmp_path / "whole"), CellDirectory(tmp_path / "killed")

    def stop(done: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(arm, 0, killed, stop, precision=Precision("bfloat16"))
    for cell in (whole, killed):
        train(arm, 0, cell, lambda done: None, precision=Precision("bfloat16"))
    assert timeless_steps(whole) == timeless_steps(killed)
    weight = torch.nn.Parameter(torch.linspace(-1, 1, 8192))
    for moments in ("float32", "8bit"):
        other = torch.nn.Parameter(weight.detach().clone())
        optimizer = adamw([other], moments, lr=1e-3, betas=(0.9, 0.999), weight_decay=0.0)
        for _ in range(5):
            other.grad = other.detach().clone()
            optimizer.step()
        moved = (other - weight).detach()
        assert float((moved + 5e-3 * weight.sign()).abs().mean()) < 2e-4
        sizes = [v.element_size() for v in optimizer.state[other].values() if torch.is_tensor(v)]
        assert (min(sizes) == 1) is (moments == "8bit")
    with pytest.raises(ComponentError, match="CUDA"):
        adamw([weight], "paged", lr=1e-3)
