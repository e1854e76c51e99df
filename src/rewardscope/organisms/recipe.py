"""Recipes for organisms: the same corpus, tokenizer, model shape, training settings and seed give
the same weights.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch.nn import functional
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rewardscope.policy import Policy
from rewardscope.protocols import Environment
from rewardscope.seeds import generator

END = "<end>"
Progress = Callable[[int, int, float], None]
"""Called with (steps done, steps in all, loss in nats per token)."""
Written = str | tuple[str, ...]
"""A completion: one turn, or turn, answer, turn ... Only the turns are learned."""


class Corpus(Protocol):
    """Pretraining data of an organism: a frozen dataclass whose fields set the planted content."""

    @property
    def alphabet(self) -> str:
        """Every character of every line, once each; each is a token."""

    @property
    def worlds(self) -> Mapping[str, Environment]:
        """The environments in which the card measures the organism, by name. The corpus solves the
        problems of the first.
        """

    @property
    def planted(self) -> Mapping[str, float]:
        """The known content as numbers by name: the share of each strategy, an error rate ..."""

    def lines(self, seed: int) -> Sequence[tuple[str, Written]]:
        """The corpus: prompts of the split ``pretrain``, each with one completion."""


@dataclass(frozen=True)
class Recipe:
    """Everything that determines an organism's weights on one machine."""

    corpus: Corpus
    width: int = 64
    num_layers: int = 3
    num_heads: int = 4
    feed_forward: int = 128
    num_steps: int = 1600
    batch_lines: int = 128
    learning_rate: float = 4e-3
    context: int = 256
    """Most tokens in a row."""
    seed: int = 0

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """A tokenizer with one token per character, and an end token that also pads."""
        vocabulary = {
            END: 0,
            **{character: index for index, character in enumerate(self.corpus.alphabet, 1)},
        }
        inner = Tokenizer(models.WordLevel(vocabulary, unk_token=END))
        inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
        inner.decoder = decoders.Fuse()
        return PreTrainedTokenizerFast(
            tokenizer_object=inner, eos_token=END, pad_token=END, clean_up_tokenization_spaces=False
        )

    def config(self) -> LlamaConfig:
        """A small Llama, the architecture that checkpoint tools support best."""
        return LlamaConfig(
            vocab_size=len(self.corpus.alphabet) + 1,
            hidden_size=self.width,
            num_hidden_layers=self.num_layers,
            num_attention_heads=self.num_heads,
            intermediate_size=self.feed_forward,
            max_position_embeddings=self.context,
            tie_word_embeddings=False,
            bos_token_id=None,
            eos_token_id=0,
            pad_token_id=0,
        )

    def build(self, progress: Progress | None = None) -> Policy:
        """The organism, trained from scratch: next-token loss on completions only, AdamW, a cosine
        schedule to zero after 5 % warm-up.

        Each turn ends with the end token. Answers between turns carry no loss.
        """
        tokenizer = self.tokenizer()
        model = _initial_model(self)
        lines = self.corpus.lines(self.seed)
        vocabulary = tokenizer.get_vocab()
        rows = [_tokens(vocabulary, prompt, completion) for prompt, completion in lines]
        length = torch.tensor([len(read) for read, _ in rows])
        width = int(length.max())
        ids = torch.tensor([read + [0] * (width - len(read)) for read, _ in rows])
        target = torch.tensor([learned + [-100] * (width - len(learned)) for _, learned in rows])
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=self.learning_rate, weight_decay=0.01, betas=(0.9, 0.98)
        )
        random = generator("pretraining", self.seed)
        model.train()
        for step in range(self.num_steps):
            chosen = torch.from_numpy(random.integers(len(rows), size=self.batch_lines))
            warm = (step + 1) / (0.05 * self.num_steps)
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate * min(
                    warm, 0.5 * (1 + math.cos(math.pi * step / self.num_steps))
                )
            longest = int(length[chosen].max())
            logits = model(input_ids=ids[chosen, :longest]).logits[:, :-1]
            loss = functional.cross_entropy(
                logits.flatten(0, 1), target[chosen, 1:longest].flatten(), ignore_index=-100
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if progress is not None:
                progress(step + 1, self.num_steps, float(loss.detach()))
        return Policy(model.eval(), tokenizer)


def _tokens(
    vocabulary: Mapping[str, int], prompt: str, completion: Written
) -> tuple[list[int], list[int]]:
    """Tokens of a line, one per character, and the targets: the same for learned tokens, -100 for
    others.
    """
    read = [vocabulary[character] for character in prompt]
    learned = [-100] * len(read)
    for turn, said in enumerate((completion,) if isinstance(completion, str) else completion):
        ids = [vocabulary[character] for character in said] + [0] * (turn % 2 == 0)
        read += ids
        learned += ids if turn % 2 == 0 else [-100] * len(ids)
    return read, learned


def _initial_model(recipe: Recipe) -> LlamaForCausalLM:
    """A model whose initial weights depend on the recipe's seed alone: N(0, 1 / width) matrices,
    norm weights of 1.
    """
    model = LlamaForCausalLM(recipe.config())
    model.generation_config = GenerationConfig(eos_token_id=0, pad_token_id=0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                draws = generator("initial", recipe.seed, name).normal(
                    0.0, recipe.width**-0.5, tuple(parameter.shape)
                )
                parameter.copy_(torch.from_numpy(draws))
            else:
                parameter.fill_(1.0)
    return model
