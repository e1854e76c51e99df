"""Groups of completions as tensors."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from rewardscope.policy.policy import Policy
from rewardscope.tensors import Batch
from rewardscope.types import Rollout


def pack(policy: Policy, rollouts: Sequence[Rollout], temperature: float) -> Batch:
    """The rollouts' tokens as tensors: those the policy chose, and those it read between turns."""
    completions = [completion for rollout in rollouts for completion in rollout.completions]
    positions_N = [completion.places for completion in completions]
    width = max(map(len, positions_N))

    def table(rows: Iterable[list[int] | list[float]], dtype: torch.dtype) -> Tensor:
        return torch.tensor(
            [row + [0] * (width - len(row)) for row in rows], dtype=dtype
        )  # one tensor, not one for each completion

    token_NT = table(
        (
            [c.token_ids[at] for at in positions]
            for c, positions in zip(completions, positions_N, strict=True)
        ),
        torch.long,
    )
    logprob_NT = table(
        (
            [c.logprobs[at] for at in positions]
            for c, positions in zip(completions, positions_N, strict=True)
        ),
        torch.float32,
    )
    mask_NT = table(([1] * len(positions) for positions in positions_N), torch.bool)
    takes_turns = any(completion.chosen is not None for completion in completions)
    return Batch(
        prompt_ids=tuple(policy.encode(rollout.prompt) for rollout in rollouts),
        token_NT=token_NT,
        mask_NT=mask_NT,
        sampler_logprob_NT=logprob_NT,
        group_size=len(rollouts[0].completions),
        temperature=temperature,
        exact=policy.exact,
        read_ids=tuple(completion.token_ids for completion in completions) if takes_turns else None,
        place_NT=table(map(list, positions_N), torch.long) if takes_turns else None,
    )
