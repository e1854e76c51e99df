"""Sampling of groups: each prompt is read once, and its completions share its keys and values.

If an environment answers between turns, all rows of a batch continue together. In each forward pass
a row reads either the token it just chose, or the next token of its environment's answer. No row
waits for the end of another's turn, and nothing is read twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, PretrainedConfig
from transformers.cache_utils import DynamicLayer

from rewardscope.conformance import check_plain_fields
from rewardscope.errors import ComponentError, ModelError
from rewardscope.policy.attention import attending
from rewardscope.policy.decoding import Sharing, prefill, thin_products
from rewardscope.policy.policy import Policy
from rewardscope.policy.room import free_bytes
from rewardscope.policy.turns import Row
from rewardscope.seeds import Address, uniforms
from rewardscope.types import Completion, Ending, Replies

CACHE_BYTES = 1 << 30
"""Key/value memory of one batch of rows on a CPU, where cells of a study share the memory. A larger
model gets half of what its weights take: it is read once for all rows. It bounds the number of rows
and does not change samples.
"""
FREE_SHARE = 0.8
"""Of an accelerator's free memory, for one batch of rows."""
MOST_ROWS = 1024
DROP_AT = 0.75
"""Finished rows are removed once this share or less is unfinished, because each removal copies the
cache.
"""


@dataclass(frozen=True)
class Sampling:
    """Settings of sampling."""

    max_tokens: int = 32
    temperature: float = 1.0
    """Logits are divided by it; 0 = always the likeliest token."""
    top_p: float = 1.0
    """Smallest set of likeliest tokens with this mass is kept; 1 = all."""
    stop: tuple[str, ...] = ()
    """Texts that end a completion, or a turn; the text remains in it."""
    turn_tokens: int | None = None
    """Most tokens of one turn, if an environment takes several; None = the rest of ``max_tokens``,
    which also covers its answers.
    """

    def __post_init__(self) -> None:
        check_plain_fields(self, ComponentError)
        stop: object = self.stop
        if not isinstance(stop, (tuple, list)) or not all(isinstance(text, str) for text in stop):
            raise ComponentError(
                "Sampling needs texts in stop",
                value=f"stop={stop!r}",
                allowed="a tuple of texts",
                do=f"Write stop=({stop!r},)" if isinstance(stop, str) else "Write stop=(...,)",
            )
        object.__setattr__(self, "stop", tuple(stop))
        if (
            min(self.max_tokens, self.turn_tokens or 1) < 1
            or self.temperature < 0
            or not 0 < self.top_p <= 1
            or self.turn_tokens == 0
        ):
            raise ComponentError(
                "Sampling has numbers outside their ranges",
                value=f"max_tokens={self.max_tokens}, temperature={self.temperature}, "
                f"top_p={self.top_p}, turn_tokens={self.turn_tokens}",
                allowed="max_tokens >= 1, temperature >= 0, 0 < top_p <= 1, turn_tokens None or >= "
                "1",
                do="Correct them in the study file",
            )

    @property
    def uncut(self) -> bool:
        """Whether every completion has a chance, so the logprobs are those of the sampling
        distribution.
        """
        return self.temperature > 0 and self.top_p == 1


