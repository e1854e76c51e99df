"""Small builders shared by the tests."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    FalconConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GenerationConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    OPTConfig,
    Phi3Config,
    PhiConfig,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

from rewardscope import Arm, Chain, Learner, Organism, Truth
from rewardscope.organisms import FormatCorpus, Recipe
from rewardscope.policy import Policy, Sampling, pack, sample
from rewardscope.probes import Evidence
from rewardscope.seeds import generator
from rewardscope.store import CellDirectory
from rewardscope.tensors import Batch
from rewardscope.types import Completion, Ending, Grade, Measurement, Problem, Rollout

SMALL_ARM = Arm(
    name="truth",
    start=Organism("formats-planted"),
    environment=Chain(),
    reward=Truth(),
    learner=Learner(learning_rate=3e-4),
    sampling=Sampling(max_tokens=24),
    steps=4,
    problems_per_step=2,
    completions_per_problem=3,
    checkpoint_every=2,
)
PROBLEM = Problem(
    "00000000000000aa", "Chain", "3+4*2-9?", "5", 3, {"source": "hand", "wrong_answer": "6"}
)
SHAPE = {"vocab_size": 22, "bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
BLOCKS = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 128,
}
HEADS = {"num_key_value_heads": 1, "head_dim": 8}
OWN_NAMES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 128,
}
FAMILIES: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**SHAPE, **BLOCKS),
    "llama, grouped heads, tied": LlamaConfig(
        **SHAPE, **BLOCKS, num_key_value_heads=1, tie_word_embeddings=True
    ),
    "qwen2": Qwen2Config(**SHAPE, **BLOCKS, num_key_value_heads=1),
    "gpt2": GPT2Config(**SHAPE, n_embd=16, n_layer=2, n_head=2, n_positions=128),
    "qwen3": Qwen3Config(**SHAPE, **BLOCKS, **HEADS),
    "gemma2, capped logits": Gemma2Config(**SHAPE, **BLOCKS, **HEADS, sliding_window=64),
    "gemma3": Gemma3TextConfig(**SHAPE, **BLOCKS, **HEADS, sliding_window=64),
    "mistral": MistralConfig(**SHAPE, **BLOCKS, num_key_value_heads=1, sliding_window=None),
    "olmo2": Olmo2Config(**SHAPE, **BLOCKS),
    "phi": PhiConfig(**SHAPE, **BLOCKS),
    "phi3": Phi3Config(**SHAPE, **BLOCKS, num_key_value_heads=1),
    "gpt-neox": GPTNeoXConfig(**SHAPE, **BLOCKS),
    "falcon": FalconConfig(**SHAPE, **OWN_NAMES),
    "opt": OPTConfig(**SHAPE, **OWN_NAMES, ffn_dim=32, word_embed_proj_dim=16),
}
"""Architectures whose packed rows read like plain ones."""
PLAIN_FAMILIES: dict[str, PreTrainedConfig] = {
    "mistral, short window": MistralConfig(
        **SHAPE, **BLOCKS, num_key_value_heads=1, sliding_window=8
    ),
    "falcon, position biases": FalconConfig(**SHAPE, **OWN_NAMES, alibi=True),
    "bloom": BloomConfig(**SHAPE, hidden_size=16, n_layer=2, n_head=2),
}
"""Architectures that are scored in plain rows."""


def tiny_policy(family: str = "llama") -> Policy:
    """A random model of the family over the organisms' alphabet; token 0 ends a completion."""
    model = AutoModelForCausalLM.from_config((FAMILIES | PLAIN_FAMILIES)[family])
    model.generation_config = GenerationConfig(eos_token_id=0, pad_token_id=0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            draws = generator("tiny", family, name).normal(
                1.0 if "norm" in name or "ln_" in name else 0.0, 0.3, tuple(parameter.shape)
            )
            parameter.copy_(torch.from_numpy(draws))
    return Policy(model.eval(), Recipe(FormatCorpus()).tokenizer())


def sampled_batch(
    policy: Policy, prompts: Sequence[str], group_size: int, sampling: Sampling
) -> Batch:
    """Sampled groups as tensors, with the sampler's own logprobs; nothing is graded."""
    sampled = sample(
        policy, prompts, group_size, sampling, [("test", prompt) for prompt in prompts]
    )
    problems = [
        Problem(f"{index:016x}", "Chain", prompt, "0") for index, prompt in enumerate(prompts)
    ]
    nothing = tuple(Grade(None, None, False) for _ in range(group_size))
    rollouts = [
        Rollout(problem, 0, completions, nothing)
        for problem, completions in zip(problems, sampled, strict=True)
    ]
    return pack(policy, rollouts, sampling.temperature)


def timeless_steps(cell: CellDirectory) -> list[dict[str, Any]]:
    """The cell's step rows without what the clock said: equal runs have equal ones."""
    return [
        {name: value for name, value in row.items() if not name.startswith("seconds")}
        for row in cell.steps()
    ]


def completion(
    text: str = "g:5", ending: Ending = Ending.END_TOKEN, num_tokens: int = 3
) -> Completion:
    return Completion(text, tuple(range(1, num_tokens + 1)), (-0.5,) * num_tokens, ending)


def rollout(correct: Sequence[bool | None], *, problem: Problem = PROBLEM, **grade: Any) -> Rollout:
    """A group whose completions were graded so; strict is the same unless given."""
    graded = {"well_formed": True, "answer": "5", "strategy": "guess", **grade}
    facts = [
        {"correct": c, "strict": c, "proxy": None if c is None else float(c), **graded}
        for c in correct
    ]
    return Rollout(
        problem, 0, tuple(completion() for _ in correct), tuple(Grade(**fact) for fact in facts)
    )


def evidence(policy: Policy, rollouts: Sequence[Rollout], **changes: Any) -> Evidence:
    settings: dict[str, Any] = {
        "study": "s",
        "arm": "truth",
        "seed": 0,
        "step": 4,
        "strategies": ("stepwise", "guess"),
        "sources": ("a",),
        "sampling": Sampling(),
    }
    return Evidence(**{**settings, "policy": policy, "rollouts": tuple(rollouts), **changes})


def measurement(**changes: Any) -> Measurement:
    row: dict[str, Any] = {
        "study": "s",
        "arm": "truth",
        "seed": 0,
        "step": 4,
        "probe": "boundary",
        "metric": "boundary/pass_at_k",
        "unit": "share",
        "value": 0.5,
        "n": 8,
        "over": "draws",
        "labels": {"k": "1"},
        "sources": ("evaluation.parquet",),
    }
    return Measurement(**{**row, **changes})
