"""Whether newly solved problems were within the untrained policy's reach."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

OURS = Ours(
    Section(
        "novelty",
        "Activated or created",
        "Problems that the trained policy solves with every checked step right. They are within "
        "reach if the untrained policy drew a solution too, or would find one, itself or "
        "sharpened, in as many tries as the instrument allows (16,384 unless the study says "
        "otherwise). They are created if it would not in ten times as many. “Any” means all "
        "formats together.",
        lines=(
            Line(
                "novelty/reached_share",
                "share of the solved that was within reach: {strategy}",
            ),
            Line("novelty/created_share", "share of the solved that was created: {strategy}"),
            Line(
                "novelty/log_probability",
                "log-probability of newly found solutions, {of}",
                where={"strategy": "any"},
            ),
            Line("novelty/sharpened_pass", "pass@1 of the untrained policy, sharpened to match"),
            Line("novelty/sharpening_power", "power used for sharpening"),
        ),
        more=(
            Line(
                "novelty/effective_draws",
                "draws that this rests on, {of}",
                "of at most 64; where few, nothing is called created",
                where={"strategy": "any"},
            ),
            Line("novelty/problems", "problems solved in {strategy}: {class}"),
            Line(
                "novelty/verdict",
                "verdict on {strategy}: {verdict}",
                "and the share that it rests on",
            ),
        ),
    ),
    probes=("Novelty",),
    draws=frozenset({"novelty/find"}),  # rows of single problems, which are only in the files
)
