"""Groups of completions as tensors."""

from collections.abc import Sequence

import torch

from rewardscope.policy.policy import Policy
from rewardscope.tensors import Batch
from rewardscope.types import Rollout


def pack(policy: Policy, rollouts: Sequence[Rollout], temperature: float) -> Batch:
    """The rollouts' tokens as tensors."""
    completions = [completion for rollout in rollouts for completion in rollout.completions]
    width = max(len(c.token_ids) for c in completions)
    token_NT = torch.zeros(len(completions), width, dtype=torch.long)
    mask_NT = torch.zeros(len(completions), width, dtype=torch.bool)
    logprob_NT = torch.zeros(len(completions), width)
    for n, completion in enumerate(completions):
        length = len(completion.token_ids)
        token_NT[n, :length] = torch.tensor(completion.token_ids)
        mask_NT[n, :length] = True
        logprob_NT[n, :length] = torch.tensor(completion.logprobs)
    return Batch(
        prompt_ids=tuple(policy.encode(rollout.problem.prompt) for rollout in rollouts),
        token_NT=token_NT,
        mask_NT=mask_NT,
        sampler_logprob_NT=logprob_NT,
        group_size=len(rollouts[0].completions),
        temperature=temperature,
    )
