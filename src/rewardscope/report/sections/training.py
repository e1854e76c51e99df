"""The reward over training steps, and the true correctness."""

from collections.abc import Mapping

from rewardscope.report.blocks import Block, Panel, figure
from rewardscope.report.marks import Mark
from rewardscope.report.rows import Run
from rewardscope.report.sections.base import Ours
from rewardscope.report.sections.plain import steps_panel
from rewardscope.report.summaries import steps_per_point
from rewardscope.section import Chart, Section

TAUGHT, HELD_OUT = "credit/taught_share", "heldout/pass_at_1"
"""Step columns that only self-distillation, and only an interim evaluation, write."""
CURVES = (
    Chart("steps", "reward_mean", "Reward", "mean reward per completion"),
    Chart("steps", "correct_share", "True correctness", "share of completions correct"),
    Chart(
        "steps",
        HELD_OUT,
        "Held-out problems during training",
        "pass@1 of a few draws, mean over problems",
    ),
    Chart("steps", TAUGHT, "Evidence for the teacher", "share of completions with evidence"),
)
"""Columns of the step table; an optional one has no panel in a run without it."""
ALWAYS = {"reward_mean", "correct_share"}
SECTION = Section(
    "training",
    "Training curves",
    charts=CURVES,
    caption="Reward: what the learner received. True correctness: the share that was right, which "
    "only arms with the key were rewarded for. Both are on problems of the training split, fresh "
    "at each step. Studies with interim evaluation also show held-out problems; arms with a "
    "teacher show how many completions it had evidence for. Lines are means over seeds; bands "
    "reach from the lowest to the highest seed.",
)


def training_panels(run: Run, marks: Mapping[str, Mark]) -> list[Panel]:
    """A panel for each curve, side by side for each start."""
    panels = []
    for start in run.starts:
        for chart in SECTION.charts:
            panel = steps_panel(run, marks, start, chart)
            if panel.spec or chart.metric in ALWAYS:
                panels.append(panel)
    return panels


def blocks(run: Run, marks: Mapping[str, Mark]) -> list[Block]:
    """The curves."""
    together = steps_per_point(run)
    point = "" if together == 1 else f" Each point is the mean of {together} steps."
    return [figure("training", run, training_panels(run, marks), SECTION.caption + point)]


OURS = Ours(SECTION, blocks, always=True)
