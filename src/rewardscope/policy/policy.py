"""A policy: a causal language model, its tokenizer, and how a prompt becomes tokens."""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import torch
import transformers
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from rewardscope.conversation import messages_of
from rewardscope.errors import ModelError
from rewardscope.policy import trials
from rewardscope.policy.folders import check_folder, check_tokenizer
from rewardscope.policy.precision import Precision, float32_head, master_copies
from rewardscope.policy.room import out_of_memory
from rewardscope.seeds import Address
from rewardscope.store import check_own
from rewardscope.tensors import Batch, TokenScores
from rewardscope.types import Completion, Replies

if TYPE_CHECKING:  # the sampler's module imports this one
    from rewardscope.policy.sampler import Sampling

transformers.logging.disable_progress_bar()  # our own progress says what is going on
LOG = logging.getLogger(__name__)
SPOKEN = "@spoken@"
"""Stands for a turn while a chat template shows what it puts behind one."""
NARROW_TOLERANCE = 0.05
"""Relative distance of two ways that bfloat16 may cause."""
MOST_SHOWN = 120
"""Characters of a text that a message quotes."""


@dataclass(frozen=True, eq=False)
class Policy:
    """Model and tokenizer, always in evaluation mode: dropout would make sampler and scorer
    disagree.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    float32_head: bool = False
    """Whether logits are computed in float32 although the weights are not."""
    masters: Mapping[str, nn.Parameter] = field(default_factory=dict)
    """Float32 copies of the weights that a learner moves; empty where it moves the weights."""

    @classmethod
    def load(cls, name: str | Path, *, device: str = "cpu") -> "Policy":
        """The policy in a Hugging Face folder or under a hub name, in float32.

        Only safetensors are read: a pickled file can run code when it is opened. Code that comes
        with a model is never run.

        Raises:
            ModelError: If there is no such folder and the name cannot be fetched, its weights are
                not safetensors, or some of the model's are not among them.
            CheckpointError: If it is a checkpoint of a run, and a file is not what was written.
        """
        folder = Path(name)
        if folder.is_dir() and not list(folder.glob("*.safetensors")):
            pickled = sorted(
                p.name
                for p in folder.iterdir()
                if p.suffix in {".bin", ".pt", ".pth", ".pkl", ".ckpt"}
            )
            raise ModelError(
                "The folder holds pickled weights, which can run code when opened"
                if pickled
                else "The folder holds no weights",
                value=f"{folder}: {', '.join(pickled) or 'no *.safetensors'}",
                allowed="safetensors",
                do="Convert them with transformers' save_pretrained on a machine that trusts them",
            )
        check_own(folder)
        if folder.is_dir():
            check_folder(folder)
        try:
            # without the flag, transformers asks at the terminal whether to run the folder's
            # code, and takes whatever stands on the standard input for the answer
            tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
            check_tokenizer(str(name), tokenizer)
            model, info = AutoModelForCausalLM.from_pretrained(
                name,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # found below, with their names
            )
        except ModelError:
            raise
        except (
            Exception
        ) as error:  # transformers raises many kinds here; each means that this name gives no model
            said = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise ModelError(
                "The model could not be loaded",
                value=f"{name}: {said}",
                allowed="a folder with config.json, tokenizer and *.safetensors, or a hub name "
                "this machine can fetch",
                do="Check the spelling; without a network, download it elsewhere and give its "
                "folder",
            ) from error
        # the library fills what it did not find with random numbers; weights that are tied to
        # others are not missing
        drawn = [
            *sorted(info["missing_keys"]),
            *sorted(f"{key} (of another shape)" for key, *_ in info["mismatched_keys"]),
        ]
        if drawn:
            raise ModelError(
                "Some of the model's weights are not in its files",
                value=f"{name}: "
                f"{', '.join(drawn[:5])}{f' and {len(drawn) - 5} more' if len(drawn) > 5 else ''}",
                allowed="a checkpoint that holds every weight of the model that its config.json "
                "describes",
                do="Save the whole model again, adapters merged; random numbers would stand in "
                "their place",
            )
        return cls(model.to(device).eval(), tokenizer)

    def save(self, folder: Path) -> None:
        """Writes config, tokenizer and safetensors, so that ``load`` and any other tool can read
        them.
        """
        self.model.save_pretrained(folder, safe_serialization=True)
        self.tokenizer.save_pretrained(folder)

    def sample(
        self,
        prompts: Sequence[str],
        group_size: int,
        sampling: "Sampling",
        addresses: Sequence[tuple[Address, ...]],
        replies: Replies | None = None,
        opening: str = "",
    ) -> list[tuple[Completion, ...]]:
        """A group of completions per prompt, as :func:`rewardscope.policy.sample` draws them."""
        from rewardscope.policy.sampler import sample  # it imports this module

        return sample(self, prompts, group_size, sampling, addresses, replies, opening)

    def score(self, batch: Batch) -> TokenScores:
        """What the policy says of the batch's tokens, as :func:`rewardscope.policy.score` has
        it.
        """
        from rewardscope.policy.scoring import score  # it imports this module

        return score(self, batch)

    def clone(self) -> "Policy":
        """A copy whose weights do not move with this one's, without master copies."""
        return replace(self, model=copy.deepcopy(self.model), masters={})

    def cast(self, precision: Precision, device: str | None = None) -> "Policy":
        """The same model in another number format, and on another device; its weights are
        converted in place.
        """
        model = self.model.to(dtype=precision.dtype).to(device or self.device)
        wide_head = precision.float32_head and precision.dtype != torch.float32
        return Policy(model, self.tokenizer, float32_head=wide_head)

    def with_masters(self) -> "Policy":
        """The same model to be trained: with float32 copies of what can be trained and is not
        float32.
        """
        return replace(self, masters=master_copies(self.trainable()))

    def trainable(self) -> dict[str, nn.Parameter]:
        """The weights that a learner may move, by name."""
        return {
            name: parameter
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad
        }

    def moving(self) -> dict[str, nn.Parameter]:
        """What an optimizer moves, by name: the master copies, or else the weights themselves."""
        return {name: self.masters.get(name, w) for name, w in self.trainable().items()}

    @torch.no_grad()
    def settle(self) -> None:
        """Rounds the master copies into the weights."""
        weights = self.trainable()
        for name, master in self.masters.items():
            weights[name].copy_(master)

    @torch.no_grad()
    def refresh(self) -> None:
        """Makes the master copies equal to the weights, after somebody set these."""
        weights = self.trainable()
        for name, master in self.masters.items():
            master.copy_(weights[name])

    @property
    def precise(self) -> Precision:
        """Its number format."""
        narrow = self.model.dtype == torch.bfloat16
        return Precision("bfloat16" if narrow else "float32", float32_head=self.float32_head)

    @property
    def exact(self) -> bool:
        """Whether its logprobs of the same token are the same, up to rounding of float32, however
        the token is read: one at a time while it samples, or in a pass.
        """
        return bool(self.model.dtype == torch.float32)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = next(self.model.parameters()).device
        return device

    @property
    def vocabulary_size(self) -> int:
        """V, as the model's output has it."""
        return int(self.model.get_output_embeddings().weight.shape[0])

    @cached_property
    def context_length(self) -> int:
        """Most tokens a row may have."""
        named = (
            getattr(self.model.config, name, None)
            for name in ("max_position_embeddings", "max_seq_len")
        )
        return int(next((length for length in named if length), 1 << 20))

    @cached_property
    def window(self) -> int | None:
        """Tokens back that some layer sees at most; None where every layer sees all."""
        named = [
            getattr(self.model.config, name, None)
            for name in ("sliding_window", "attention_chunk_size")
        ]
        return min((int(length) for length in named if length), default=None)

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """Tokens that end a completion: the tokenizer's and every one the generation config
        names.
        """
        named = (
            self.model.generation_config.eos_token_id
            if self.model.generation_config is not None
            else None
        )
        ids = named if isinstance(named, list) else [named]
        return frozenset(int(i) for i in [*ids, self.tokenizer.eos_token_id] if i is not None)

    def encode(self, prompt: str) -> tuple[int, ...]:
        """Tokens of the prompt: through the chat template where the tokenizer has one, as plain
        text otherwise. A prompt that holds messages (:mod:`rewardscope.conversation`) is given to
        the template message by message.

        Raises:
            ModelError: If the tokenizer cannot write the prompt, so that the policy would read
                another one, or the prompt holds messages that it has no template for.
        """
        messages = messages_of(prompt)
        if self.tokenizer.chat_template is not None:
            ids = self._templated(messages or [{"role": "user", "content": prompt}])
        elif messages is not None:
            raise ModelError(
                "The prompt is a conversation, and the model's tokenizer has no chat template",
                value=f"roles {', '.join(message['role'] for message in messages)}",
                allowed="a model with a chat template, or prompts of plain text",
                do="Take a chat model, or write the system text and the examples into the prompt's "
                "own text",
            )
        else:
            ids = self.tokenizer(prompt, add_special_tokens=True)["input_ids"]
        # templates and tokenizers put end tokens around a prompt themselves: only the text's own
        # tokens can tell
        said = prompt if messages is None else "".join(each["content"] for each in messages)
        if not self._not_text.isdisjoint(ids) and not self.writes(self._without_named(said)):
            raise _unwritable(said, self.decode(self.encode_opening(said)))
        return tuple(int(i) for i in ids)

    def _templated(self, messages: list[dict[str, str]]) -> list[int]:
        """Tokens of the messages up to where the policy speaks.

        Raises:
            ModelError: If the template refuses them, as some do with a system message.
        """
        try:
            ids: list[int] = self.tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=True, return_dict=True
            )["input_ids"]
        except jinja2.TemplateError as error:
            raise ModelError(
                "The model's chat template refuses the prompt's messages",
                value=f"roles {', '.join(message['role'] for message in messages)}: {error}",
                do="Put the system text into the user's message, or let the roles alternate",
            ) from error
        return ids

    @cached_property
    def _not_text(self) -> frozenset[int | None]:
        """Tokens that a tokenizer puts where it has none for the text: the unknown one, and those
        that end a completion.
        """
        return frozenset({self.tokenizer.unk_token_id, *self.end_ids})

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.tokenizer.decode([token]) for token in self._not_text - {None})

    def _without_named(self, text: str) -> str:
        """The text without the names of such tokens, which it may spell out."""
        for name in self._names:
            text = text.replace(name, "")
        return text

    def encode_completion(self, text: str) -> tuple[int, ...]:
        """Tokens of a completion as the policy would have written it, the end token last.

        Raises:
            ModelError: If the tokenizer has no end token.
        """
        if self.tokenizer.eos_token_id is None:
            raise ModelError(
                "A completion ends with an end token, and this tokenizer has none",
                do="Set its eos_token",
            )
        return (
            *(int(i) for i in self.tokenizer(text, add_special_tokens=False)["input_ids"]),
            int(self.tokenizer.eos_token_id),
        )

    def encode_reply(self, text: str, *, ended: bool) -> tuple[int, ...]:
        """Tokens that stand between a turn of the policy and its next: what the environment said,
        as the tokenizer has it.

        Where it has a chat template, the text is a user's message in it, and the tokens run up to
        where the policy speaks again; otherwise they are the text and no more.

        Args:
            text: Of the environment.
            ended: Whether the turn had its end token; the template's own is then left out.

        Raises:
            ModelError: If the tokenizer cannot write the text, so that the policy would read
                another one.
        """
        if (text, ended) not in self._replies:
            ids = self._between_turns(text, ended=ended)
            if text.strip() not in self.decode(ids):
                raise _unwritable(text, self.decode(ids))
            self._replies[text, ended] = ids
        return self._replies[text, ended]

    @cached_property
    def _replies(self) -> dict[tuple[str, bool], tuple[int, ...]]:
        return {}

    def _between_turns(self, text: str, *, ended: bool) -> tuple[int, ...]:
        if self.tokenizer.chat_template is None:
            return tuple(
                int(i) for i in self.tokenizer(text, add_special_tokens=False)["input_ids"]
            )
        spoken = [
            {"role": "user", "content": SPOKEN},
            {"role": "assistant", "content": SPOKEN},
            {"role": "user", "content": text.strip()},
        ]
        whole = self.tokenizer.apply_chat_template(
            spoken, add_generation_prompt=True, tokenize=False
        )
        behind = str(whole).split(SPOKEN, 2)[2]
        ids = tuple(int(i) for i in self.tokenizer(behind, add_special_tokens=False)["input_ids"])
        return ids[1:] if ended and ids[0] in self.end_ids else ids

    def encode_opening(self, text: str) -> tuple[int, ...]:
        """Tokens of a completion's beginning."""
        return (
            tuple(int(i) for i in self.tokenizer(text, add_special_tokens=False)["input_ids"])
            if text
            else ()
        )

    def writes(self, text: str) -> bool:
        """Whether its tokenizer has tokens for everything in the text: none that stands for the
        unknown, none that ends a completion.
        """
        return self._not_text.isdisjoint(self.encode_opening(text))

    def decode(self, token_ids: tuple[int, ...]) -> str:
        """Text of the tokens, end tokens left out."""
        return str(
            self.tokenizer.decode(
                [i for i in token_ids if i not in self.end_ids], clean_up_tokenization_spaces=False
            )
        )

    def precision(self) -> AbstractContextManager[None]:
        """A context in which the model computes: its head in float32, if that is asked for."""
        return (
            float32_head(self.model.get_output_embeddings()) if self.float32_head else nullcontext()
        )

    @cached_property
    def head(self) -> nn.Module | None:
        """Output layer of a family whose logits are that layer of the backbone and no more; None
        where they are scaled or capped.

        Found by trying it: a family that does more than the product is scored through its whole
        forward pass.
        """
        with torch.no_grad():
            # tokens from all over the vocabulary: a padding token's embedding may be 0, and then so
            # is everything after it
            ids = torch.linspace(0, self.vocabulary_size - 1, 8, device=self.device).long()[None]
            head = self.model.get_output_embeddings()
            direct = head(self.model.base_model(input_ids=ids).last_hidden_state)
            whole = self.model(input_ids=ids).logits
        return (
            head
            if direct.shape == whole.shape and torch.allclose(direct, whole, atol=1e-5, rtol=1e-4)
            else None
        )

    @cached_property
    def packs(self) -> bool:
        """Whether the family reads completions that share a row, behind a block mask, as it reads
        each alone.

        Found by trying it; where it does not (position biases instead of position ids, recurrent
        layers), rows are plain and a log line says so.
        """
        found = self._tried(lambda: trials.packed(self, in_blocks=False))
        if not found:
            LOG.warning(
                "%s cannot read packed rows; its completions are scored in plain rows",
                type(self.model).__name__,
            )
        return found

    @cached_property
    def blocks(self) -> bool:
        """Whether packed rows can be read by :class:`Blocks` instead of behind a block mask: in
        float32 on the CPU; found by trying it.
        """
        fits = self.device.type == "cpu" and self.model.dtype == torch.float32
        return (
            fits
            and self._attends_plainly
            and self._tried(lambda: trials.packed(self, in_blocks=True))
        )

    @cached_property
    def shares(self) -> bool:
        """Whether a prompt's keys and values can be kept once for all of its completions while they
        are sampled; found by trying it.
        """
        return self._attends_plainly and self._tried(lambda: trials.sharing(self))

    @cached_property
    def lean(self) -> bool:
        """Whether its layers give the same where they keep less for the way back; found by trying
        it.
        """
        return self._tried(lambda: trials.leaning(self))

    @property
    def _attends_plainly(self) -> bool:
        """Whether attention goes through the library's interface, where ours can stand in, and no
        layer has a window.
        """
        return self.window is None and self.model.config._attn_implementation == "sdpa"

    def _tried(self, trial: Callable[[], tuple[Tensor, Tensor]]) -> bool:
        """Whether both ways give the same; families refuse what they cannot do in many ways, and
        each means that they do not. That memory ran out does not mean it.
        """
        try:
            with torch.no_grad():
                one, other = trial()
        except Exception as error:
            if out_of_memory(error):
                raise
            return False
        if self.exact:
            return torch.allclose(one, other, atol=1e-4, rtol=1e-3)
        return bool((one - other).float().norm() <= NARROW_TOLERANCE * other.float().norm())

    def hidden(self, **inputs: Tensor | None) -> Tensor:
        """What :meth:`logits` turns into logits: (rows, positions, width)."""
        if self.head is None:
            logits: Tensor = self.model(**inputs, use_cache=False).logits
            return logits
        return self.states(**inputs)

    def states(self, **inputs: Tensor | None) -> Tensor:
        """The backbone's last states: (rows, positions, width)."""
        states: Tensor = self.model.base_model(**inputs, use_cache=False).last_hidden_state
        return states

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits in float32 of what :meth:`hidden` gave."""
        return (hidden if self.head is None else self.head(hidden)).float()


def _unwritable(text: str, read: str) -> ModelError:
    shown, left = (
        repr(each if len(each) <= MOST_SHOWN else each[:MOST_SHOWN] + " ...")
        for each in (text, read)
    )
    return ModelError(
        "The tokenizer cannot write what the environment says",
        value=f"{shown} becomes {left}",
        allowed="text of which every character has a token",
        do="Take an environment in the model's own alphabet, or a model that can read this one's",
    )
