"""The distance of a sampler's logprobs from the policy's own."""

from rewardscope.protocols import Trainable
from rewardscope.tensors import Batch


def sampler_gap(policy: Trainable, batch: Batch) -> float:
    """Nats: mean over chosen tokens of |log sampler - log policy|; 0 of a batch without tokens.

    The two differ if the sampler uses another number format or older weights.
    """
    apart_NT = (batch.sampler_logprob_NT - policy.score(batch).logprob_NT).abs() * batch.mask_NT
    return float(apart_NT.sum() / batch.mask_NT.sum().clamp(min=1))
