"""A run directory of this package, read as any other run is (:class:`RunSource`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rewardscope.errors import RunDirectoryError
from rewardscope.store.directory import CellDirectory, RunDirectory
from rewardscope.store.tables import read_rollouts
from rewardscope.types import Gap, Rollout

UNFINISHED = "the end of training"


@dataclass(frozen=True)
class StoredRun:
    """The run in a directory that `rewardscope run` made; the first of the run sources."""

    directory: RunDirectory

    @cached_property
    def _record(self) -> dict[str, Any]:
        return self.directory.record()

    def _arm(self, name: str) -> dict[str, Any]:
        """What study.json says of an arm.

        Raises:
            RunDirectoryError: If the study has none of this name.
        """
        for arm in self._record["arms"]:
            if arm["name"] == name:
                return dict(arm)
        raise RunDirectoryError(
            "The run has no such arm",
            value=name,
            allowed=", ".join(self.arms),
            do="Check the spelling",
        )

    def _cell(self, arm: str, seed: int | None) -> CellDirectory:
        """Its directory.

        Raises:
            RunDirectoryError: If the arm was not run under this seed.
        """
        entry = self._arm(arm)
        name = entry["base_cell"] if seed is None else entry["cells"].get(str(seed))
        if name is None:
            raise RunDirectoryError(
                f"The run has no such seed of arm {arm}",
                value=seed,
                allowed=", ".join(map(str, self.seeds(arm))),
                do="Take one that it has",
            )
        return self.directory.cell(name)

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self._record["name"])

    @property
    def arms(self) -> tuple[str, ...]:
        """In the order of the study."""
        return tuple(str(arm["name"]) for arm in self._record["arms"])

    def seeds(self, arm: str) -> tuple[int, ...]:
        """Every seed that the study asks for, run or not."""
        return tuple(int(seed) for seed in self._arm(arm)["cells"])

    def steps(self, arm: str, seed: int) -> tuple[int, ...]:
        """Steps whose completions are on disk."""
        files = (self._cell(arm, seed).path / "rollouts").glob("step_*.parquet")
        return tuple(sorted(int(file.stem.removeprefix("step_")) for file in files))

    def rollouts(self, arm: str, seed: int, step: int) -> Iterator[Rollout]:
        """Those of one step, with what the learner was told.

        Raises:
            RunDirectoryError: If the table is missing or damaged.
        """
        yield from read_rollouts(self._cell(arm, seed).step_file("rollouts", step))

    def held_out(self, arm: str, seed: int | None) -> Iterator[Rollout]:
        """Those of the last evaluation there is."""
        files = sorted((self._cell(arm, seed).path / "evaluation").glob("step_*.parquet"))
        if files:
            yield from read_rollouts(files[-1])

    def metrics(self, arm: str, seed: int) -> Iterator[Mapping[str, object]]:
        """The step table."""
        yield from self._cell(arm, seed).steps()

    def checkpoints(self, arm: str, seed: int) -> Mapping[int, Path]:
        """The finished ones."""
        cell = self._cell(arm, seed)
        return {step: cell.checkpoint(step) for step in cell.checkpoints()}

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Cells that are not finished, and what instruments could not measure."""
        unfinished: list[Gap] = []
        for arm in self.arms:
            for seed in self.seeds(arm):
                status = self._cell(arm, seed).status()
                if status["state"] != "done":
                    reason = str(status.get("reason") or status["state"])
                    unfinished.append(
                        Gap(of=UNFINISHED, arm=arm, seed=seed, step=status["step"], failure=reason)
                    )
        return (*unfinished, *self.directory.gaps())
