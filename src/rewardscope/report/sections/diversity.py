"""How varied a policy's output is, and how far it has moved from its base."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

OURS = Ours(
    Section(
        "diversity",
        "Diversity, and distance from the start",
        "Counts are rarefied to equal numbers of draws. A policy that repeats itself is less "
        "diverse, whether or not it is right. The KL shows how far a policy has moved from its "
        "start, for whatever reason: compare it with the placebo's.",
        short="Diversity",
        lines=(
            Line("diversity/distinct_answers", "different answers in {k} draws"),
            Line("diversity/distinct_completions", "different texts in {k} draws"),
            Line("diversity/answer_entropy", "entropy of answers"),
            Line("diversity/single_strategy", "chance that {k} draws show one format"),
            Line("losses/kl_to_base", "KL from trained to untrained, per completion"),
            Line("losses/kl_from_base", "KL from untrained to trained, per completion"),
            Line("losses/base_text_perplexity", "perplexity on the untrained policy's texts"),
            Line("losses/text_perplexity", "perplexity on fixed texts"),
        ),
        more=(
            Line("diversity/answers_differ", "chance that two draws differ in their answer"),
            Line(
                "diversity/right_answers_differ",
                "chance that two right draws differ in their answer",
                "becoming surer alone need not lower it",
            ),
            Line("diversity/pass_slope", "gain per doubling of draws, up to {k}"),
            Line("losses/text_kl", "KL from untrained to trained, per token of fixed texts"),
        ),
    ),
    probes=("Diversity", "Losses"),
)
