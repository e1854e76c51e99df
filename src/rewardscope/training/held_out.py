"""Evaluation during training: at regular steps, a few draws on held-out problems."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rewardscope.experience import BankState
from rewardscope.policy import Policy, Sampling
from rewardscope.protocols import Environment, Sampler
from rewardscope.seeds import Address
from rewardscope.store import CellDirectory, write_rollouts
from rewardscope.training.experience import recalled
from rewardscope.training.groups import roll_out
from rewardscope.types import Problem, Rollout

HELD_OUT = "heldout"
"""Columns of a step row begin with it, and the completions lie in a folder of this name."""


@dataclass(frozen=True)
class HeldOut:
    """Held-out problems to evaluate on every ``every`` steps, including step 0.

    Draws are addressed by the problem alone, so they are the same in every arm and at every step.
    """

    environment: Environment
    problems: tuple[Problem, ...]
    draws: int
    every: int

    def row(
        self,
        policy: Policy,
        sampler: Sampler,
        bank: BankState | None,
        sampling: Sampling,
        cell: CellDirectory,
        step: int,
    ) -> dict[str, float | None]:
        """Numbers for the step row, after ``step`` updates; empty at steps without an evaluation.
        The completions are stored first.

        Args:
            policy: The policy in training.
            sampler: Samples with its weights.
            bank: Recalled before each problem, as in training.
            sampling: The arm's own.
            cell: Stores the completions.
            step: Number of updates so far.
        """
        if step % self.every:
            return {}
        addresses: list[tuple[Address, ...]] = [("during", each.id) for each in self.problems]
        before = recalled(bank, self.environment, policy, self.problems, addresses)
        rollouts = roll_out(
            sampler,
            self.environment,
            self.problems,
            self.draws,
            sampling,
            step,
            addresses,
            before,
        )
        write_rollouts(cell.step_file(HELD_OUT, step), rollouts)
        return held_out_row(rollouts)


def held_out_row(rollouts: Sequence[Rollout]) -> dict[str, float | None]:
    """pass@1, its standard error, the number of problems, and the mean length of completions.

    p[i] is the share of right ones among the graded completions of problem i, for the P problems
    that have any. pass@1 = mean of p; standard error = std(p) / sqrt(P) with the P - 1 std. They
    are None with fewer than 1 and 2 such problems.
    """
    rates = [rollout.pass_rate for rollout in rollouts if rollout.pass_rate is not None]
    completions = [completion for rollout in rollouts for completion in rollout.completions]
    mean = sum(rates) / len(rates) if rates else None
    error = None
    if mean is not None and len(rates) > 1:
        square = sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1)
        error = math.sqrt(square / len(rates))
    return {
        f"{HELD_OUT}/pass_at_1": mean,
        f"{HELD_OUT}/pass_at_1_standard_error": error,
        f"{HELD_OUT}/problems": float(len(rates)),
        f"{HELD_OUT}/ungraded": float(
            sum(grade.correct is None for rollout in rollouts for grade in rollout.grades)
        ),
        f"{HELD_OUT}/length_tokens": sum(completion.length for completion in completions)
        / len(completions),
    }
