"""What is solved at each level of difficulty."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

OURS = Ours(
    Section(
        "ladder",
        "Rung by rung",
        "Problems of each level, or of each combination of facts that the study names, apart. "
        "Verified: the answer is right and every written step is right too; a right answer by a "
        "wrong way does not count.",
        short="Ladder",
        lines=(
            Line("ladder/pass_at_k", "pass@{k}, level {level}", every_k=True),
            Line("ladder/verified_at_k", "verified pass@{k}, level {level}", every_k=True),
        ),
    ),
    probes=("Ladder",),
)
