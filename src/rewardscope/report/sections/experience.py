"""Whether a policy uses what its bank recalls."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

OURS = Ours(
    Section(
        "experience",
        "What recalled experience does",
        "The same problems and draws behind three blocks of equal length: what the bank recalls, "
        "filler, and what it recalls for another category. A policy that does not read its block "
        "loses nothing.",
        short="Experience",
        lines=(
            Line("experience/with_block", "accuracy with what is recalled"),
            Line("experience/without_block", "accuracy behind filler"),
            Line("experience/swapped_block", "accuracy behind another category's"),
            Line("experience/lost_without", "lost behind filler", "0: the block is not used"),
            Line("experience/lost_swapped", "lost behind another category's"),
        ),
    ),
    probes=("Experience",),
)
