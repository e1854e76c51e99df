"""What is solved within k tries."""

from collections.abc import Mapping

from rewardscope.report.blocks import Block, Panel, figure, tables
from rewardscope.report.charts import k_curves
from rewardscope.report.marks import Mark
from rewardscope.report.rows import Run
from rewardscope.report.sections.base import Ours
from rewardscope.report.summaries import pass_at_k
from rewardscope.report.wording import LEVEL_TEXT
from rewardscope.section import Line, Section

UNIT = "share of problems solved in k draws"
SECTION = Section(
    "boundary",
    "pass@k on held-out problems",
    short="pass@k",
    lines=(
        Line("boundary/vote_at_k", "vote of {k} draws", "right answers of the commonest answer"),
        Line("boundary/sampling_gap", "untrained pass@{k} less trained pass@1"),
        Line("boundary/crossing_k", "k at which the untrained overtakes"),
        Line("boundary/support_retention", "kept of what the untrained solves"),
        Line("boundary/discovery", "new among what is solved"),
        Line("boundary/support_change", "won less lost, of all that either solves"),
    ),
    more=(
        Line("boundary/difference", "pass@{k}, trained less untrained", every_k=True),
        Line("boundary/difference_strict", "strict pass@{k}, trained less untrained", every_k=True),
        Line("boundary/crossing_share", "bootstrap draws in which the untrained overtakes"),
    ),
    caption="Share of held-out problems that at least one of k completions solves. Bands are "
    f"{LEVEL_TEXT} intervals: over seeds and problems where an arm has two seeds or more, over "
    "problems alone for the untrained policy and for single seeds; the tooltip says which. All "
    "policies met the same problems with the same draws. Overlapping bands are no test: "
    "differences are paired, and the verdicts above test them.",
)


def pass_at_k_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """pass@k under the tolerant and the strict extractor, side by side for each start: untrained
    policy, treatments, placebos.
    """
    measures = (
        (
            "boundary/pass_at_k",
            "Tolerant extraction",
            "the answer is taken from the text however it is dressed",
        ),
        (
            "boundary/pass_at_k_strict",
            "Strict extraction",
            "the answer counts only where and how the prompt asked for it",
        ),
    )
    panels = []
    for start in run.starts:
        for metric, heading, what in measures:
            rows = pass_at_k(run, start, metric)
            text = (
                f"pass@k on held-out problems, {heading.lower()} ({what}), untrained policy and "
                f"arms that began at {start}"
            )
            panels.append(
                Panel(
                    start,
                    heading,
                    k_curves(rows, marks, UNIT, text, "pass@k") if rows else None,
                    f"No {metric} has been measured for {start}.",
                )
            )
    return panels


def blocks(run: Run, marks: Mapping[str, Mark]) -> list[Block]:
    """The curves, and what stands beside the untrained policy."""
    panels = pass_at_k_panels(run, marks)
    curves = figure("boundary", run, panels, SECTION.caption, untrained=True)
    return [curves, *tables(SECTION, run, "Beside the untrained policy")]


OURS = Ours(
    SECTION,
    blocks,
    probes=("Boundary",),
    draws=frozenset({"boundary/pass_at_k", "boundary/pass_at_k_strict"}),
)
