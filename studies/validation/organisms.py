"""What Losses says of an organism beside its own copy."""

from collections.abc import Iterator

from checks import POLICY, Check, evidence

from rewardscope import Chain, Sampling
from rewardscope.probes.losses import Losses
from rewardscope.training import roll_out


def organisms() -> Iterator[Check]:
    """A policy beside its own copy."""
    problems = [Chain().problem("heldout", index) for index in range(128)]
    rollouts = roll_out(
        POLICY,
        Chain(),
        problems,
        64,
        Sampling(max_tokens=24),
        0,
        [("validation", p.id) for p in problems],
    )
    itself = evidence(rollouts, base_rollouts=tuple(rollouts), base_policy=POLICY.clone())
    apart = {r.metric: r.value for r in Losses(texts=("3+4*2-9?",)).measure(itself)}
    worst = max(
        abs(apart[f"losses/{name}"] or 0.0) for name in ("kl_to_base", "kl_from_base", "text_kl")
    )
    yield Check(
        "Losses", "null", "KL of a policy to its own copy", worst, 0.0, 0.0, "128 problems x 16"
    )
