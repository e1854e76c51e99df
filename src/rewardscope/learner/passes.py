"""How many tokens go into one forward and backward pass."""

from rewardscope.policy.policy import Policy

PASS_TOKENS = 4096
"""Most tokens in one forward and backward pass. It bounds memory and does not change results: token
weights come from the whole minibatch.
"""
PASS_BYTES = 3 << 29
"""Bytes of activations a pass may keep for its backward pass on a CPU, counted as 16 numbers of the
model's width per layer and token. A Llama's layers keep 12.
"""


def pass_tokens(policy: Policy, most: int | None = None) -> int:
    """Tokens that a forward and backward pass may read: ``most``, or else as many as fit."""
    if most is not None:
        return most
    if policy.device.type != "cpu":
        return PASS_TOKENS
    token_bytes = (
        16 * 4 * int(policy.model.config.num_hidden_layers) * int(policy.model.config.hidden_size)
    )
    return max(1, min(PASS_TOKENS, PASS_BYTES // token_bytes))
