"""Groups of completions as tensors."""

from collections.abc import Sequence

import torch

from rewardscope.policy.policy import Policy
from rewardscope.tensors import Batch
from rewardscope.types import Rollout


def pack(policy: Policy, rollouts: Sequence[Rollout], temperature: float) -> Batch:
    """The rollouts' tokens as tensors: those that the policy chose, and between turns what it read."""
    completions = [completion for rollout in rollouts for completion in rollout.completions]
    width = max(c.length for c in completions)
    token_NT = torch.zeros(len(completions), width, dtype=torch.long)
    mask_NT = torch.zeros(len(completions), width, dtype=torch.bool)
    logprob_NT = torch.zeros(len(completions), width)
    place_NT = torch.zeros(len(completions), width, dtype=torch.long)
    for n, completion in enumerate(completions):
        place = torch.tensor(completion.places, dtype=torch.long)
        length = len(place)
        token_NT[n, :length] = torch.tensor(completion.token_ids)[place]
        mask_NT[n, :length] = True
        logprob_NT[n, :length] = torch.tensor(completion.logprobs)[place]
        place_NT[n, :length] = place
    takes_turns = any(completion.chosen is not None for completion in completions)
    return Batch(
        prompt_ids=tuple(policy.encode(rollout.prompt) for rollout in rollouts),
        token_NT=token_NT,
        mask_NT=mask_NT,
        sampler_logprob_NT=logprob_NT,
        group_size=len(rollouts[0].completions),
        temperature=temperature,
        read_ids=tuple(completion.token_ids for completion in completions) if takes_turns else None,
        place_NT=place_NT if takes_turns else None,
    )
