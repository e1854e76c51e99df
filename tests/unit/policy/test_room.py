"""Memory of a device: sizes follow it, on devices that are simulated here."""

import pytest
import torch
from transformers import AutoModelForCausalLM, Qwen2Config

from factories import tiny_policy
from rewardscope.policy import Policy, sampler
from rewardscope.policy.room import free_bytes, num_devices, out_of_memory, total_bytes

CPU = torch.device("cpu")
GIB = 2**30
SHAPE_7B = Qwen2Config(
    hidden_size=3584,
    num_hidden_layers=28,
    num_attention_heads=28,
    num_key_value_heads=4,
    intermediate_size=18_944,
    vocab_size=152_064,
)


def shaped(config: Qwen2Config) -> Policy:
    """A policy without memory, on the device ``meta``: an accelerator, as far as sizes go."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    return Policy(model, tiny_policy().tokenizer)


def test_rows_of_a_7b_follow_the_free_memory_of_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = shaped(SHAPE_7B)
    free = 60 * GIB
    monkeypatch.setattr(sampler, "free_bytes", lambda device: free)
    # a row of 3,072 tokens: 2 x 28 layers x 4 heads x 128 x 2 bytes = 56 KiB a token, 168 MiB, and
    # 3.5 MiB of logits; 48 GiB hold 286 of them
    assert sampler._rows_at_once(policy, 3072) == 256
    free = 59 * GIB
    assert sampler._rows_at_once(policy, 3072) == 256
    free = 1 << 20
    assert sampler._rows_at_once(policy, 3072) == 1


def test_on_a_cpu_a_small_model_has_a_gibibyte_and_a_large_one_half_its_weights() -> None:
    policy = tiny_policy()
    assert sampler._cache_bytes(policy) == GIB == sampler.CACHE_BYTES


@pytest.mark.parametrize(
    ("error", "says_so"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (MemoryError(), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("out of memory of what a value may be"), False),
    ],
)
def test_an_error_is_known_to_say_that_memory_ran_out(error: Exception, says_so: bool) -> None:
    assert out_of_memory(error) is says_so


def test_a_real_allocation_that_fails_is_known() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert out_of_memory(caught.value)


def test_the_machine_has_memory_and_one_cpu() -> None:
    assert 0 < free_bytes(CPU) <= total_bytes(CPU)
    assert num_devices("cpu") == 1 and num_devices("cuda") == torch.cuda.device_count()
