"""The problems that a run has met so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training.arm import Arm
from rewardscope.types import Rollout


@dataclass
class Past:
    """The history of a run that a regime may read. It is restored from the stored rollouts, so a
    resumed run has the same history.
    """

    arm: Arm
    seed: int
    history: dict[int, list[tuple[int, float]]] = field(default_factory=dict)

    def indices(self, step: int) -> list[int]:
        """Indices of the step's training problems, for all sampling rounds."""
        regime, count = self.arm.regime, self.arm.problems_per_step
        rounds = range(self.arm.sampling_rounds)
        return [
            index
            for sampling_round in rounds
            for index in regime.indices(self.seed, step, count, self.history, sampling_round)
        ]

    def met(self, step: int, indices: Sequence[int], rollouts: Sequence[Rollout]) -> None:
        """Records how often each problem was solved."""
        for index, rollout in zip(
            indices, rollouts, strict=False
        ):  # the last rounds may not have been sampled
            if rollout.pass_rate is not None:
                self.history.setdefault(index, []).append((step, rollout.pass_rate))

    def recall(self, steps: int, cell: CellDirectory) -> None:
        """Restores the history of the finished steps."""
        for step in range(steps if self.arm.regime.uses_truth else 0):
            self.met(
                step, self.indices(step), list(read_rollouts(cell.step_file("rollouts", step)))
            )
