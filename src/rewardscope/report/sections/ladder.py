"""What is solved at each level of difficulty."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

OURS = Ours(
    Section(
        "ladder",
        "Levels of difficulty",
        "Problems are grouped by level, or by the combination of facts that the study names. "
        "Verified: the answer is right and every written step is right too; a right answer from "
        "wrong steps does not count.",
        short="Ladder",
        lines=(
            Line("ladder/pass_at_k", "pass@{k}, level {level}", every_k=True),
            Line("ladder/verified_at_k", "verified pass@{k}, level {level}", every_k=True),
        ),
    ),
    probes=("Ladder",),
)
