"""Planning and execution separately: how sure a policy is in each, and how varied its plans are,
beside random grams of the same frequency.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, gram_mask, pack, score
from rewardscope.policy.grams import gram_pattern
from rewardscope.probes.base import PSEUDO, Evidence, Need, first_draws, given
from rewardscope.probes.strategic import Miner, random_grams, rarefied_entropy, uses
from rewardscope.stats import (
    Estimate,
    pseudo_values,
    ratio_over_problems,
    statistic_over_problems,
)
from rewardscope.tensors import Batch
from rewardscope.types import Measurement, Rollout

RANDOM_SETS = "phases"
"""Address of the random grams."""


@dataclass(frozen=True)
class _Reading:
    """One policy's surprise and entropy on one set of completions."""

    problems: tuple[str, ...]
    batch: Batch
    surprise_NT: Tensor
    entropy_NT: Tensor

    @classmethod
    def of(cls, policy: Policy, rollouts: Sequence[Rollout]) -> "_Reading":
        batch = pack(policy, rollouts, 1.0)
        scores = score(policy, batch)
        return cls(
            tuple(r.problem.id for r in rollouts), batch, -scores.logprob_NT, scores.entropy_NT
        )

    def sums(self, value_NT: Tensor, chosen_NT: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """By problem: the sum over the chosen tokens, and how many there are."""
        count = self.batch.num_problems
        total_P = (value_NT.double() * chosen_NT).reshape(count, -1).sum(dim=1)
        return np.asarray(total_P), np.asarray(chosen_NT.double().reshape(count, -1).sum(dim=1))


@dataclass(frozen=True)
class Phases:
    """Entropy and perplexity on planning and on execution tokens, and entropy of the plans
    themselves, at one step.

    A token plans if it lies in a use of a strategic gram. The grams are ``grams``, or mined from
    the base's correct completions, so that all arms of a start use the same ones. Rows with
    ``grams = random`` use other grams of the same frequency: an effect that these show too is not
    about planning. Perplexity on the policy's own completions falls with its entropy. ``on = base``
    is on the base's completions, which are the same for every arm. Only the first ``draws`` of each
    problem are read, at temperature 1.

    Semantic entropy is that of ``plans`` uses of grams drawn without replacement (rarefied: it does
    not grow with the number of uses), and conditional entropy that of the word after a gram among
    ``followers`` of its uses, weighted by use.

    Source:
        Wang et al. 2025, arXiv:2509.03646, section 2.2; the fixed set, the random grams and equal
            counts are the controls it lacks.
    """

    grams: tuple[str, ...] = ()
    miner: Miner = Miner()
    draws: int = 16
    plans: int = 128
    followers: int = 8

    needs: ClassVar[frozenset[Need]] = frozenset(
        {Need.ROLLOUTS, Need.TOKENS, Need.POLICY, Need.BASE_ROLLOUTS, Need.BASE_POLICY}
    )
    metrics: ClassVar[tuple[str, ...]] = (
        *("phases/token_share", "phases/entropy", "phases/perplexity", "phases/surprise_change"),
        *("phases/semantic_entropy", "phases/conditional_entropy"),
    )

    def __post_init__(self) -> None:
        if min(self.draws, self.plans, self.followers) < 1 or not all(self.grams):
            raise ComponentError(
                "Phases cannot read with these settings",
                value=self,
                allowed="draws, plans and followers of 1 or more; grams that are not empty",
                do="Correct it in the study file",
            )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Rows for strategic and for random grams; None where no gram was found or used."""
        own, fixed = (
            first_draws(rollouts, self.draws)
            for rollouts in (evidence.rollouts, evidence.base_rollouts or evidence.rollouts)
        )
        correct = [
            c.said
            for r in fixed
            for c, grade in zip(r.completions, r.grades, strict=True)
            if grade.correct
        ]
        strategic = self.grams or self.miner.mine(correct)
        texts = [completion.said for rollout in fixed for completion in rollout.completions]
        sets = {"strategic": strategic, "random": random_grams(texts, strategic, RANDOM_SETS)}
        policy = given(evidence.policy, Need.POLICY)
        readings = {"own": _Reading.of(policy, own)}
        readings["base"] = (
            _Reading.of(policy, fixed) if evidence.base_policy is not None else readings["own"]
        )
        before = None if evidence.base_policy is None else _Reading.of(evidence.base_policy, fixed)
        rows = []
        for kind, grams in sets.items():
            rows += self._token_rows(evidence, kind, grams, readings, before)
            rows += self._text_rows(evidence, kind, grams, own)
        return rows

    def _token_rows(
        self,
        evidence: Evidence,
        kind: str,
        grams: Sequence[str],
        readings: dict[str, _Reading],
        before: _Reading | None,
    ) -> list[Measurement]:
        policy = given(evidence.policy, Need.POLICY)
        planning = {
            name: gram_mask(policy, reading.batch, grams) if grams else None
            for name, reading in readings.items()
        }
        rows = []
        for part in ("planning", "execution"):
            labels = {"grams": kind, "tokens": part}
            chosen = {
                name: reading.batch.mask_NT & (mask if part == "planning" else ~mask)
                if (mask := planning[name]) is not None
                else None
                for name, reading in readings.items()
            }
            own, mine = readings["own"], chosen["own"]
            held = None if mine is None else own.sums(mine, own.batch.mask_NT)
            names = own.problems
            rows += _ratio_rows(
                evidence, names, "phases/token_share", "share", held, labels, bounds=(0.0, 1.0)
            )
            sure = None if mine is None else own.sums(own.entropy_NT, mine)
            rows += _ratio_rows(evidence, names, "phases/entropy", "nats", sure, labels)
            for on, reading in readings.items():
                now = (
                    None
                    if (chosen_NT := chosen[on]) is None
                    else reading.sums(reading.surprise_NT, chosen_NT)
                )
                rows += _ratio_rows(
                    evidence,
                    reading.problems,
                    "phases/perplexity",
                    "perplexity",
                    now,
                    {**labels, "on": on},
                    exponential=True,
                )
                if before is None:
                    continue
                then = (
                    None
                    if (first := chosen["base"]) is None
                    else before.sums(before.surprise_NT, first)
                )
                rows += _change_rows(evidence, reading.problems, now, then, {**labels, "on": on})
        return rows

    def _text_rows(
        self, evidence: Evidence, kind: str, grams: Sequence[str], own: Sequence[Rollout]
    ) -> list[Measurement]:
        pattern = gram_pattern(grams) if grams else None
        used = [
            [use for c in rollout.completions for use in uses(c.said, pattern)] if pattern else []
            for rollout in own
        ]
        count, rows = sum(map(len, used)), []
        for metric, k, statistic in (
            ("phases/semantic_entropy", self.plans, plan_entropy(used, self.plans)),
            ("phases/conditional_entropy", self.followers, follower_entropy(used, self.followers)),
        ):
            estimate = (
                statistic_over_problems(
                    len(used), statistic, address=f"{metric}/{kind}", centred=True
                )
                if count
                else None
            )
            labels = {"grams": kind, "k": str(k)}
            rows.append(
                evidence.row(
                    metric, "nats", estimate, n=count if estimate else 0, over="uses", labels=labels
                )
            )
            names = [rollout.problem.id for rollout in own]
            if estimate is not None:
                rows += _problem_rows(evidence, names, metric, "nats", statistic, labels)
        return rows


Uses = Sequence[Sequence[tuple[str, str]]]
"""By problem: (gram, word after it) of every use."""


def plan_entropy(used: Uses, k: int) -> Callable[[np.ndarray], np.ndarray]:
    """From weights (S, P) to the rarefied entropy of grams (S,)."""
    names = sorted({gram for in_problem in used for gram, _ in in_problem})
    column = {name: i for i, name in enumerate(names)}
    count_PA = np.zeros((len(used), len(names)))
    for p, in_problem in enumerate(used):
        for gram, _ in in_problem:
            count_PA[p, column[gram]] += 1
    return lambda weight_SP: rarefied_entropy(weight_SP @ count_PA, k)


def follower_entropy(used: Uses, k: int) -> Callable[[np.ndarray], np.ndarray]:
    """From weights (S, P) to the rarefied entropy of the word after a gram, weighted by use;
    grams used under k times are left out.
    """
    by_gram: dict[str, list[tuple[int, str]]] = {}
    for p, in_problem in enumerate(used):
        for gram, follower in in_problem:
            by_gram.setdefault(gram, []).append((p, follower))
    tables = []
    for pairs in by_gram.values():
        names = sorted({follower for _, follower in pairs})
        count_PB = np.zeros((len(used), len(names)))
        for (p, follower), number in Counter(pairs).items():
            count_PB[p, names.index(follower)] = number
        tables.append(count_PB)

    def statistic(weight_SP: np.ndarray) -> np.ndarray:
        total_S, weight_S = np.zeros(len(weight_SP)), np.zeros(len(weight_SP))
        for count_PB in tables:
            count_SB = weight_SP @ count_PB
            enough_S = np.where(count_SB.sum(axis=1) >= k, count_SB.sum(axis=1), 0)
            total_S += enough_S * np.nan_to_num(rarefied_entropy(count_SB, k))
            weight_S += enough_S
        with np.errstate(invalid="ignore"):
            return np.asarray(total_S / weight_S)

    return statistic


def _problem_rows(
    evidence: Evidence,
    names: Sequence[str],
    metric: str,
    unit: str,
    statistic: Callable[[np.ndarray], np.ndarray],
    labels: dict[str, str],
) -> list[Measurement]:
    """The statistic's pseudo-value of each problem, by which arms are paired."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value_P = pseudo_values(len(names), statistic)
    if value_P is None:
        return []
    values = dict(zip(names, map(float, value_P), strict=True))
    return evidence.problem_rows(metric, unit, values, labels, over=PSEUDO)


def _ratio_rows(
    evidence: Evidence,
    names: Sequence[str],
    metric: str,
    unit: str,
    sums: tuple[np.ndarray, np.ndarray] | None,
    labels: dict[str, str],
    *,
    bounds: tuple[float, float] | None = None,
    exponential: bool = False,
) -> list[Measurement]:
    """Sum over tokens over number of tokens, or its exponential, and that of each problem; None
    without tokens.
    """
    if sums is None or not sums[1].sum():
        return [evidence.row(metric, unit, None, n=0, over="tokens", labels=labels)]
    top, bottom = sums
    ratio = ratio_over_problems(
        list(top), list(bottom), address=f"{metric}/{'/'.join(labels.values())}", bounds=bounds
    )
    shown = math.exp if exponential else float
    lower, upper = (None if end is None else shown(end) for end in (ratio.lower, ratio.upper))
    estimate = Estimate(shown(ratio.value), lower, upper, ratio.interval)
    row = evidence.row(metric, unit, estimate, n=int(bottom.sum()), over="tokens", labels=labels)

    def statistic(weight_SP: np.ndarray) -> np.ndarray:
        ratio_S = weight_SP @ top / (weight_SP @ bottom)
        return np.asarray(np.exp(ratio_S) if exponential else ratio_S)

    return [row, *_problem_rows(evidence, names, metric, unit, statistic, labels)]


def _change_rows(
    evidence: Evidence,
    names: Sequence[str],
    now: tuple[np.ndarray, np.ndarray] | None,
    then: tuple[np.ndarray, np.ndarray] | None,
    labels: dict[str, str],
) -> list[Measurement]:
    """Log of the perplexity relative to the base's on its own completions, with the
    same resampled problems for both, and that of each problem.
    """
    metric = "phases/surprise_change"
    if now is None or then is None or not now[1].sum() or not then[1].sum():
        return [evidence.row(metric, "nats", None, n=0, over="tokens", labels=labels)]
    (top, bottom), (first_top, first_bottom) = now, then

    def statistic(weight_SP: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.asarray(
                weight_SP @ top / (weight_SP @ bottom)
                - weight_SP @ first_top / (weight_SP @ first_bottom)
            )

    change = statistic_over_problems(
        len(top), statistic, address=f"{metric}/{'/'.join(labels.values())}"
    )
    row = evidence.row(metric, "nats", change, n=int(bottom.sum()), over="tokens", labels=labels)
    return [row, *_problem_rows(evidence, names, metric, "nats", statistic, labels)]
