"""How sure a policy is where it plans and where it executes."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

TOKENS = {"grams": "strategic"}
OURS = Ours(
    Section(
        "phases",
        "Planning and execution",
        "A token plans if it lies in a strategic gram; the others execute. Random grams are as "
        "frequent: an effect that they show too is not about planning. On “base”, the texts are "
        "the untrained policy's, the same for every arm.",
        short="Phases",
        lines=(
            Line("phases/entropy", "entropy, {tokens} tokens, {grams} grams"),
            Line("phases/perplexity", "perplexity, {tokens} tokens, on {on}", where=TOKENS),
            Line(
                "phases/semantic_entropy",
                "entropy of the plans, {grams} grams",
                "high: many different grams",
            ),
            Line(
                "phases/conditional_entropy",
                "entropy of the word after a gram, {grams} grams",
            ),
        ),
        more=(
            Line("phases/token_share", "share of {tokens} tokens, {grams} grams"),
            Line("phases/surprise_change", "change of surprise, {tokens} tokens, {grams}, on {on}"),
            Line(
                "phases/perplexity",
                "perplexity, {tokens} tokens, on {on}, random grams",
                where={"grams": "random"},
            ),
        ),
    ),
    probes=("Phases",),
)
