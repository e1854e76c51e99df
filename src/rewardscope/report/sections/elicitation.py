"""How much of the gain another way of asking elicits."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

OURS = Ours(
    Section(
        "elicitation",
        "What other ways of asking elicit",
        "Other prompts, forced openings, examples, temperatures and sharpening, on the same "
        "problems. Gain beyond elicitation is the trained policy as sampled, minus the untrained "
        "one asked in its best way. That way is chosen on one half of the problems and judged on "
        "the other. “Ways without the key” leave out solved examples.",
        short="Elicitation",
        lines=(
            Line("elicitation/gain", "gain, as sampled", "trained minus untrained pass@1"),
            Line(
                "elicitation/gain_beyond",
                "gain beyond the best way of asking, {among}",
                "0: other ways of asking reach all of it",
            ),
            Line("elicitation/gain_best_to_best", "gain, both asked in their best way, {among}"),
            Line(
                "elicitation/share_reached",
                "share of the gain that other ways of asking reach, {among}",
                "1: all of it; unknown without a gain",
            ),
            Line("elicitation/pass_at_k", "pass@1: {way}", where={"k": "1"}),
        ),
        more=(
            Line("elicitation/pass_at_k", "pass@{k}: {way}"),
            Line("elicitation/chosen", "problems judged in the way {way}, {among}"),
            Line(
                "elicitation/effective_draws",
                "effective number of weighted draws: {way}",
                "near 1: the likeliest draw decides",
            ),
        ),
    ),
    probes=("Elicitation",),
)