def sample(
    policy: Policy,
    prompts: Sequence[str],
    group_size: int,
    sampling: Sampling,
    addresses: Sequence[tuple[Address, ...]],
    replies: Replies | None = None,
    opening: str = "",
) -> list[tuple[Completion, ...]]:
    """A group of completions per prompt.

    Token t of completion g is the inverse of the cumulative distribution at an addressed uniform,
    so a completion depends on its address and not on which rows it was batched with (up to float
    rounding of the model's own arithmetic).

    Args:
        policy: The policy to sample from.
        prompts: P texts.
        group_size: G, completions per prompt.
        sampling: Temperature, cut, length.
        addresses: One per prompt; completion g uses row g of ``uniforms(G, max_tokens, *address)``,
            and its token t the number at t, the environment's tokens counted.
        replies: Answers between turns; None = a completion is one turn. A turn ends like a
            completion, or after ``turn_tokens``. The completion ends when there is no answer, after
            ``replies.max_turns`` turns, or at ``max_tokens``.
        opening: Text before every completion, which is read, not sampled, and not part of the
            completion.

    Raises:
        ModelError: If a prompt and its completion do not fit the model's context, or a layer is
            recurrent.
    """
    _refuse_other_states(policy)
    encoded = [policy.encode(prompt) + policy.encode_opening(opening) for prompt in prompts]
    for prompt, ids in zip(prompts, encoded, strict=True):
        if len(ids) + sampling.max_tokens > policy.context_length:
            raise ModelError(
                "A prompt is too long for the model's context",
                value=f"{len(ids)} prompt tokens + {sampling.max_tokens} to sample; prompt starts "
                f"{prompt[:60]!r}",
                allowed=f"{policy.context_length} tokens in all",
                do="Shorten the prompts, lower max_tokens, or take a model with a longer context",
            )
    noise = [uniforms(group_size, sampling.max_tokens, *address) for address in addresses]
    rows = [
        Row(p, g)
        for p in sorted(range(len(prompts)), key=lambda p: len(encoded[p]))
        for g in range(group_size)
    ]
    longest = max(map(len, encoded))
    most = _rows_at_once(
        policy, sampling.max_tokens + (-(-longest // group_size) if policy.shares else longest)
    )
    with thin_products(policy.model), policy.precision():
        for start in range(0, len(rows), most):
            _sample_rows(policy, encoded, rows[start : start + most], sampling, noise, replies)
    rows.sort(key=lambda row: (row.prompt, row.member))
    completions = [row.completion(policy, takes_turns=replies is not None) for row in rows]
    return [tuple(completions[p * group_size : (p + 1) * group_size]) for p in range(len(prompts))]


def _refuse_other_states(policy: Policy) -> None:
    """Raises if a layer keeps another state than keys and values, which left padding would corrupt.

    Raises:
        ModelError: Naming the layers.
    """
    config = policy.model.config
    others = {
        type(layer).__name__
        for layer in DynamicCache(config=config).layers
        if not isinstance(layer, DynamicLayer)
    }
    if others or not getattr(config, "num_attention_heads", None):
        raise ModelError(
            "Completions are sampled with a cache of keys and values, and this model has layers "
            "that keep another state",
            value=f"{type(policy.model).__name__}: {', '.join(sorted(others)) or 'no attention'}",
            allowed="models whose layers all attend",
            do="Take another model",
        )


def row_bytes(config: PretrainedConfig, number_bytes: int, length: int, vocabulary: int) -> int:
    """Keys and values of a row of this length, and the numbers of one choice among the
    vocabulary.
    """
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2 * int(config.num_hidden_layers * heads * width) * number_bytes * length + (
        24 * vocabulary
    )


def _cache_bytes(policy: Policy) -> int:
    """Memory for the keys and values of one batch of rows."""
    if policy.device.type != "cpu":
        return int(FREE_SHARE * free_bytes(policy.device))
    weights = sum(weight.numel() * weight.element_size() for weight in policy.model.parameters())
    return max(CACHE_BYTES, int(weights) // 2)


def _rows_at_once(policy: Policy, length: int) -> int:
    """Rows that fit; on an accelerator a power of two, so that a little more or less free memory
    changes nothing.
    """
    number_bytes = int(policy.model.dtype.itemsize)
    each = row_bytes(policy.model.config, number_bytes, length, policy.vocabulary_size)
    rows: int = int(np.clip(_cache_bytes(policy) // each, 1, MOST_ROWS))
    return rows if policy.device.type == "cpu" else 1 << (rows.bit_length() - 1)


@torch.inference_mode()
def _sample_rows(
    policy: Policy,
    encoded: list[tuple[int, ...]],
    rows: list[Row],
    sampling: Sampling,
    noise: list[np.ndarray],
    replies: Replies | None,
) -> None:
    """Fills the rows: one prefill of their distinct prompts, then in each step one token, chosen or
    read from an answer, per unfinished row.
    """
    device = policy.device
    prompts = list(dict.fromkeys(row.prompt for row in rows))
    width = max(len(encoded[p]) for p in prompts)
    pad = [
        width - len(encoded[p]) for p in prompts
    ]  # on the left, so that all rows end at one column
    ids = torch.tensor(
        [[0] * n + list(encoded[p]) for n, p in zip(pad, prompts, strict=True)], device=device
    )
    seen = torch.tensor(
        [[0] * n + [1] * len(encoded[p]) for n, p in zip(pad, prompts, strict=True)], device=device
    )
    states, cache = prefill(policy.model, ids, seen)
    logits = _logits(policy, states, ids, seen)
    owner = torch.tensor([prompts.index(row.prompt) for row in rows], device=device)
    plan = mask = None
    if policy.shares:
        plan = Sharing.begin(cache, seen, owner, sampling.max_tokens)
    else:
        cache.batch_select_indices(owner)
        mask = seen[owner]
    logits = logits[owner]
    position = torch.tensor([len(encoded[row.prompt]) for row in rows], device=device)
    # the choice is made in float64, which MPS does not have
    choosing = torch.device("cpu") if device.type == "mps" else device
    live = list(rows)
    alive = [True] * len(rows)
    for step in range(sampling.max_tokens):
        uniform = torch.tensor(
            [noise[row.prompt][row.member, step] for row in live],
            dtype=torch.float64,
            device=choosing,
        )
        token, logprob = pick(logits.to(choosing), uniform, sampling)
        token = token.to(device)
        for index, (t, lp) in enumerate(zip(token.tolist(), logprob.tolist(), strict=True)):
            if not alive[index]:
                continue
            if live[index].heard:
                token[index] = live[index].hear()
            else:
                alive[index] = not _append(policy, live[index], t, lp, sampling, replies)
        num_alive = sum(alive)
        if num_alive == 0 or step == sampling.max_tokens - 1:
            return
        if num_alive <= DROP_AT * len(live):
            live = list(compress(live, alive))
            keep = torch.tensor(alive, device=device).nonzero().squeeze(1)
            if plan is not None:
                plan.keep(keep)
            if mask is not None:
                cache.batch_select_indices(keep)
                mask = mask[keep]
            token, position = token[keep], position[keep]
            alive = [True] * len(live)
        if mask is not None:
            mask = torch.cat([mask, mask.new_ones(len(live), 1)], dim=1)
        with attending(policy.model, plan):
            output = policy.model(
                input_ids=token[:, None],
                attention_mask=mask,
                position_ids=position[:, None],
                past_key_values=cache,
                use_cache=True,
            )
        logits, position = output.logits[:, -1].float(), position + 1


def _logits(policy: Policy, states: Tensor, ids: Tensor, seen: Tensor) -> Tensor:
    """Logits after the prompt, by the whole model if its head is more than a product."""
    if policy.head is not None:
        return policy.logits(states)
    position = (seen.cumsum(1) - 1).clamp(min=0)
    logits: Tensor = (
        policy.model(input_ids=ids, attention_mask=seen, position_ids=position)
        .logits[:, -1]
        .float()
    )
    return logits


def _append(
    policy: Policy,
    row: Row,
    token: int,
    logprob: float,
    sampling: Sampling,
    replies: Replies | None,
) -> bool:
    """Whether the row has ended, after adding a token that it chose."""
    row.choose(token, logprob)
    if token in policy.end_ids:
        ending = Ending.END_TOKEN
    elif sampling.stop and row.stops(policy, sampling.stop):
        ending = Ending.STOP_TEXT
    elif replies is not None and len(row.token_ids) - row.begun == sampling.turn_tokens:
        ending = Ending.LENGTH
    else:
        return False
    if replies is None:
        row.ending = ending
        return True
    return row.answered(policy, replies)


def pick(logits: Tensor, uniform: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """The token at which the cumulative distribution passes the uniform, and its logprob in nats
    before any cut.

    The sum runs in float64: in float32 a vocabulary of 50,000 leaves gaps of about 1e-6 that no
    uniform could reach fairly.

    Args:
        logits: (rows, V).
        uniform: (rows,) in [0, 1).
        sampling: Temperature and cut; at temperature 0 the likeliest token, and logprobs at
            temperature 1.
    """
    temperature = sampling.temperature or 1.0
    logprob = torch.log_softmax(logits if temperature == 1.0 else logits / temperature, dim=-1)
    if sampling.temperature == 0:
        token = logprob.argmax(dim=-1)
    else:
        mass = logprob.double().exp()
        if sampling.top_p < 1:
            ordered, index = mass.sort(dim=-1, descending=True)
            outside = ordered.cumsum(-1) - ordered >= sampling.top_p
            mass = mass.masked_fill(torch.zeros_like(outside).scatter(-1, index, outside), 0.0)
        cumulative = mass.cumsum(-1)
        token = torch.searchsorted(
            cumulative, (uniform * cumulative[:, -1])[:, None], right=True
        ).squeeze(1)
        token = token.clamp(max=logits.shape[-1] - 1)
    return token, logprob.gather(-1, token[:, None]).squeeze(1)
