"""What a study cannot decide, whatever comes out: known before its first cell is begun."""

from rewardscope.stats import fewest_problems, unseen_share
from rewardscope.stats.contrast import ENOUGH_SEEDS
from rewardscope.study.study import Study
from rewardscope.types import Claim

SHARES = (
    "boundary/pass_at_k",
    "boundary/pass_at_k_strict",
    "boundary/vote_at_k",
    "behaviour/strategy_share",
    "experience/with_block",
    "experience/without_block",
    "experience/swapped_block",
)
"""Metrics that are a mean over problems between 0 and 1."""


def impossible(claim: Claim, num_problems: int) -> bool:
    """Whether no outcome supports the claim: it says that a share is the same up to a margin, and
    where all of so many problems are alike, more than the margin may still have moved unseen.

    >>> same = {"treatment": "a", "control": "b", "metric": SHARES[0], "expects": "same"}
    >>> impossible(Claim(sentence="", margin=0.02, **same), 64)
    True
    >>> impossible(Claim(sentence="", margin=0.02, **same), 183)
    False
    """
    asks = claim.expects == "same" and claim.metric in SHARES
    return asks and unseen_share(num_problems) >= claim.margin


def design_notes(study: Study) -> list[str]:
    """What the study cannot decide, a sentence each."""
    problems, seeds = study.evaluation.problems, len(study.seeds)
    notes = [
        f"The claim '{claim.sentence}' cannot be supported by this study: {problems} held-out "
        f"problems never show less than ±{unseen_share(problems):.3f}, and its margin is "
        f"{claim.margin:g}. {fewest_problems(claim.margin)} problems could"
        for claim in study.claims
        if impossible(claim, problems)
    ]
    if study.claims and seeds == 1:
        notes.append("With one seed no claim is decided: it says nothing about other seeds")
    elif study.claims and seeds < ENOUGH_SEEDS:
        notes.append(
            f"{seeds} seeds may be too few to decide: from {ENOUGH_SEEDS} on, intervals come from "
            "an analysis of variance, and in the tour they are half as wide as with 3"
        )
    return notes
