"""What the run cannot say: the undecided claims, by why they are undecided, and its scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rewardscope.report.answer.contrasts import metric_name
from rewardscope.report.answer.notes import Name, Piece, Said, claim_cite, said
from rewardscope.report.rows import Run
from rewardscope.report.wording import number, signed, span
from rewardscope.stats import unseen_share
from rewardscope.types import Claim, Outcome, Verdict

MOST_NAMED = 4
SENTENCE_LIMIT = 160
"""Characters of a claim that the answer quotes."""
SHARES = ("share", "share difference", "probability")


class Why(Enum):
    """Why a claim is undecided."""

    SMALL = "beyond 0, but not by the margin"
    NOISY = "the interval is too wide"
    IMPOSSIBLE = "no data could decide it with so few problems"
    BARE = "no interval"
    UNMEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Open:
    """A claim that is not decided, and why."""

    index: int
    verdict: Verdict
    why: Why


def open_claims(verdicts: Sequence[Verdict]) -> list[Open]:
    """The claims that are undecided or not run, in their order."""
    return [
        Open(index, verdict, why_open(verdict))
        for index, verdict in enumerate(verdicts)
        if verdict.outcome in (Outcome.UNDECIDED, Outcome.NOT_RUN)
    ]


def why_open(verdict: Verdict) -> Why:
    """Why the claim is undecided. It is impossible to decide where the claim says that a share is
    the same up to a margin, and the interval is as narrow as it can be on so many problems
    (:func:`rewardscope.stats.unseen_share`) and still wider than the margin.
    """
    if verdict.outcome is Outcome.NOT_RUN:
        return Why.UNMEASURED
    if verdict.lower is None or verdict.upper is None:
        return Why.BARE
    claim = verdict.claim
    if claim.expects == "same":
        half = (verdict.upper - verdict.lower) / 2
        count = verdict.num_problems if verdict.unit in SHARES else 0
        least = unseen_share(count) if count else 0.0
        if least >= claim.margin and half * 0.999 <= least:
            return Why.IMPOSSIBLE
        return Why.SMALL if verdict.lower > 0 or verdict.upper < 0 else Why.NOISY
    beyond = verdict.lower > 0 if claim.expects == "greater" else verdict.upper < 0
    return Why.SMALL if beyond else Why.NOISY


def limits(run: Run) -> list[Said]:
    """A sentence per undecided claim; those that are impossible to decide share one. The last
    sentence is the scope of the run.
    """
    found = open_claims(run.verdicts)
    single = [entry for entry in found if entry.why is not Why.IMPOSSIBLE]
    sentences = [_sentence(entry) for entry in single[:MOST_NAMED]]
    impossible = [entry for entry in found if entry.why is Why.IMPOSSIBLE]
    if impossible:
        sentences.append(_impossible(impossible))
    if len(single) > MOST_NAMED:
        left = single[MOST_NAMED:]
        cites = [claim_cite(entry.index, entry.verdict) for entry in left[:MOST_NAMED]]
        sentences.append(said(f"{len(left)} more claims are not decided", *cites, "."))
    return [*sentences, scope(run)]


def _sentence(entry: Open) -> Said:
    verdict, claim = entry.verdict, entry.verdict.claim
    cite = claim_cite(entry.index, verdict)
    where: list[Piece] = [f"Whether {quoted(claim)}"]
    interval = span(verdict.lower, verdict.upper)
    match entry.why:
        case Why.SMALL if claim.expects == "same":
            return said(
                *where,
                f": {metric_name(claim)} did change ({interval}), but perhaps by "
                f"less than {claim.margin:g}",
                cite,
                ".",
            )
        case Why.SMALL:
            side = "above" if claim.expects == "greater" else "below"
            bound = f"{'+' if claim.expects == 'greater' else '−'}{claim.margin:g}"
            return said(
                *where,
                f" holds by {claim.margin:g}: the difference is {side} 0 "
                f"({interval}), perhaps not {side} {bound}",
                cite,
                ".",
            )
        case Why.BARE:
            seeds = "one seed gives" if verdict.num_seeds == 1 else "these measurements give"
            return said(
                *where, f": {seeds} {signed(verdict.estimate)}, without an interval", cite, "."
            )
        case Why.UNMEASURED:
            reason = verdict.reason.rstrip(".") or "no reason was recorded"
            return said(*where, f": {reason}", cite, ".")
        case _:
            visible = number(verdict.smallest_visible)
            return said(
                *where,
                f": the difference may be {interval}; this run sees differences "
                f"of {visible} or more",
                cite,
                ".",
            )


def _impossible(entries: Sequence[Open]) -> Said:
    margins = list(dict.fromkeys(f"{entry.verdict.claim.margin:g}" for entry in entries))
    problems = min(entry.verdict.num_problems for entry in entries)
    cites = [claim_cite(entry.index, entry.verdict) for entry in entries]
    return said(
        f"“No difference” to {' or '.join(margins)}",
        *cites,
        f": {problems} problems can never show less than {number(unseen_share(problems))}.",
    )


def scope(run: Run) -> Said:
    """What was tried: starts, seeds, steps and problems. Nothing beyond it is shown."""
    starts = [Name(start) for start in run.starts]
    shown: list[Piece] = []
    for place, name in enumerate(starts[:3]):
        shown += ([", "] if place else []) + [name]
    more = f" and {len(starts) - 3} more" if len(starts) > 3 else ""
    seeds = len(run.study.get("seeds") or ())
    problems = (run.study.get("evaluation") or {}).get("problems")
    count = f", {problems} held-out problems" if problems else ""
    of_seeds = f", {_count(seeds, 'seed')}" if seeds else ""
    return said(
        f"Anything beyond {_count(len(starts), 'start')} (",
        *shown,
        f"{more}){of_seeds}{count} and the tasks, sizes and settings of this study.",
    )


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def quoted(claim: Claim) -> str:
    """The claim's sentence in quotes, cut where it is long: its row has the whole."""
    sentence = claim.sentence.strip().rstrip(". ")
    cut = sentence if len(sentence) <= SENTENCE_LIMIT else f"{sentence[:SENTENCE_LIMIT]}…"
    return f"“{cut}”"
