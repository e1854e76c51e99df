"""How likely a base is to do what a trained policy does: importance sampling over the trained
policy's draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from rewardscope.policy import Policy, pack, score
from rewardscope.types import Completion, Rollout

RULE_OF_THREE = 3
"""0 of n draws leave room for a chance of 3 / n (95 %)."""


@dataclass(frozen=True)
class Traces:
    """Different completions of a trained policy that solve a problem in one strategy."""

    base_T: np.ndarray
    """Nats of each under the base."""
    own_T: np.ndarray
    """Nats of each under the policy that drew it."""
    count_T: np.ndarray
    """How often each was drawn."""
    share: float
    """Share of the policy's draws that solve the problem so."""


@dataclass(frozen=True)
class Reach:
    """A policy's chance of solving a problem in a strategy."""

    summed: float
    """Nats: log of the summed probability of the traces found, a bound from below."""
    weighted: float
    """Nats: log of the importance-sampled chance."""
    effective: float
    """Effective number of draws behind ``weighted``."""
    draws: int
    """Number of draws behind it."""

    def rests(self, share: float) -> bool:
        """Whether the effective number is more than 3, and this share of the draws or more. Uneven
        weights make few draws seem more than they are, so a number alone would not do.
        """
        return self.effective > RULE_OF_THREE and self.effective >= share * self.draws

    def estimate(self, share: float) -> float:
        """Nats: the larger of both, the weighted one only if it rests on enough draws."""
        return max(self.summed, self.weighted) if self.rests(share) else self.summed


def reach_of(traces: Traces, power: float = 1.0, normaliser: float | None = None) -> Reach:
    """The chance under the base p, or under p^power / Z: share x the mean over the solving draws of
    p(y)^power / (Z q(y)), with q the policy that drew them.

    It is the expectation of p / q x solved over draws of q, so paraphrases that were not drawn
    count through those that were. What q never writes is missing, so it is a bound from below too.
    The effective number of draws is (sum w)^2 / sum w^2 over the weights w = p^power / q: near 1,
    one draw makes the whole estimate.

    Args:
        traces: What was drawn.
        power: Power of the base's distribution of whole completions.
        normaliser: Nats: log Z, at least the traces' own sum; None = 0, as for power 1.

    Source:
        Kahn and Marshall 1953, JORSA 1(5) (importance sampling); Kish 1965 (effective number).
    """
    sharp_T = power * traces.base_T
    summed = float(logsumexp(sharp_T))
    total = 0.0 if normaliser is None else max(normaliser, summed)
    log_T = sharp_T - traces.own_T
    log_sum = float(logsumexp(log_T, b=traces.count_T))
    weighted = log_sum - np.log(traces.count_T.sum()) + np.log(traces.share) - total
    effective = np.exp(2 * log_sum - logsumexp(2 * log_T, b=traces.count_T))
    draws = int(traces.count_T.sum())
    return Reach(summed - total, min(0.0, float(weighted)), float(effective), draws)


def trace_logprobs(
    policy: Policy, finds: Sequence[tuple[Rollout, Sequence[Completion]]], temperature: float
) -> list[np.ndarray]:
    """Nats per find: log-probability (traces,) of each of its traces under the policy, after the
    bare prompt.

    A block that a bank recalled for the trained policy is left out: a policy that reads the trace
    in it could copy it.
    """
    if not finds:
        return []
    alone = [
        replace(rollout, completions=(trace,), grades=(), rewards=None, parts={}, recalled=())
        for rollout, traces in finds
        for trace in traces
    ]
    logprob_N = np.asarray(
        score(policy, pack(policy, alone, temperature)).logprob_NT.double().sum(dim=1)
    )
    ends = np.cumsum([len(traces) for _, traces in finds])
    return np.split(logprob_N, ends[:-1])
