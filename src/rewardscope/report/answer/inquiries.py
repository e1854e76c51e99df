"""The next inquiring lines: what would decide what this run left open, as changes to its study.

Each line carries the change that makes its study: `rewardscope next RUN N` writes the file.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rewardscope.codec import KIND
from rewardscope.report.answer.how import CEILING, largest_pass
from rewardscope.report.answer.limits import Open, Why, open_claims
from rewardscope.report.answer.means import placebos_of, treatments_of
from rewardscope.report.answer.notes import Name, Piece, Said, claim_cite, said
from rewardscope.report.rows import Arm, Run
from rewardscope.stats import Estimate, smallest_visible, unseen_share

MOST_LINES = 3
"""Numbers of seeds that are proposed, the smallest first."""
MOST_SEEDS = 50
"""Above this, more seeds are no answer and none are proposed."""
MOST_PROBLEMS = 100_000
POWERED = smallest_visible(Estimate(0.0, -1.0, 1.0, ""), 0.0) or math.inf
"""Half widths that a difference must lie from a boundary to be called with 80 % power."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One line, with the change to the study that follows it."""

    line: Said
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the study: ``seeds``, ``problems``."""
    arms: tuple[Mapping[str, Any], ...] = ()
    """Arms to add, as study.json encodes them."""
    harder: tuple[tuple[str, str, int], ...] = ()
    """Start, field of its environment, and the field's new value."""


def inquiries(run: Run) -> list[Inquiry]:
    """The lines that follow from the run, those about its claims first."""
    found = open_claims(run.verdicts)
    lines = [*_more_seeds(run, found), *_more_problems(found), *_placebos(run), *_harder(run)]
    return [*lines, *_forms(run)]


def _more_seeds(run: Run, found: Sequence[Open]) -> list[Inquiry]:
    needed = [
        (count, entry)
        for entry in found
        if entry.why in (Why.SMALL, Why.NOISY) and (count := seeds_needed(entry)) is not None
    ]
    bare = [entry for entry in found if entry.why is Why.BARE and entry.verdict.num_seeds < 2]
    needed += [(5, entry) for entry in bare]
    by_count: dict[int, list[Open]] = {}
    for count, entry in needed:
        by_count.setdefault(count, []).append(entry)
    lines = []
    for count, entries in sorted(by_count.items())[:MOST_LINES]:
        cites = [claim_cite(entry.index, entry.verdict) for entry in entries]
        claims = "claim" if len(entries) == 1 else "claims"
        words = f"If the difference is as found, about {count} seeds decide the {claims}"
        if bare and entries == bare:
            words = f"An interval needs more than one seed; {count} give one to the {claims}"
        code = f"seeds=range({count})"
        lines.append(Inquiry(said(words, *cites, ".", code=code), {"seeds": tuple(range(count))}))
    return lines


def seeds_needed(entry: Open) -> int | None:
    """Seeds that would decide the claim with 80 % power: the interval, which shrinks with the root
    of their number, must leave the boundary nearest to the estimate. None where that takes more
    than ``MOST_SEEDS``.

    The estimate is taken as the truth, so this is what to try next and not a promise. Half widths
    that come from few problems do not shrink with seeds.
    """
    verdict, margin = entry.verdict, entry.verdict.claim.margin
    if verdict.lower is None or verdict.upper is None or verdict.estimate is None:
        return None
    half, expects = (verdict.upper - verdict.lower) / 2, verdict.claim.expects
    if expects == "same":
        distance = abs(abs(verdict.estimate) - margin)
    else:
        distance = abs(verdict.estimate - (margin if expects == "greater" else -margin))
    if distance <= 0 or half <= 0:
        return None
    count = math.ceil(verdict.num_seeds * (half * POWERED / distance) ** 2)
    return max(count, verdict.num_seeds + 1) if count <= MOST_SEEDS else None


def _more_problems(found: Sequence[Open]) -> list[Inquiry]:
    impossible = [entry for entry in found if entry.why is Why.IMPOSSIBLE]
    if not impossible:
        return []
    margin = min(entry.verdict.claim.margin for entry in impossible)
    count = problems_needed(margin)
    if count is None:
        return []
    cites = [claim_cite(entry.index, entry.verdict) for entry in impossible]
    code = f"Evaluation(problems={count})"
    words = f"{count} problems could show “no difference” to {margin:g}"
    return [Inquiry(said(words, *cites, ".", code=code), {"problems": count})]


def problems_needed(margin: float) -> int | None:
    """The smallest number of problems on which less than the margin can go unseen."""
    low, high = 1, MOST_PROBLEMS
    if unseen_share(high) >= margin:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if unseen_share(middle) < margin else (middle + 1, high)
    return low


def _placebos(run: Run) -> list[Inquiry]:
    lines = []
    for start in run.starts:
        treatments = treatments_of(run, start)
        if treatments and not placebos_of(run, start):
            new = _arm_with(treatments[0], {KIND: "Coin", "p": 0.5}, "coin")
            if new is not None:
                where: list[Piece] = [" in ", Name(start)] if len(run.starts) > 1 else []
                line = said(
                    "Would training without information do the same",
                    *where,
                    "? Add a placebo.",
                    code="Arm(..., reward=Coin(p=0.5))",
                )
                lines.append(Inquiry(line, arms=(new,)))
    return lines


def _forms(run: Run) -> list[Inquiry]:
    """An arm that pays for form alone, where an arm is paid for truth and none for form."""
    rewards = {_reward(arm) for arm in run.arms}
    truths = [arm for arm in run.arms if _reward(arm) == "Truth"]
    if not truths or "Form" in rewards:
        return []
    arms = tuple(new for arm in truths if (new := _arm_with(arm, {KIND: "Form"}, "form")))
    if not arms:
        return []
    line = said("Is form enough? Pay for form alone.", code="Arm(..., reward=Form())")
    return [Inquiry(line, arms=arms)]


def _reward(arm: Arm) -> str:
    reward = arm.config.get("reward")
    return str(reward.get(KIND)) if isinstance(reward, Mapping) else ""


def _arm_with(arm: Arm, reward: Mapping[str, Any], suffix: str) -> dict[str, Any] | None:
    if not isinstance(arm.config.get("reward"), Mapping):
        return None
    return {**arm.config, "name": f"{arm.name}-{suffix}", "reward": dict(reward)}


def _harder(run: Run) -> list[Inquiry]:
    """A harder world, where the untrained policies solve nearly everything and the world has a
    field for the length of its problems.
    """
    tops = [(arm, largest_pass(run, arm)) for arm in run.arms if not arm.placebo]
    if not tops or any(top is None or top[1] < CEILING for _, top in tops):
        return []
    harder = []
    for start in run.starts:
        world = next((arm.config.get("environment") for arm in run.arms_of(start)), None)
        if isinstance(world, Mapping) and isinstance(world.get("max_steps"), int):
            harder.append((start, "max_steps", world["max_steps"] + 2))
    if len(harder) < len(run.starts) or not harder:
        return []
    steps = max(value for _, _, value in harder)
    line = said(
        "Can the reward make what sampling cannot find? Ask what the untrained models do "
        "not solve.",
        code=f"max_steps={steps}",
    )
    return [Inquiry(line, harder=tuple(harder))]
