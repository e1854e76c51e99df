"""What a family's layers can do, found by trying it on a few tokens: a trial computes the same in
two ways.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rewardscope.policy.attention import Blocks, attending, block_mask
from rewardscope.policy.decoding import Sharing, prefill
from rewardscope.policy.lean import lean

if TYPE_CHECKING:  # the policy's module imports this one
    from rewardscope.policy.policy import Policy


def packed(policy: "Policy", *, in_blocks: bool) -> tuple[Tensor, Tensor]:
    """Two completions of two tokens, in one row behind their prompt and each alone."""
    row = torch.linspace(0, policy.vocabulary_size - 1, 6, device=policy.device).long()[None]
    alone = torch.cat([row[:, :4], row[:, [0, 1, 4, 5]]])
    segment = torch.tensor([[0, 0, 1, 1, 2, 2]], device=policy.device)
    blocks, mask = (
        (Blocks.of(segment), None) if in_blocks else (None, block_mask(segment, policy.model.dtype))
    )
    position = torch.tensor([[0, 1, 2, 3, 2, 3]], device=policy.device)
    with attending(policy.model, blocks):
        packed = policy.hidden(input_ids=row, position_ids=position, attention_mask=mask)
    plain = policy.hidden(
        input_ids=alone, position_ids=position[:, :4].expand(2, 4), attention_mask=None
    )
    return packed[0, 2:], plain[:, 2:].flatten(0, 1)


def leaning(policy: "Policy") -> tuple[Tensor, Tensor]:
    """Eight tokens, read both ways."""
    ids = torch.linspace(0, policy.vocabulary_size - 1, 8, device=policy.device).long()[None]
    with lean(policy.model):
        less = policy.hidden(input_ids=ids)
    return less, policy.hidden(input_ids=ids)


def sharing(policy: "Policy") -> tuple[Tensor, Tensor]:
    """Three completions of two prompts, of which one is padded, token by token and each alone: the
    logits behind their second token.
    """
    ids = torch.linspace(0, policy.vocabulary_size - 1, 12, device=policy.device).long()
    prompts, said, owner = (
        ids[:6].view(2, 3),
        ids[6:].view(3, 2),
        torch.tensor([0, 0, 1], device=policy.device),
    )
    seen = torch.tensor([[1, 1, 1], [0, 1, 1]], device=policy.device)
    _, cache = prefill(policy.model, prompts, seen)
    plan, position = Sharing.begin(cache, seen, owner, 2), seen.sum(dim=1)[owner, None]
    for step in range(2):
        with attending(policy.model, plan):
            together = policy.model(
                input_ids=said[:, step : step + 1],
                position_ids=position + step,
                past_key_values=cache,
                use_cache=True,
            ).logits[:, -1]
    whole = [
        torch.cat([prompts[owner[n]][3 - int(seen[owner[n]].sum()) :], said[n]])[None]
        for n in range(3)
    ]
    return together, torch.cat(
        [policy.model(input_ids=row, use_cache=False).logits[:, -1] for row in whole]
    )
