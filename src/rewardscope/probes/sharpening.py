"""The base made surer of itself without training: its distribution of whole completions raised to a power."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from rewardscope.types import Rollout

POWERS = np.geomspace(1.0, 64.0, 49)
"""Powers that are tried, fixed beforehand."""


@dataclass(frozen=True)
class Draws:
    """A policy's completions as (log-probability, right or wrong), problem by problem."""

    logprob_PN: tuple[np.ndarray, ...]
    """Nats of each whole completion under the policy that drew it; a problem may have its own number of draws."""
    correct_PN: tuple[np.ndarray, ...]
    """1, 0, or NaN where it could not be graded."""

    @classmethod
    def of(cls, rollouts: Sequence[Rollout]) -> "Draws":
        """The draws of stored rollouts."""
        logprobs = tuple(np.array([sum(c.logprobs) for c in rollout.completions], dtype=np.float64) for rollout in rollouts)
        verdicts = ([np.nan if g.correct is None else float(g.correct) for g in rollout.grades] for rollout in rollouts)
        return cls(logprobs, tuple(np.array(found, dtype=np.float64) for found in verdicts))

    def pass_rates(self, power: float) -> np.ndarray:
        """pass@1 (P,) of the sharpened policy: draws weighed by p^(power - 1), normalised; problems without a graded draw are left out."""
        found = []
        for logprob_N, correct_N in zip(self.logprob_PN, self.correct_PN, strict=True):
            graded_N = ~np.isnan(correct_N)
            if graded_N.any():
                weight_N = (power - 1) * logprob_N[graded_N]
                found.append(float(np.exp(weight_N - logsumexp(weight_N)) @ correct_N[graded_N]))
        return np.array(found)

    def sharpened_logprob(self, problem: int, trace_T: np.ndarray, power: float) -> float:
        """Nats: log of the summed probability of given traces of a problem under the sharpened policy.

        p^power over its sum Z, and Z is the mean of p^(power - 1) over the policy's draws, or what the traces alone make of it where
        that is more.
        """
        own = float(logsumexp(power * trace_T))
        logprob_N = self.logprob_PN[problem]
        total = float(logsumexp((power - 1) * logprob_N)) - np.log(len(logprob_N))
        return float(own - max(total, own))


def matching_power(draws: Draws, pass_rate: float) -> tuple[float, np.ndarray]:
    """The smallest power at which the sharpened policy has this pass@1, or the one that comes nearest, and its pass@1 by problem."""
    found = [(float(power), draws.pass_rates(float(power))) for power in POWERS]
    if not len(found[0][1]):
        return found[0]
    reaching = [pair for pair in found if pair[1].mean() >= pass_rate]
    return reaching[0] if reaching else max(found, key=lambda pair: float(pair[1].mean()))
