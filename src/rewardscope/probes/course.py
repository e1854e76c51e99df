"""Whether a run improves execution before planning: where curves over training steps bend, and
whether those of random grams bend too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats as distributions

from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, gram_mask, pack
from rewardscope.policy.grams import gram_pattern
from rewardscope.probes.strategic import rarefied_entropy, uses
from rewardscope.seeds import generator
from rewardscope.stats import DRAWS, LEVEL, Estimate
from rewardscope.types import Rollout

FEWEST = 8
"""The fewest steps in which a bend can be found."""
MARGIN = 2
"""Steps at either end that a bend cannot lie in: a line needs two."""
GRID = 8
"""Candidate positions per step."""


@dataclass(frozen=True)
class Bend:
    """A curve of two straight pieces that meet at ``step``."""

    step: Estimate | None
    """None = a straight line with the same noise bends as much in more than 5 % of draws."""
    before: float
    """Slope per step of the first piece."""
    after: float
    straight: float
    """Share of straight lines with this curve's noise that gain as much from a bend."""
    draw_B: np.ndarray
    """Position of the bend in curves made of the fit and its resampled noise."""


@dataclass(frozen=True)
class Course:
    """How a run went: the surprise of execution tokens and the variety of plans by training
    step.
    """

    steps: tuple[int, ...]
    execution_T: np.ndarray
    """Nats: mean of -logprob of an execution token under the policy that wrote it."""
    plans_T: np.ndarray
    """Nats: rarefied entropy of the grams used."""
    execution: Bend
    plans: Bend
    lag: Estimate | None
    """Steps from the bend of execution to that of the plans; None where one does not bend."""

    @property
    def two_phases(self) -> bool | None:
        """Whether execution falls and then levels off, and plans become more varied later; None =
        undecided, because the lag's interval contains 0.
        """
        if self.lag is None or self.lag.lower is None or self.lag.upper is None:
            return False
        fits = self.execution.before < min(0.0, self.execution.after) and self.plans.after > max(
            0.0, self.plans.before
        )
        if not fits or self.lag.upper < 0:
            return False
        return True if self.lag.lower > 0 else None


