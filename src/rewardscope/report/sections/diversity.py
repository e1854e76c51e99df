"""How many different things a policy says, and how far it has left its base."""

from rewardscope.report.sections.base import Ours
from rewardscope.section import Line, Section

OURS = Ours(
    Section(
        "diversity",
        "Diversity, and what was left behind",
        "Counts are rarefied to equal numbers of draws. A policy that says one thing is less "
        "diverse, whether or not it is right. The KL says how far a policy has left where it "
        "began, for whatever reason: compare it with the placebo's.",
        short="Diversity",
        lines=(
            Line("diversity/distinct_answers", "different answers in {k} draws"),
            Line("diversity/distinct_completions", "different texts in {k} draws"),
            Line("diversity/answer_entropy", "entropy of answers"),
            Line("diversity/single_strategy", "chance that {k} draws show one format"),
            Line("losses/kl_to_base", "KL from trained to untrained, a completion"),
            Line("losses/kl_from_base", "KL from untrained to trained, a completion"),
            Line("losses/base_text_perplexity", "perplexity on the untrained policy's texts"),
            Line("losses/text_perplexity", "perplexity on fixed texts"),
        ),
        more=(
            Line("diversity/answers_differ", "chance that two draws differ in their answer"),
            Line(
                "diversity/right_answers_differ",
                "chance that two right draws differ in their answer",
                "a policy that is only surer keeps it",
            ),
            Line("diversity/pass_slope", "what each doubling of draws wins, up to {k}"),
            Line("losses/text_kl", "KL from untrained to trained, a token of fixed texts"),
        ),
    ),
    probes=("Diversity", "Losses"),
)
