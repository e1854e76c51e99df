"""A section of the page that comes with this package."""

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
    """Its own charts; None = the declared charts, drawn like a guest's."""
    probes: tuple[str, ...] = ()
    """Instruments that require it: a study with one of them shows it, empty or not."""
    draws: frozenset[str] = frozenset()
    """Metrics that its own charts show besides those that the section names."""
    always: bool = False

    @property
    def metrics(self) -> frozenset[str]:
        """Every metric that it shows."""
        return self.section.metrics | self.draws
