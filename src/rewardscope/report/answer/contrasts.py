"""Which comparisons answer the question: treatment against placebo on the main metric."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rewardscope.codec import KIND
from rewardscope.report.rows import Arm
from rewardscope.report.wording import metric_text
from rewardscope.types import Claim, Verdict

FIRST_TRY = ("boundary/pass_at_k", (("k", "1"),))
REWARD_TEXT = {"Truth": "true rewards", "Coin": "coin flips"}
"""How a reward is called where all arms of a role have it."""
Metric = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Contrast:
    """One verdict on a treatment against its placebo."""

    index: int
    """Of the claim, counted from 0."""
    verdict: Verdict
    start: str


def metric_of(claim: Claim) -> Metric:
    """The metric with its labels."""
    return claim.metric, tuple(sorted(claim.labels.items()))


def metric_name(claim: Claim) -> str:
    """The metric as it is called in a sentence."""
    return "first-try accuracy" if metric_of(claim) == FIRST_TRY else metric_text(claim)


def main_contrasts(verdicts: Sequence[Verdict], arms: Sequence[Arm]) -> list[Contrast]:
    """Claims that a treatment exceeds its placebo (or stays below it) on the metric that most such
    claims are about; at equal numbers, the one that came first.
    """
    by_name = {arm.name: arm for arm in arms}
    found = []
    for index, verdict in enumerate(verdicts):
        claim = verdict.claim
        treatment, control = by_name.get(claim.treatment), by_name.get(claim.control)
        against = treatment and control and control.placebo and not treatment.placebo
        if treatment and against and claim.expects != "same":
            found.append(Contrast(index, verdict, treatment.start))
    counts = Counter(metric_of(contrast.verdict.claim) for contrast in found)
    if not counts:
        return []
    main = max(counts, key=lambda metric: counts[metric])  # the first of equals: dicts keep order
    return [contrast for contrast in found if metric_of(contrast.verdict.claim) == main]


def reward_name(names: Sequence[str], arms: Sequence[Arm]) -> str | None:
    """How the reward of all these arms is called; None unless they share one that has a name."""
    kinds = {_kind(arm.config) for arm in arms if arm.name in names}
    return REWARD_TEXT.get(kinds.pop()) if len(kinds) == 1 else None


def _kind(config: Mapping[str, object]) -> str:
    reward = config.get("reward")
    return str(reward.get(KIND)) if isinstance(reward, Mapping) else ""
