"""A model of somebody's own: two layers that write a box with a digit, as a Hugging Face folder."""

from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

LETTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;?!#+-*/=()[]{}<>|\\'\"\n$%"
)


def write_model(folder: Path, completions: list[str], steps: int = 40) -> None:
    """Trains the model to write one of the completions, whatever the prompt, and saves it."""
    names = ["<pad>", "<s>", "</s>", "<unk>", *LETTERS]
    inner = Tokenizer(models.WordLevel({c: n for n, c in enumerate(names)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex("[\\s\\S]"), "isolated")
    inner.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
    )
    with torch.random.fork_rng():
        torch.random.manual_seed(0)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(names),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_key_value_heads=2,
                max_position_embeddings=512,
                bos_token_id=1,
                eos_token_id=2,
                pad_token_id=0,
                tie_word_embeddings=True,
            )
        )
    rows = [tokenizer(f"?{text}")["input_ids"] + [2] for text in completions]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    labels = ids.masked_fill(ids == 0, -100)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(steps):
        model(input_ids=ids, labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
