"""Whether a policy uses what its bank recalls."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

OURS = Ours(
    Section(
        "experience",
        "The effect of recalled experience",
        "The same problems and draws after three blocks of equal length: what the bank recalls, "
        "filler, and what it recalls for another category. A policy that does not read its block "
        "loses nothing.",
        short="Experience",
        lines=(
            Line("experience/with_block", "accuracy with what is recalled"),
            Line("experience/without_block", "accuracy with filler instead"),
            Line("experience/swapped_block", "accuracy with another category's block"),
            Line("experience/lost_without", "lost with filler instead", "0: the block is not used"),
            Line("experience/lost_swapped", "lost with another category's block"),
        ),
    ),
    probes=("Experience",),
)
