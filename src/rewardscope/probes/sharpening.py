"""The base sharpened without training: its distribution over completions raised to a power."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from rewardscope.policy import Sampling
from rewardscope.types import Grade, Rollout

POWERS = np.geomspace(1.0, 64.0, 49)
"""Powers that are tried, fixed in advance."""


def verdicts_of(grades: Sequence[Grade], strict: bool) -> np.ndarray:
    """1, 0, or NaN for a draw that could not be graded."""
    verdicts = [grade.strict if strict else grade.correct for grade in grades]
    return np.array(
        [np.nan if verdict is None else float(verdict) for verdict in verdicts], dtype=np.float64
    )


@dataclass(frozen=True)
class Draws:
    """A policy's completions as (log-probability, right or wrong), problem by problem."""

    logprob_PN: tuple[np.ndarray, ...]
    """Nats of each whole completion under the policy that drew it, sampling temperature included; a
    problem may have its own number.
    """
    correct_PN: tuple[np.ndarray, ...]
    """1, 0, or NaN where ungraded. All NaN where draws say nothing about the distribution."""

    @classmethod
    def of(cls, rollouts: Sequence[Rollout], sampling: Sampling, strict: bool = False) -> "Draws":
        """The draws of stored rollouts. From cut sampling or at temperature 0 all are NaN: the
        logprobs then do not describe how they were drawn.
        """
        logprobs = tuple(
            np.array([sum(c.logprobs) for c in rollout.completions], dtype=np.float64)
            for rollout in rollouts
        )
        verdicts = (verdicts_of(rollout.grades, strict) for rollout in rollouts)
        return cls(
            logprobs,
            tuple(
                verdict_N if sampling.uncut else np.full_like(verdict_N, np.nan)
                for verdict_N in verdicts
            ),
        )

    def sharpened(self, power: float) -> tuple[np.ndarray, np.ndarray]:
        """Chance of being right (P,) under p(y)^power / Z, from draws of p with weights w =
        p(y)^(power - 1), normalised to sum to 1; and the effective number of draws (P,).

        The effective number is (sum w)^2 / sum w^2. Near 1, the chance is little more than the
        likeliest draw's verdict. Both are NaN where nothing is known of a problem.
        """
        results = [(np.nan, np.nan)] * len(self.logprob_PN)
        for index, (logprob_N, correct_N) in enumerate(
            zip(self.logprob_PN, self.correct_PN, strict=True)
        ):
            known_N = ~np.isnan(correct_N)
            if known_N.any():
                log_N = (power - 1) * logprob_N[known_N]
                weight_N = np.exp(log_N - logsumexp(log_N))
                results[index] = (
                    float(weight_N @ correct_N[known_N]),
                    float(1 / (weight_N**2).sum()),
                )
        right_P, effective_P = np.array(results).reshape(-1, 2).T
        return right_P, effective_P

    def log_normaliser(self, problem: int, power: float) -> float:
        """Nats: log of the sum Z of p^power over all completions of a problem, as the mean of
        p^(power - 1) over the policy's draws. It tends to be too small.
        """
        logprob_N = self.logprob_PN[problem]
        return float(logsumexp((power - 1) * logprob_N)) - float(np.log(len(logprob_N)))


def matching_power(draws: Draws, pass_rate: float) -> tuple[float, np.ndarray]:
    """The smallest power at which the sharpened policy has this pass@1, or the one that comes
    nearest, and its pass@1 by known problem.
    """
    candidates = [
        (float(power), right_P[~np.isnan(right_P)])
        for power in POWERS
        for right_P in [draws.sharpened(float(power))[0]]
    ]
    if not len(candidates[0][1]):
        return candidates[0]
    reaching = [pair for pair in candidates if pair[1].mean() >= pass_rate]
    return reaching[0] if reaching else max(candidates, key=lambda pair: float(pair[1].mean()))
