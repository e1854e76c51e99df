"""What a reward that only amplifies would produce: shares of strategies after doubling and after
reweighting, beside the shares reached.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rewardscope.judging.amplification import amplified, doubled, fitted_strength
from rewardscope.probes.base import Evidence
from rewardscope.stats import (
    Estimate,
    mean_over_problems,
    ratio_over_problems,
    statistic_over_problems,
)
from rewardscope.types import Measurement, Rollout

NameOf = Callable[[Rollout, int], str]
"""Strategy of the completion at an index."""


@dataclass(frozen=True, eq=False)
class _Counts:
    """Counts by problem and strategy, over the problems that both sides answered."""

    before_PA: np.ndarray
    """Share of the base's completions."""
    after_PA: np.ndarray
    """Share of the trained policy's."""
    told_PA: np.ndarray
    """Completions of the base that the arm's reward scored."""
    paid_PA: np.ndarray
    """Sum of their rewards."""

    @classmethod
    def of(
        cls, base: Sequence[Rollout], own: Sequence[Rollout], names: Sequence[str], name_of: NameOf
    ) -> "_Counts":
        other = {rollout.problem.id: rollout for rollout in base}
        common = [rollout for rollout in own if rollout.problem.id in other]
        column = {name: a for a, name in enumerate(names)}
        sums = np.zeros((4, len(common), len(names)))
        for p, rollout in enumerate(common):
            first = other[rollout.problem.id]
            for i, reward in enumerate(first.rewards or (None,) * len(first.grades)):
                a = column[name_of(first, i)]
                sums[0, p, a] += 1 / len(first.grades)
                if reward is not None:
                    sums[2:, p, a] += (1, reward)
            for i in range(len(rollout.grades)):
                sums[1, p, column[name_of(rollout, i)]] += 1 / len(rollout.grades)
        return cls(*sums)

    def rewards(self, weight_SP: np.ndarray) -> np.ndarray:
        """Mean reward of each strategy (S, A); NaN where nothing was scored."""
        told_SA, paid_SA = weight_SP @ self.told_PA, weight_SP @ self.paid_PA
        return np.asarray(
            np.divide(paid_SA, told_SA, out=np.full_like(paid_SA, np.nan), where=told_SA > 0)
        )

    def favoured(self) -> int | None:
        """The strategy that the reward pays most in the base's completions; None unless the
        interval of its lead over the rest together lies above 0.
        """
        reward_A = self.rewards(np.ones((1, len(self.told_PA))))[0]
        known = np.flatnonzero(~np.isnan(reward_A))
        if len(known) < 2:
            return None
        best = int(known[np.argmax(reward_A[known])])
        rest = [int(a) for a in known if a != best]

        def lead(weight_SP: np.ndarray) -> np.ndarray:
            told_SA, paid_SA = weight_SP @ self.told_PA, weight_SP @ self.paid_PA
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.asarray(
                    paid_SA[:, best] / told_SA[:, best]
                    - paid_SA[:, rest].sum(axis=1) / told_SA[:, rest].sum(axis=1)
                )

        estimate = statistic_over_problems(
            len(self.told_PA), lead, address="behaviour/strategy_reward/lead"
        )
        return (
            best
            if estimate is not None and estimate.lower is not None and estimate.lower > 0
            else None
        )


