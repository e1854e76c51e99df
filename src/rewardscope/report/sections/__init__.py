"""The sections between verdicts and completions: ours in their order, then those of guests, then
every number that no section shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rewardscope.report.blocks import Block, Shown, gap_sentences
from rewardscope.report.marks import Mark
from rewardscope.report.rows import Run
from rewardscope.report.sections import (
    boundary,
    calibration,
    diversity,
    elicitation,
    experience,
    formats,
    ladder,
    novelty,
    phases,
    problems,
    training,
    weights,
)
from rewardscope.report.sections.base import Ours
from rewardscope.report.sections.plain import plain_blocks
from rewardscope.section import Line, Section
from rewardscope.types import Gap

SECTIONS: tuple[Ours, ...] = (
    training.OURS,
    boundary.OURS,
    problems.OURS,
    ladder.OURS,
    novelty.OURS,
    elicitation.OURS,
    formats.OURS,
    phases.OURS,
    diversity.OURS,
    calibration.OURS,
    experience.OURS,
    weights.OURS,
)
"""Every section of ours, in the order of the page."""
GUEST = "own-"
"""Prefix of the id of a guest's section, so that it cannot clash with one of ours."""


def sections_of(run: Run, marks: Mapping[str, Mark]) -> list[Shown]:
    """Every section that the run has content for, or that one of its instruments requires."""
    shown = [_ours(ours, run, marks) for ours in SECTIONS]
    known = frozenset(metric for ours in SECTIONS for metric in ours.metrics)
    for index, section in enumerate(run.sections):
        name = f"{GUEST}{section.name}"
        if any(name == f"{GUEST}{other.name}" for other in run.sections[:index]):
            name += f"-{index + 1}"
        own = replace(section, name=name)
        shown.append(_shown(own, plain_blocks(own, run, marks), section.metrics, run))
        known |= section.metrics
    other = _other(run, known)
    shown.append(_shown(other, plain_blocks(other, run, marks), None, run, known))
    return [section for section in shown if section is not None]


def _ours(ours: Ours, run: Run, marks: Mapping[str, Mark]) -> Shown | None:
    section, owed = ours.section, ours.always or bool(run.instruments & set(ours.probes))
    has_numbers = not run.measurements.is_empty() and bool(
        ours.metrics & set(run.measurements["metric"].unique().to_list())
    )
    if not owed and not has_numbers and not _gaps(run.gaps, ours.metrics):
        return None
    blocks = ours.blocks(run, marks) if ours.blocks else plain_blocks(section, run, marks)
    return _shown(section, blocks, ours.metrics, run, owed=owed)


def _shown(
    section: Section,
    blocks: Sequence[Block],
    metrics: frozenset[str] | None,
    run: Run,
    known: frozenset[str] = frozenset(),
    owed: bool = False,
) -> Shown | None:
    """The section with its gaps; None where it has nothing to show and is not required."""
    gaps = _gaps(run.gaps, metrics, known)
    if not blocks and not gaps and not owed:
        return None
    short = section.short or section.title
    return Shown(section.name, section.title, short, section.explains, tuple(blocks), gaps)


def _gaps(
    gaps: Sequence[Gap], metrics: frozenset[str] | None, known: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Why numbers of these metrics are missing, each reason once; metrics None = all that no
    section knows.
    """
    about = [
        gap
        for gap in gaps
        if (set(gap.metrics) & metrics if metrics is not None else set(gap.metrics) - known)
    ]
    return tuple(f"{reason} ({of})" for reason, of in gap_sentences(about))


def _other(run: Run, known: frozenset[str]) -> Section:
    """The metrics that no section shows, as the run names them."""
    metrics = run.measurements["metric"].unique(maintain_order=True).drop_nulls().to_list()
    lines = [Line(name, name.replace("/", ": ").replace("_", " ")) for name in metrics]
    return Section(
        "other",
        "Other measurements",
        "Numbers from instruments that declare no section of their own, under their names in "
        "the run.",
        tuple(line for line in lines if line.metric not in known),
    )
