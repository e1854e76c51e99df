"""What Behaviour and Losses say of an organism whose pretraining we made."""

from collections.abc import Iterator

from checks import POLICY, Check, subject

from rewardscope import Chain, Sampling
from rewardscope.organisms import card
from rewardscope.probes import Behaviour, Losses
from rewardscope.training import roll_out


def organisms() -> Iterator[Check]:
    """Shares that pretraining planted, and a policy beside its own copy."""
    problems = [Chain().problem("heldout", index) for index in range(128)]
    rollouts = roll_out(POLICY, Chain(), problems, 64, Sampling(max_tokens=24), 0, [("validation", p.id) for p in problems])
    rows = {(r.metric, r.labels.get("strategy")): r.value for r in Behaviour().measure(subject(rollouts)) if "problem" not in r.labels}
    for strategy, planted in card("formats-planted")["planted"].items():
        found = (rows["behaviour/strategy_share", strategy] or 0.0) - planted
        yield Check(
            "Behaviour", "sensitivity", f"share of {strategy} in an organism, less what was planted", found, -0.05, 0.05, "128 x 64"
        )
    itself = subject(rollouts, base_rollouts=tuple(rollouts), base_policy=POLICY.clone())
    apart = {r.metric: r.value for r in Losses(texts=("3+4*2-9?",)).measure(itself)}
    worst = max(abs(apart[f"losses/{name}"] or 0.0) for name in ("kl_to_base", "kl_from_base", "text_kl"))
    yield Check("Losses", "null", "KL of a policy to its own copy", worst, 0.0, 0.0, "128 problems x 16")
