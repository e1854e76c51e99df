"""A figure known beforehand, and rollouts made by hand to point instruments at."""

from dataclasses import dataclass, replace
from typing import Any

from rewardscope import Chain, Organism, Sampling
from rewardscope.probes import Evidence
from rewardscope.types import Completion, Ending, Grade, Problem, Rollout

POLICY = Organism("formats-planted").load()
PROBLEM = Problem("", "Chain", "3+4?", "7")


@dataclass(frozen=True)
class Check:
    """One figure that is known beforehand."""

    instrument: str
    kind: str
    """sensitivity, null or coverage."""
    what: str
    found: float
    lowest: float
    highest: float
    n: str
    before: float | None = None
    """What the same check found before its instrument was mended; None = it was not mended."""

    @property
    def held(self) -> bool:
        """Whether it came out as it had to."""
        return bool(self.lowest <= self.found <= self.highest)


def group(name: int, pairs: list[tuple[float | None, bool, str]]) -> Rollout:
    """A problem's draws as (confidence, correct, answer)."""
    grades = tuple(Grade(c, c, True, answer, confidence=q) for q, c, answer in pairs)
    completions = tuple(
        Completion(answer, (1,), (-1.0,), Ending.END_TOKEN) for _, _, answer in pairs
    )
    return Rollout(replace(PROBLEM, id=f"{name:016x}"), 0, completions, grades)


def evidence(rollouts: list[Rollout], **more: object) -> Evidence:
    """The rollouts as some policy's."""
    settings: dict[str, Any] = {"policy": POLICY, "strategies": Chain.strategies, **more}
    settings.setdefault("sampling", Sampling())
    return Evidence("validation", "arm", 0, 1, tuple(rollouts), **settings)
