"""A policy's scores of given tokens: logprob and entropy, without a full (tokens x vocabulary)
matrix.
"""

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rewardscope.policy.head import HeadScores, plain_head
from rewardscope.policy.packing import Layout, Rows, arrange, choose_layout, read
from rewardscope.policy.policy import Policy
from rewardscope.tensors import Batch, TokenScores

PASS_TOKENS = 16_384
"""Most tokens in one forward pass. It bounds memory and does not change results."""
LOGIT_NUMBERS = 1 << 25
"""Logits held at once (128 MiB of float32) for heads that are more than one matrix; longer lists go
in chunks that the backward pass computes again.
"""


def _scores_of_chunk(
    policy: Policy, hidden_MD: Tensor, token_M: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    logprob_MV = torch.log_softmax(policy.logits(hidden_MD) / temperature, dim=-1)
    with torch.no_grad():
        entropy_M = -(logprob_MV.exp() * logprob_MV).sum(-1)
    return logprob_MV.gather(-1, token_M[:, None]).squeeze(1), entropy_M


def score_rows(policy: Policy, rows: Rows, batch: Batch) -> tuple[Tensor, Tensor]:
    """Logprob and entropy (M,) of the sampled tokens of ``rows.members``, in (n, t) order; logprob
    carries the gradient.

    logprob = log softmax(logits / temperature)[token]; entropy = -sum p log p, detached. Both in
    nats.
    """
    members = torch.tensor(rows.members)
    token_M = batch.token_NT[members][batch.mask_NT[members]].to(policy.device)
    temperature = batch.temperature or 1.0
    with policy.precision():
        hidden_RSD = read(policy, rows)
        hidden_MD = hidden_RSD[rows.row_M, rows.column_M]
        head = plain_head(policy.head)
        if head is not None:
            logprob_M, entropy_M = HeadScores.apply(hidden_MD, head.weight, token_M, temperature)  # type: ignore[no-untyped-call]
            return logprob_M, entropy_M
        chunk = max(1, LOGIT_NUMBERS // policy.vocabulary_size)
        if len(token_M) <= chunk:
            return _scores_of_chunk(policy, hidden_MD, token_M, temperature)
        parts = [
            checkpoint(
                _scores_of_chunk,
                policy,
                hidden_MD[i : i + chunk],
                token_M[i : i + chunk],
                temperature,
                use_reentrant=False,
            )
            for i in range(0, len(token_M), chunk)
        ]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def distributions_of_rows(policy: Policy, rows: Rows, batch: Batch) -> Tensor:
    """Nats (M, V) of every token of the vocabulary at each sampled token of ``rows.members``, in
    (n, t) order; carries the gradient.
    """
    with policy.precision():
        hidden_RSD = read(policy, rows)
        logits_MV = policy.logits(hidden_RSD[rows.row_M, rows.column_M])
    return torch.log_softmax(logits_MV / (batch.temperature or 1.0), dim=-1)


def distribution_tokens(policy: Policy) -> int:
    """Tokens a pass may read where whole distributions are held, several copies of them at once."""
    return int(min(PASS_TOKENS, max(256, 2 * LOGIT_NUMBERS // policy.vocabulary_size)))


@torch.no_grad()
def likeliest(policy: Policy, batch: Batch, count: int) -> Tensor:
    """The ``count`` likeliest tokens (N, T, K) of the policy's distribution at each sampled token;
    0 off the mask.
    """
    kept_NTK = torch.zeros(*batch.mask_NT.shape, count, dtype=torch.long)
    for rows in arrange(
        batch, choose_layout(policy, batch), distribution_tokens(policy), policy.device
    ):
        cells = on_mask(batch, rows)
        kept_NTK[cells] = (
            distributions_of_rows(policy, rows, batch).topk(count, dim=-1).indices.cpu()
        )
    return kept_NTK


def on_mask(batch: Batch, rows: Rows) -> Tensor:
    """True (N, T) on the sampled tokens of the rows' members."""
    mask_NT = torch.zeros_like(batch.mask_NT)
    mask_NT[list(rows.members)] = batch.mask_NT[list(rows.members)]
    return mask_NT


@torch.no_grad()
def score(
    policy: Policy, batch: Batch, layout: Layout | None = None, most_tokens: int = PASS_TOKENS
) -> TokenScores:
    """Logprob and entropy of every sampled token of the batch, 0 off the mask.

    Args:
        policy: The scoring policy, which may differ from the sampling one.
        batch: The tokens.
        layout: Packed or plain; None = whichever costs less. Both give the same numbers up to float
            rounding.
        most_tokens: Of one forward pass.
    """
    logprob_NT = torch.zeros(batch.token_NT.shape)
    entropy_NT = torch.zeros(batch.token_NT.shape)
    for rows in arrange(batch, layout or choose_layout(policy, batch), most_tokens, policy.device):
        logprob_M, entropy_M = score_rows(policy, rows, batch)
        cells = on_mask(batch, rows)
        logprob_NT[cells] = logprob_M.cpu()
        entropy_NT[cells] = entropy_M.cpu()
    return TokenScores(logprob_NT, entropy_NT)


@torch.no_grad()
def token_states(policy: Policy, batch: Batch) -> Tensor:
    """Last hidden state (M, D) from which each sampled token was predicted, over all M tokens in
    (n, t) order; detached.
    """
    length_N = batch.mask_NT.sum(dim=1)
    start_N = torch.cat([length_N.new_zeros(1), length_N.cumsum(0)[:-1]])
    states: Tensor | None = None
    for rows in arrange(batch, choose_layout(policy, batch), PASS_TOKENS, policy.device):
        with policy.precision():
            state_RSD = read(policy, rows, states=True)
        if states is None:
            states = state_RSD.new_zeros(
                int(length_N.sum()), state_RSD.shape[-1], dtype=torch.float32
            )
        token_M = torch.cat(
            [torch.arange(int(start_N[n]), int(start_N[n] + length_N[n])) for n in rows.members]
        )
        states[token_M.to(states.device)] = state_RSD[rows.row_M, rows.column_M].float()
    assert states is not None
    return states
