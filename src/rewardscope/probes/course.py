"""Whether a run improves execution before planning: where curves over training steps bend, and
whether those of random grams bend too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, gram_mask, pack
from rewardscope.policy.grams import gram_pattern
from rewardscope.probes.bends import Bend, bend, interval
from rewardscope.probes.strategic import rarefied_entropy, uses
from rewardscope.stats import Estimate
from rewardscope.types import Rollout


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
        lag = interval(
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
