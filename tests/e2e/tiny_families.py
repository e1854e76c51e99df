"""Models of two layers in the families of published runs, over single bytes, with a chat template;
each has learned to write some texts, whatever the prompt.
"""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

PARTS = [
    *(
        f"<{mark}{tag}>"
        for tag in ("think", "answer", "analysis", "confidence")
        for mark in ("", "/")
    ),
    "\\boxed{",
]
"""Texts that are one token, so that a tiny model soon writes them."""
SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>"]
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
VOCABULARY = len(SPECIAL) + len(BYTES) + len(PARTS)
END = SPECIAL.index("<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
BLOCKS = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 4096,
    "bos_token_id": None,
    "eos_token_id": END,
    "pad_token_id": 0,
    "tie_word_embeddings": True,
}
FAMILIES: dict[str, PreTrainedConfig] = {
    "qwen2": Qwen2Config(**BLOCKS),
    "qwen3": Qwen3Config(**BLOCKS, head_dim=16),
}


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, in the form of Qwen's tokenizers, which transformers restores by the
    model's family.
    """
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *BYTES])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
    )
    tokenizer.add_tokens(PARTS)
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def write_family(folder: Path, family: str, texts: list[str], steps: int = 60) -> None:
    """Trains a model of the family to answer with one of the texts, and saves it."""
    tokenizer = byte_tokenizer()
    with torch.random.fork_rng():
        torch.random.manual_seed(0)
        model = AutoModelForCausalLM.from_config(FAMILIES[family])
    rows = [tokenizer(text)["input_ids"] + [END] for text in texts]
    longest = max(map(len, rows))
    answers = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    prose = Path(__file__).read_text()
    for step in range(steps):  # questions of any words, with and without a system prompt
        first = 37 * step % 2000
        said = [prose[first : first + 20], prose[2 * first : 2 * first + 300 * (step % 2)]]
        before = tokenizer.apply_chat_template(
            [
                *([{"role": "system", "content": said[1]}] if said[1] else []),
                {"role": "user", "content": said[0]},
            ],
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        )["input_ids"].expand(len(rows), -1)
        ids = torch.cat([before, answers], dim=1)
        labels = ids.masked_fill(ids == 0, -100)
        labels[:, : before.shape[1]] = -100
        model(input_ids=ids, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
