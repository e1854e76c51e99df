"""What a run has met so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rewardscope.store import CellDirectory, read_rollouts
from rewardscope.training.arm import Arm
from rewardscope.types import Rollout


@dataclass
class Past:
    """What a regime may know of the run so far; read back from the stored rollouts, so that a
    resumed run knows the same.
    """

    arm: Arm
    seed: int
    history: dict[int, list[tuple[int, float]]] = field(default_factory=dict)

    def indices(self, step: int) -> list[int]:
        """Training problems of the step, those of every sampling round."""
        regime, count = self.arm.regime, self.arm.problems_per_step
        rounds = range(self.arm.sampling_rounds)
        return [
            index
            for each in rounds
            for index in regime.indices(self.seed, step, count, self.history, each)
        ]

    def met(self, step: int, indices: Sequence[int], rollouts: Sequence[Rollout]) -> None:
        """Remembers how often each was solved."""
        for index, rollout in zip(
            indices, rollouts, strict=False
        ):  # a round that was not needed was not sampled
            if rollout.pass_rate is not None:
                self.history.setdefault(index, []).append((step, rollout.pass_rate))

    def recall(self, steps: int, cell: CellDirectory) -> None:
        """Lives through the finished steps again."""
        for step in range(steps if self.arm.regime.uses_truth else 0):
            self.met(
                step, self.indices(step), list(read_rollouts(cell.step_file("rollouts", step)))
            )
