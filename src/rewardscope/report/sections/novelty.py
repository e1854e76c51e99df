"""Whether what was newly solved was within reach."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

OURS = Ours(
    Section(
        "novelty",
        "Found or made",
        "What the trained policy solves with every checked step right: within reach if the "
        "untrained policy drew it too, or would find it, itself or sharpened, in as many tries as "
        "the instrument allows (16,384 unless the study says otherwise); created if it would not "
        "in ten times as many. “Any” is all formats together.",
        lines=(
            Line(
                "novelty/reached_share",
                "within reach of the untrained, of what is solved: {strategy}",
            ),
            Line("novelty/created_share", "created, of what is solved: {strategy}"),
            Line(
                "novelty/log_probability",
                "log-probability of what is newly solved, {of}",
                where={"strategy": "any"},
            ),
            Line("novelty/sharpened_pass", "pass@1 of the untrained, sharpened to match"),
            Line("novelty/sharpening_power", "power it was sharpened by"),
        ),
        more=(
            Line("novelty/problems", "problems solved in {strategy}: {class}"),
            Line(
                "novelty/verdict",
                "verdict on {strategy}: {verdict}",
                "and the share that it stands on",
            ),
        ),
    ),
    probes=("Novelty",),
    draws=frozenset({"novelty/find"}),  # of single problems, which stand in the files alone
)
