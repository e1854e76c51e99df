"""Whether training activated what the base could already reach, or created it: the base's own
chance of what is newly solved.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.errors import ComponentError
from rewardscope.judging.boundary.comparison import whole
from rewardscope.probes.base import Evidence, Need, given
from rewardscope.probes.reach import RULE_OF_THREE, Reach, Traces, reach_of, trace_logprobs
from rewardscope.probes.sharpening import Draws, matching_power
from rewardscope.stats import Estimate, mean_over_problems
from rewardscope.types import Completion, Grade, Measurement, Rollout

ANY = "any"
"""Name for all strategies together."""
CLASSES = ("kept", "activated", "created", "undecided")
Pairs = Sequence[tuple[Rollout, Rollout]]
"""Base and trained rollouts of the same problems."""


@dataclass(frozen=True)
class Find:
    """A problem that the trained policy solves in a strategy in which the base's draws did not."""

    problem: int
    """Index among the pairs of base and trained rollouts."""
    traces: tuple[Completion, ...]
    """The different completions among the first draws that solve it so."""
    counts: tuple[int, ...]
    """How often each stands there."""
    count: int
    """Number of draws that solve it so."""
    drawn: int
    """Number of draws in all."""


@dataclass(frozen=True)
class Chance:
    """Of solving a problem as the trained policy does."""

    base: Reach
    sharpened: Reach


@dataclass(frozen=True)
class _Solved:
    """What was solved in one strategy."""

    kept: int
    """Problems that base and trained policy both solve."""
    finds: list[Find]