def echo_rows(evidence: Evidence, names: Sequence[str], name_of: NameOf) -> list[Measurement]:
    """What the arm's reward pays each strategy of the base, and the shares that amplification alone
    would produce.

    Both nulls start from the base's held-out shares. ``doubled``: one round of p -> 2 p / (1 + p)
    per training step for the strategy that is paid most; the others shrink in proportion.
    ``reweighted``: share x exp(reward / beta), with beta fitted so that the strategy paid most gets
    the share that it reached. Only the other shares are predictions. Where no strategy is paid
    measurably more than the rest, as under coin flips, reweighting leaves the shares unchanged:
    there is no strength and nothing to double. A strategy that the base never shows stays at 0.
    """
    counts = _Counts.of(evidence.base_rollouts or (), evidence.rollouts, names, name_of)
    n = len(counts.before_PA)
    rows = []
    for a, name in enumerate(names):
        scored = counts.told_PA[:, a].sum()
        address = f"behaviour/strategy_reward/{name}"
        paid = (
            ratio_over_problems(
                list(counts.paid_PA[:, a]), list(counts.told_PA[:, a]), address=address
            )
            if scored
            else None
        )
        rows.append(
            evidence.row(
                "behaviour/strategy_reward",
                "reward",
                paid,
                n=int(scored),
                over="completions",
                labels={"strategy": name},
            )
        )
    any_scored, favoured = bool(counts.told_PA.sum()), counts.favoured()
    strength = (
        None
        if favoured is None
        else statistic_over_problems(
            n, _strength(counts, favoured), address="behaviour/reweighting"
        )
    )
    labels = {} if favoured is None else {"strategy": names[favoured]}
    rows.append(
        evidence.row(
            "behaviour/reweighting",
            "per reward",
            strength,
            n=n if strength else 0,
            over="problems",
            labels=labels,
        )
    )
    for a, name in enumerate(names):
        twice = (
            None
            if favoured is None
            else _null(n, _doubling(counts, favoured, a, evidence.step), f"doubled/{name}")
        )
        rows.append(
            _null_row(
                evidence,
                twice,
                n,
                {"null": "doubled", "strategy": name, "rounds": str(evidence.step)},
            )
        )
        if a == favoured:
            continue
        if favoured is not None:
            again = _null(n, _reweighting(counts, favoured, a), f"reweighted/{name}")
        else:
            again = (
                mean_over_problems(
                    list(counts.before_PA[:, a]), address=f"null/{name}", bounds=(0.0, 1.0)
                )
                if any_scored and n
                else None
            )
        rows.append(_null_row(evidence, again, n, {"null": "reweighted", "strategy": name}))
    return rows


Statistic = Callable[[np.ndarray], np.ndarray]


def _null(n: int, statistic: Statistic, address: str) -> Estimate | None:
    return statistic_over_problems(
        n, statistic, address=f"behaviour/share_null/{address}", bounds=(0.0, 1.0)
    )


def _null_row(
    evidence: Evidence, estimate: Estimate | None, n: int, labels: dict[str, str]
) -> Measurement:
    return evidence.row(
        "behaviour/share_null",
        "share",
        estimate,
        n=n if estimate else 0,
        over="problems",
        labels=labels,
    )


def _strength(counts: _Counts, favoured: int) -> Statistic:
    def statistic(weight_SP: np.ndarray) -> np.ndarray:
        return fitted_strength(
            *_state(counts, weight_SP), favoured, _reached(counts, weight_SP, favoured)
        )

    return statistic


def _reweighting(counts: _Counts, favoured: int, a: int) -> Statistic:
    def statistic(weight_SP: np.ndarray) -> np.ndarray:
        return amplified(
            *_state(counts, weight_SP), favoured, _reached(counts, weight_SP, favoured)
        )[:, a]

    return statistic


def _doubling(counts: _Counts, favoured: int, a: int, rounds: int) -> Statistic:
    def statistic(weight_SP: np.ndarray) -> np.ndarray:
        share_SA, _ = _state(counts, weight_SP)
        grown_S = doubled(share_SA[:, favoured], rounds)
        if a == favoured:
            return grown_S
        rest_S = 1 - share_SA[:, favoured]
        return np.asarray(
            np.divide(
                share_SA[:, a] * (1 - grown_S), rest_S, out=np.zeros_like(rest_S), where=rest_S > 0
            )
        )

    return statistic


def _state(counts: _Counts, weight_SP: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the base's strategies and their mean rewards."""
    return weight_SP @ counts.before_PA / weight_SP.sum(axis=1, keepdims=True), counts.rewards(
        weight_SP
    )


def _reached(counts: _Counts, weight_SP: np.ndarray, favoured: int) -> np.ndarray:
    return np.asarray(weight_SP @ counts.after_PA[:, favoured] / weight_SP.sum(axis=1))
