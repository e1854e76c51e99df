"""A section of the page that this package brings with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rewardscope.report.blocks import Block
from rewardscope.report.marks import Mark
from rewardscope.report.rows import Run
from rewardscope.section import Section

Blocks = Callable[[Run, Mapping[str, Mark]], list[Block]]


@dataclass(frozen=True)
class Ours:
    """One section of ours: what it says, and how it is drawn."""

    section: Section
    blocks: Blocks | None = None
    """Its own drawings; None = what the section declares, drawn as anybody's."""
    probes: tuple[str, ...] = ()
    """Instruments that owe it something: a study with one of them shows it, empty or not."""
    draws: frozenset[str] = frozenset()
    """Metrics that its own drawings show beside those that the section names."""
    always: bool = False

    @property
    def metrics(self) -> frozenset[str]:
        """Every metric that it shows."""
        return self.section.metrics | self.draws