@dataclass(frozen=True)
class Novelty:
    """For every newly solved problem the base's chance of solving it so, and a verdict: activated,
    created, undecided.

    A completion counts only if it is right and every step that the environment can check is right.
    It counts for the strategy that it shows. A problem is newly solved in a strategy if some draw
    of the trained policy solves it in that strategy and none of equally many draws of the base
    does. Let p be the base's chance of that, by importance sampling over the trained policy's
    draws: the mean of p_base / p_trained x solved. Paraphrases that were not drawn thus count
    through those that were. It rests on an effective number of draws. Where that is 3 or less, or
    less than a share ``effective`` of the draws that the base was asked about, p is the summed
    probability of the different traces found, which is certain. Let p' be the same under the
    *sharpened* base (every problem's distribution of whole completions raised to the power at which
    its pass@1 comes nearest to the trained policy's):

        activated   p or p' >= 1 / ``tries``: the base, or the sharpened base, reaches it in that
                    many tries
        created     ``slack`` x p and ``slack`` x p' < 1 / ``tries``, both from enough effective
                    draws, and the trained policy shows it in more than 3 of its n draws, where
                    the base's 0 of n leave room for a chance of 3 / n
        undecided   between these

    p is a lower bound of the base's chance in that strategy, since it lacks traces that the trained
    policy no longer writes; ``slack`` is the factor by which they may raise it. Where the trained
    policy writes one of very many paraphrases only, that is too little: read a find's traces. The
    normaliser of p' comes from the base's draws and tends to be too small, which favours
    ``activated``. Both chances are
    for the bare prompt, like the base's draws, whatever a bank recalled for the trained policy.
    They are unknown where sampling was cut (top_p) or at temperature 0. ``kept`` are the problems
    that the base's own draws solve in the strategy. Of what the trained policy solves, some share
    is kept or activated, and some is created. The verdict is ``activated`` if the interval of the
    first share lies above a half, and ``created`` if that of the second does. It is about what the
    policy does, not about what its weights could do after another prompt.

    Source:
        Wu et al. 2025, arXiv:2507.14843 (support, budgets up to 16,384, epsilon = 3 / k);
            arXiv:2510.15020 (covered in k tries if log p >= -log k); Karan and Du 2025,
            arXiv:2510.14901 (power sampling); Kahn and Marshall 1953, JORSA 1(5) (importance
            sampling). The classes, slack and process check are ours.
    """

    tries: int = 16_384
    slack: float = 10.0
    traces: int = 64
    """Draws of a problem that the base is asked about, the first that solve it."""
    effective: float = 0.25
    """Share of these draws that their effective number must reach, for the estimate to count."""

    needs: ClassVar[frozenset[Need]] = frozenset(
        {
            Need.ROLLOUTS,
            Need.TOKENS,
            Need.LOGPROBS,
            Need.SAMPLING,
            Need.BASE_ROLLOUTS,
            Need.BASE_POLICY,
        }
    )
    metrics: ClassVar[tuple[str, ...]] = (
        *(
            "novelty/problems",
            "novelty/reached_share",
            "novelty/created_share",
            "novelty/verdict",
            "novelty/find",
        ),
        *("novelty/log_probability", "novelty/effective_draws"),
        *("novelty/sharpening_power", "novelty/sharpened_pass"),
    )

    def __post_init__(self) -> None:
        if min(self.tries, self.traces, self.slack) < 1 or not 0 <= self.effective <= 1:
            raise ComponentError(
                "Novelty cannot judge with these settings",
                value=self,
                allowed="tries, traces and slack of 1 or more; effective from 0 to 1",
                do="Correct it in the study file",
            )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Rows per strategy and for all together; none for the base itself."""
        if evidence.base_rollouts is None or evidence.base_policy is None:
            return []
        sampling = given(evidence.sampling, Need.SAMPLING)
        pairs = _graded_pairs(evidence.base_rollouts, evidence.rollouts) if sampling.uncut else []
        checked = any(
            grade.steps is not None
            for pair in pairs
            for rollout in pair
            for grade in rollout.grades
        )
        draws, number, dropped = (
            Draws.of([base for base, _ in pairs], sampling),
            len(pairs),
            len(evidence.rollouts) - len(pairs),
        )
        power, passed_P = matching_power(
            draws, float(np.mean([trained.pass_rate for _, trained in pairs] or [0.0]))
        )
        passed = None if not number else _mean(list(passed_P), "novelty/sharpened_pass", dropped)
        rows = [
            evidence.row(
                "novelty/sharpening_power",
                "ratio",
                power if number else None,
                n=number,
                over="problems",
                dropped=dropped,
            ),
            evidence.row(
                "novelty/sharpened_pass",
                "share",
                passed,
                n=number,
                over="problems",
                dropped=dropped,
            ),
        ]
        for strategy in (ANY, *evidence.strategies):
            outcome = self._solved(pairs, strategy, checked)
            chances = self._chances(evidence, pairs, outcome.finds, draws, power)
            rows += self._rows(evidence, pairs, strategy, outcome, chances)
        return rows

    def _solved(self, pairs: Pairs, strategy: str, checked: bool) -> "_Solved":
        kept, finds = 0, []
        for index, (base, trained) in enumerate(pairs):
            n = min(len(base.grades), len(trained.grades))
            mine = [
                c
                for c, grade in zip(trained.completions[:n], trained.grades[:n], strict=True)
                if _solves(grade, strategy, checked)
            ]
            if mine and any(_solves(grade, strategy, checked) for grade in base.grades[:n]):
                kept += 1
            elif mine:
                asked = mine[: self.traces]
                by_tokens = {completion.token_ids: completion for completion in asked}
                times = Counter(completion.token_ids for completion in asked)
                counts = tuple(times[ids] for ids in by_tokens)
                finds.append(Find(index, tuple(by_tokens.values()), counts, len(mine), n))
        return _Solved(kept, finds)

    def _chances(
        self, evidence: Evidence, pairs: Pairs, finds: Sequence[Find], draws: Draws, power: float
    ) -> list[Chance]:
        """Of each find the base's chance, and the sharpened base's."""
        by_find = trace_logprobs(
            given(evidence.base_policy, Need.BASE_POLICY),
            [(pairs[find.problem][1], find.traces) for find in finds],
            given(evidence.sampling, Need.SAMPLING).temperature,
        )
        chances = []
        for find, base_T in zip(finds, by_find, strict=True):
            own_T = np.array([sum(trace.logprobs) for trace in find.traces])
            traces = Traces(base_T, own_T, np.array(find.counts), find.count / find.drawn)
            log_total = draws.log_normaliser(find.problem, power)
            chances.append(Chance(reach_of(traces), reach_of(traces, power, log_total)))
        return chances

    def _class(self, find: Find, chance: Chance) -> str:
        sides, reach = (chance.base, chance.sharpened), -math.log(self.tries)
        if max(side.estimate(self.effective) for side in sides) >= reach:
            return "activated"
        nearest = max(max(side.summed, side.weighted) for side in sides)
        sure = all(side.rests(self.effective) for side in sides)
        return (
            "created"
            if nearest + math.log(self.slack) < reach and sure and find.count > RULE_OF_THREE
            else "undecided"
        )

    def _rows(
        self,
        evidence: Evidence,
        pairs: Pairs,
        strategy: str,
        outcome: "_Solved",
        chances: Sequence[Chance],
    ) -> list[Measurement]:
        labels, kept, finds, total = {"strategy": strategy}, outcome.kept, outcome.finds, len(pairs)
        solved, dropped = kept + len(finds), len(evidence.rollouts) - total
        classes = [self._class(find, of) for find, of in zip(finds, chances, strict=True)]
        counts = Counter(classes) | Counter({"kept": kept})
        rows = [
            evidence.row(
                "novelty/problems",
                "problems",
                float(counts[name]) if total else None,
                n=total,
                over="problems",
                labels={**labels, "class": name},
                dropped=dropped,
            )
            for name in CLASSES
        ]
        shares = {}
        for metric, among in (
            ("reached_share", ("kept", "activated")),
            ("created_share", ("created",)),
        ):
            held = [float(name in among) for name in ("kept",) * kept + tuple(classes)]
            shares[metric] = _mean(held, f"novelty/{metric}/{strategy}", dropped)
            rows.append(
                evidence.row(
                    f"novelty/{metric}",
                    "share",
                    shares[metric],
                    n=solved,
                    over="problems",
                    labels=labels,
                )
            )
        rows.append(
            _verdict_row(
                evidence, labels, shares["reached_share"], shares["created_share"], solved, total
            )
        )
        for metric, unit, of, values in self._values(chances):
            address = f"novelty/{metric}/{strategy}/{of}"
            rows.append(
                evidence.row(
                    f"novelty/{metric}",
                    unit,
                    _mean(values, address, dropped, bounds=None),
                    n=len(finds),
                    over="problems",
                    labels={**labels, "of": of},
                )
            )
        for find, name, chance in zip(finds, classes, chances, strict=True):
            value = chance.base.estimate(self.effective)
            about = {**labels, "problem": pairs[find.problem][1].problem.id, "class": name}
            rows.append(
                evidence.row(
                    "novelty/find", "nats", value, n=find.count, over="draws", labels=about
                )
            )
        if not finds:
            rows.append(
                evidence.row("novelty/find", "nats", None, n=0, over="draws", labels=labels)
            )
        return rows

    def _values(self, chances: Sequence[Chance]) -> Iterator[tuple[str, str, str, list[float]]]:
        """(metric, unit, whose, a value for each find)."""
        for of in ("base", "sharpened"):
            sides: list[Reach] = [getattr(chance, of) for chance in chances]
            yield (
                *("log_probability", "nats", of),
                [side.estimate(self.effective) for side in sides],
            )
            yield "effective_draws", "draws", of, [side.effective for side in sides]


def _solves(grade: Grade, strategy: str, checked: bool) -> bool:
    """Right, in the strategy, and every checked step right; where steps can be checked, a
    completion that shows none does not count.
    """
    if grade.correct is not True or (strategy != ANY and grade.strategy != strategy):
        return False
    return not checked or (grade.steps is not None and all(grade.steps))


def _graded_pairs(base: Sequence[Rollout], trained: Sequence[Rollout]) -> Pairs:
    """Base and trained rollout of each problem that both have a graded draw of."""
    before = {rollout.problem.id: rollout for rollout in base if rollout.pass_rate is not None}
    return [
        (before[r.problem.id], r)
        for r in trained
        if r.pass_rate is not None and r.problem.id in before
    ]


def _mean(
    values: Sequence[float],
    address: str,
    dropped: int,
    bounds: tuple[float, float] | None = (0.0, 1.0),
) -> Estimate | None:
    """Mean over problems; None without values."""
    return (
        whole(mean_over_problems(values, address=address, bounds=bounds), dropped, len(values))
        if len(values)
        else None
    )


def _verdict_row(
    evidence: Evidence,
    labels: dict[str, str],
    reached: Estimate | None,
    created: Estimate | None,
    solved: int,
    total: int,
) -> Measurement:
    """The strategy's verdict as a label, with the share that it rests on; unknown where no problem
    could be examined.
    """
    named = [("activated", reached), ("created", created)]
    held = [
        (name, share)
        for name, share in named
        if share is not None and share.lower is not None and share.lower > 0.5
    ]
    verdict, share = (
        held[0]
        if held
        else ("undecided" if solved else "nothing_found" if total else "unknown", reached)
    )
    return evidence.row(
        "novelty/verdict",
        "share",
        share,
        n=solved,
        over="problems",
        labels={**labels, "verdict": verdict},
    )
