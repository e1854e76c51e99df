"""What is solved within k draws."""

from collections.abc import Mapping

from rewardscope.report.blocks import Block, Panel, figure, tables
from rewardscope.report.charts import k_curves
from rewardscope.report.marks import Mark, without_band
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
        Line("boundary/vote_at_k", "vote of {k} draws", "how often the commonest answer is right"),
        Line("boundary/sampling_gap", "untrained pass@{k} minus trained pass@1"),
        Line("boundary/crossing_k", "k at which the untrained policy overtakes", unknown="never"),
        Line("boundary/support_retention", "share kept of what the untrained policy solves"),
        Line(
            "boundary/split_retention",
            "the same at k = {k}, two sets of draws, untrained against {against}",
            "against itself is the null: what a policy that did not move would keep",
        ),
        Line(
            "boundary/shrunk_beyond_null",
            "problems lost at k = {k} beyond that null",
            "above 0: lost more than a second set of the untrained policy's own draws",
        ),
        Line("boundary/expanded_beyond_null", "problems won at k = {k} beyond that null"),
        Line("boundary/discovery", "share new among what is solved"),
        Line("boundary/support_change", "won minus lost, over all that either solves"),
    ),
    more=(
        Line("boundary/difference", "pass@{k}, trained minus untrained", every_k=True),
        Line(
            "boundary/difference_strict", "strict pass@{k}, trained minus untrained", every_k=True
        ),
        Line(
            "boundary/split_problems",
            "problems {class}, expected at k = {k}, untrained against {against}",
        ),
        Line("boundary/crossing_share", "bootstrap draws in which the untrained policy overtakes"),
    ),
    caption="Share of held-out problems that at least one of k completions solves. Bands are "
    f"{LEVEL_TEXT} intervals: over seeds and problems where an arm has two seeds or more, over "
    "problems alone for the untrained policy and for single seeds; the tooltip says which. All "
    "policies answered the same problems with the same random draws. Overlapping bands are not "
    "a test: differences are paired, and the verdicts above test them.",
)


def pass_at_k_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """pass@k under the tolerant and the strict extractor, side by side for each start: untrained
    policy, treatments, placebos.
    """
    measures = (
        (
            "boundary/pass_at_k",
            "Tolerant extraction",
            "the answer is taken from the text in any format",
        ),
        (
            "boundary/pass_at_k_strict",
            "Strict extraction",
            "the answer counts only in the place and format that the prompt asked for",
        ),
    )
    panels = []
    for start in run.starts:
        plain = without_band(run.arms_of(start), marks)
        for metric, heading, counted in measures:
            rows = pass_at_k(run, start, metric, plain)
            text = (
                f"pass@k on held-out problems, {heading.lower()} ({counted}), untrained policy and "
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
    """The curves, and the comparison with the untrained policy."""
    panels = pass_at_k_panels(run, marks)
    curves = figure("boundary", run, panels, SECTION.caption, untrained=True)
    return [curves, *tables(SECTION, run, "Compared with the untrained policy")]


OURS = Ours(
    SECTION,
    blocks,
    probes=("Boundary",),
    draws=frozenset({"boundary/pass_at_k", "boundary/pass_at_k_strict"}),
)
