"""How the gain was made, and whether what was gained was found or made."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from rewardscope.report.answer.contrasts import Contrast
from rewardscope.report.answer.means import (
    mean,
    seeds_text,
    treatments_of,
    untrained,
)
from rewardscope.report.answer.notes import Cite, Name, Notes, Piece, Said, said
from rewardscope.report.rows import Arm, Run
from rewardscope.report.summaries import moves
from rewardscope.report.wording import number
from rewardscope.types import Outcome

MOST_OF_IT = 2 / 3
"""Share of the gain that the named moves make up."""
MOST_MOVES = 3
MOST_ARMS = 3
"""Arms that a part of the answer names; the rest are counted."""
CEILING = 0.99
"""Untrained pass@k from which on nothing new could show."""


def named_arms(run: Run, contrasts: Sequence[Contrast]) -> tuple[list[Arm], int]:
    """The arms that the answer is about: those of the supported contrasts, else all treatments;
    and how many were left out.
    """
    chosen = [
        c.verdict.claim.treatment for c in contrasts if c.verdict.outcome is Outcome.SUPPORTED
    ]
    arms = [arm for arm in run.arms if arm.name in chosen]
    arms = arms or [arm for start in run.starts for arm in treatments_of(run, start)]
    return arms[:MOST_ARMS], max(0, len(arms) - MOST_ARMS)


def how(run: Run, contrasts: Sequence[Contrast], notes: Notes) -> list[Said]:
    """The largest moves between behaviours that together make two thirds of an arm's gain. An arm
    whose gain is not decided, or is not above 0, has no such sentence.
    """
    arms, left = named_arms(run, contrasts)
    sentences = [sentence for arm in arms if (sentence := _moves(run, arm, notes))]
    if sentences and left:
        sentences.append(said(f"{left} more arms are in the section on formats."))
    return sentences


def _moves(run: Run, arm: Arm, notes: Notes) -> Said | None:
    lines = [line for line in moves(run, arm.start) if line["by"] == "strategy"]
    gains = [(line["cells"][arm.name]["gain"], line) for line in lines if arm.name in line["cells"]]
    if not gains or any(gain is None for gain, _ in gains) or not _rose(run, arm):
        return None
    largest = sorted(gains, key=lambda pair: -pair[0])
    named: list[tuple[float, dict[str, Any]]] = []
    while len(named) < len(largest) and sum(gain for gain, _ in named) < MOST_OF_IT:
        named.append(largest[len(named)])
    where: list[Piece] = ["In ", Name(_place(run, arm)), ", "]
    cite = notes.letter("behaviour/move_change", f"by strategy, {seeds_text(arm)}", "formats")
    if len(named) > MOST_MOVES or sum(gain for gain, _ in named) < MOST_OF_IT:
        return said(*where, "no few moves make up the gain", cite, ".")
    parts: list[Piece] = []
    for place, (gain, line) in enumerate(named):
        join = "" if place == 0 else " and " if place == len(named) - 1 else ", "
        parts += [
            join,
            f"{gain:.0%} of the gain is ".replace("%", " %")
            if place == 0
            else f"{gain:.0%} ".replace("%", " %"),
            *_move(run, arm, line),
        ]
    return said(*where, *parts, cite, ".")


def _rose(run: Run, arm: Arm) -> bool:
    """Whether the gain lies above 0 in every seed."""
    frame = run.metric("behaviour/gain").filter(pl.col("arm") == arm.name)
    lower = frame["lower"].to_list()
    return bool(lower) and all(low is not None and low > 0 for low in lower)


def _place(run: Run, arm: Arm) -> str:
    """What tells the arm apart: its start, where that has one treatment, else its name."""
    return arm.start if len(treatments_of(run, arm.start)) == 1 else arm.name


def _move(run: Run, arm: Arm, line: dict[str, Any]) -> list[Piece]:
    before, after = line["before"], line["after"]
    if before != after:
        return [Name(before), " turning into ", Name(after)]
    labels = {"strategy": before}
    was = untrained(run, arm, "behaviour/strategy_accuracy", labels)
    now = mean(run.values(arm.name, "behaviour/strategy_accuracy", labels))
    known = (
        f", right {was:.2f} → {now:.2f} of the time" if was is not None and now is not None else ""
    )
    return ["getting better at ", Name(before), known]


def found_or_made(run: Run, contrasts: Sequence[Contrast], notes: Notes) -> list[Said]:
    """Whether trained solutions lay within the untrained policy's reach, per arm; with the ceiling
    where the untrained policy solves nearly all problems within the largest k.
    """
    arms, _ = named_arms(run, contrasts)
    at_ceiling = [arm for arm in arms if (top := largest_pass(run, arm)) and top[1] >= CEILING]
    sentences: list[Said] = []
    if at_ceiling:
        sentences.append(_ceiling(run, at_ceiling, notes))
    for arm in arms:
        shares = _created(run, arm)
        if arm in at_ceiling or shares is None:
            continue
        created, reached = shares
        cite = notes.letter("novelty/created_share", f"strategy any, {seeds_text(arm)}", "novelty")
        kept = f", {reached:.0%} within it".replace("%", " %") if reached is not None else ""
        share = f"{created:.0%}".replace("%", " %")
        sentences.append(
            said(
                f"{share} of the problems judged in ",
                Name(_place(run, arm)),
                f" were solved in a way beyond the untrained policy's reach{kept}",
                cite,
                ".",
            )
        )
    return sentences


def _created(run: Run, arm: Arm) -> tuple[float, float | None] | None:
    labels = {"strategy": "any"}
    created = mean(run.values(arm.name, "novelty/created_share", labels))
    reached = mean(run.values(arm.name, "novelty/reached_share", labels))
    return None if created is None else (created, reached)


def _ceiling(run: Run, arms: Sequence[Arm], notes: Notes) -> Said:
    tops = [top for arm in arms if (top := largest_pass(run, arm))]
    k, worst = tops[0][0], min(value for _, value in tops)
    share = "all" if worst == 1 else f"at least {worst:.1%}".replace("%", " %")
    bases = list(dict.fromkeys(arm.base for arm in arms))
    one = len(bases) == 1
    who = "untrained policy solves" if one else "untrained policies solve"
    cite: Cite | None = _claim_on(run, k) or notes.letter(
        "boundary/pass_at_k", f"k {k}, {', '.join(bases)}", "boundary"
    )
    created = [shares[0] for arm in arms if (shares := _created(run, arm)) is not None]
    tail: list[Piece] = ["; nothing new could show here"]
    if created and max(created) == 0:
        of = "; ".join(seeds_text(arm) for arm in arms)
        note = notes.letter("novelty/created_share", f"strategy any, {of}", "novelty")
        tail = ["; no solution of the trained ones was out of their reach", note]
    return said(f"The {who} {share} of the problems within {k} tries", cite, *tail, ".")


def _claim_on(run: Run, k: int) -> Cite | None:
    """A claim that compares a treatment with its untrained policy at this k."""
    for index, verdict in enumerate(run.verdicts):
        claim = verdict.claim
        here = claim.metric == "boundary/pass_at_k" and claim.labels.get("k") == str(k)
        if here and claim.control == "base" and verdict.control_mean is not None:
            return Cite(str(index + 1), f"verdict-{index + 1}", verdict.outcome)
    return None


def largest_pass(run: Run, arm: Arm) -> tuple[int, float] | None:
    """The largest k and pass@k there, of the arm's untrained policy."""
    rows = run.metric("boundary/pass_at_k").filter(
        (pl.col("arm") == arm.base) & pl.col("value").is_not_null() & pl.col("k").is_not_null()
    )
    pairs = [(int(k), value) for k, value in rows.select("k", "value").iter_rows() if k.isdecimal()]
    return max(pairs, default=None)


def starting_accuracy(run: Run, arm: Arm) -> str:
    """Untrained and trained first-try accuracy, in words; empty where one is unknown."""
    labels = {"k": "1"}
    was = untrained(run, arm, "boundary/pass_at_k", labels)
    now = mean(run.values(arm.name, "boundary/pass_at_k", labels))
    return "" if was is None or now is None else f"{number(was)} → {number(now)}"