def bend(step_T: Sequence[float], value_T: Sequence[float] | np.ndarray, address: str) -> Bend:
    """Where a curve bends: the least-squares fit of two lines that meet, over a grid of positions,
    with an interval from resampled residuals.

    Residuals are treated as independent. Where a straight line fits as well, there is no bend.

    Raises:
        ComponentError: If there are fewer than 8 steps.

    Source:
        Hinkley 1971, JASA 66(336) (two-phase regression); the test against a straight line by
            resampled residuals is ours.
    """
    t_T, y_T = np.asarray(step_T, dtype=np.float64), np.asarray(value_T, dtype=np.float64)
    if len(t_T) < FEWEST or not np.isfinite(y_T).all():
        raise ComponentError(
            "Too few steps for a bend", value=f"{len(t_T)} steps, {int((~np.isfinite(y_T)).sum())} "
                                          "unknown", allowed=f"{FEWEST} known or more",
            do="Train longer",
        )  # fmt: skip
    inside = t_T[MARGIN : len(t_T) - MARGIN]
    candidate_C = np.interp(
        np.linspace(0, len(inside) - 1, GRID * (len(inside) - 1) + 1),
        np.arange(len(inside)),
        inside,
    )
    line_T2 = np.stack([np.ones_like(t_T), t_T], axis=1)
    basis_C = [
        np.linalg.qr(np.column_stack([line_T2, np.maximum(t_T - candidate, 0)]))[0]
        for candidate in candidate_C
    ]
    line, basis_CTJ = np.linalg.qr(line_T2)[0], np.stack(basis_C)
    random = generator("bend", address)

    def fitted(value_BT: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Index of the best position (B,), and the share of the line's residual squares removed."""
        total_B = (value_BT**2).sum(axis=1)
        taken_CB = np.stack([((value_BT @ basis_TJ) ** 2).sum(axis=1) for basis_TJ in basis_CTJ])
        best_B = taken_CB.argmax(axis=0)
        rest_B = (total_B - ((value_BT @ line) ** 2).sum(axis=1)).clip(min=1e-300)
        return best_B, (taken_CB.max(axis=0) - total_B + rest_B) / rest_B

    def noisy(fit_T: np.ndarray, free: int) -> np.ndarray:
        """The fit with its own residuals resampled, enlarged for the number of fitted
        parameters.
        """
        noise_T = (y_T - fit_T) * np.sqrt(len(y_T) / (len(y_T) - free))
        drawn_BT: np.ndarray = (
            fit_T + noise_T[random.integers(0, len(noise_T), (DRAWS // 4, len(noise_T)))]
        )
        return drawn_BT

    y_T = y_T - y_T.mean()
    best, gain = (float(array_B[0]) for array_B in fitted(y_T[None]))
    _, null_B = fitted(noisy(line @ (line.T @ y_T), 2))
    basis_TJ = basis_CTJ[int(best)]
    draw_B = candidate_C[fitted(noisy(basis_TJ @ (basis_TJ.T @ y_T), 4))[0]]
    hinge = np.column_stack([line_T2, np.maximum(t_T - candidate_C[int(best)], 0)])
    _, before, more = np.linalg.lstsq(hinge, y_T, rcond=None)[0]
    straight = float((null_B >= gain).mean())
    step = _interval(float(candidate_C[int(best)]), draw_B, t_T) if straight <= 1 - LEVEL else None
    return Bend(step, float(before), float(before + more), straight, draw_B)


def _interval(value: float, draw_B: np.ndarray, step_T: Sequence[int] | np.ndarray) -> Estimate:
    """Percentiles, their deviations stretched by t / z for the curve's few steps, and half a grid
    cell wider on either side.
    """
    quantile, count = (1 + LEVEL) / 2, len(step_T)
    stretch = distributions.t.ppf(quantile, count - 4) / distributions.norm.ppf(quantile)
    cell = float(np.diff(step_T).mean()) / GRID / 2
    lower, upper = value + stretch * (np.quantile(draw_B, [1 - quantile, quantile]) - value)
    how = f"residuals of {count} steps drawn anew"
    return Estimate(value, min(value, float(lower)) - cell, max(value, float(upper)) + cell, how)


def course_of(
    steps: Sequence[int], execution_T: np.ndarray, plans_T: np.ndarray, address: str
) -> Course:
    """The course described by two curves."""
    execution, plans = (
        bend(steps, execution_T, f"{address}/execution"),
        bend(steps, plans_T, f"{address}/plans"),
    )
    lag = None
    if execution.step is not None and plans.step is not None:
        lag = _interval(
            plans.step.value - execution.step.value, plans.draw_B - execution.draw_B, steps
        )
    return Course(tuple(steps), execution_T, plans_T, execution, plans, lag)


def read_course(
    policy: Policy,
    rollouts: Mapping[int, Sequence[Rollout]],
    grams: Sequence[str],
    plans: int,
    address: str,
) -> Course:
    """The course of a run from the rollouts stored at each step, with the logprobs of the policy
    that wrote them.

    Args:
        policy: Only its tokenizer is used; its weights are not read.
        rollouts: By training step.
        grams: Strategic ones, or random ones for the null.
        plans: Uses of grams that the entropy is rarefied to; lowered to the fewest of any step.
        address: Seeds the resampling.

    Raises:
        ComponentError: If there are no grams, a step has no execution token or fewer than two uses
            of a gram, or steps are too few.
    """
    if not grams:
        raise ComponentError(
            "A course needs grams", do="Give strategic grams, or mine them from more completions"
        )
    pattern, surprise, counts = gram_pattern(grams), [], []
    column: dict[str, int] = {}
    for groups in rollouts.values():
        batch = pack(policy, [replace(group, rewards=None, parts={}) for group in groups], 1.0)
        execution_NT = batch.mask_NT & ~gram_mask(policy, batch, grams)
        surprise.append(-float(batch.sampler_logprob_NT[execution_NT].double().mean()))
        tally: dict[int, int] = {}
        for group in groups:
            for completion in group.completions:
                for gram, _ in uses(completion.said, pattern):
                    index = column.setdefault(gram, len(column))
                    tally[index] = tally.get(index, 0) + 1
        counts.append(tally)
    count_TA = np.array(
        [[tally.get(index, 0) for index in range(len(column))] for tally in counts]
    ).reshape(len(counts), -1)
    fewest = min(plans, int(count_TA.sum(axis=1).min()))
    if fewest < 2:
        raise ComponentError(
            "A step uses the grams too rarely",
            value=f"{fewest} uses",
            allowed="2 or more in every step",
            do="Choose other grams",
        )
    return course_of(
        list(rollouts), np.array(surprise), rarefied_entropy(count_TA, fewest), address
    )
