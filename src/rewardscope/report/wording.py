"""How numbers and texts are written on the page and in the terminal: one way for each."""

from collections.abc import Mapping
from typing import Any

from rewardscope.codec import FUNCTION, KIND, OF
from rewardscope.hostile import visible
from rewardscope.registry import SEPARATOR, readable
from rewardscope.stats import LEVEL
from rewardscope.types import Claim, Outcome

UNKNOWN = "unknown"
"""Shown where there is no number; never a zero."""
LEVEL_TEXT = f"{LEVEL:.0%}".replace("%", " %")
OUTCOME_TEXT = {
    Outcome.SUPPORTED: "supported",
    Outcome.REFUTED: "refuted",
    Outcome.UNDECIDED: "undecided",
    Outcome.NOT_RUN: "not run",
}
OUTCOME_GLYPH = {
    Outcome.SUPPORTED: "✓",
    Outcome.REFUTED: "✗",
    Outcome.UNDECIDED: "?",
    Outcome.NOT_RUN: "–",
}
METRIC_TEXT = {
    "boundary/pass_at_k": "pass@{k}",
    "boundary/pass_at_k_strict": "strict pass@{k}",
    "boundary/problems": "problems {class} at k = {k}",
    "behaviour/strategy_share": "share of completions in the {strategy} format",
    "behaviour/strategy_accuracy": "accuracy of completions in the {strategy} format",
    "behaviour/length_tokens": "completion length",
    "behaviour/ending_share": "share of completions ending by {ending}",
    "boundary/vote_at_k": "vote of {k} draws",
    "boundary/difference": "pass@{k}, trained minus untrained",
    "boundary/sampling_gap": "untrained pass@{k} minus trained pass@1",
    "diversity/distinct_answers": "different answers in {k} draws",
    "diversity/distinct_completions": "different texts in {k} draws",
    "diversity/answer_entropy": "entropy of answers",
    "diversity/answers_differ": "chance that two draws differ in their answer",
    "diversity/right_answers_differ": "chance that two right draws differ in their answer",
    "losses/kl_to_base": "KL from trained to untrained",
    "losses/kl_from_base": "KL from untrained to trained",
    "calibration/error": "calibration error ({view} confidence)",
    "calibration/brier": "Brier score ({view} confidence)",
    "calibration/auroc": "AUROC ({view} confidence)",
    "experience/with_block": "accuracy with what is recalled",
    "experience/without_block": "accuracy without what is recalled",
    "experience/swapped_block": "accuracy with what another category recalls",
    "weights/changed_share": "share of weights changed ({view}, {matrix})",
    "weights/update_norm": "norm of the update ({matrix})",
    "weights/relative_update_norm": "relative norm of the update ({matrix})",
}
NARROW = 22
"""Characters of a component that fit a narrow column."""


def visible_deep(value: Any) -> Any:
    """A JSON value whose texts, keys included, went through :func:`visible`; numbers without a JSON
    name become None.
    """
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible(str(name)): visible_deep(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible_deep(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def number(value: float | None) -> str:
    """The number in the precision the page uses: three decimals below 10, fewer above; below 0.01
    three digits, below 0.001 powers of ten.

    >>> number(0.5), number(-12.345), number(None), number(0.00213), number(0.00002)
    ('0.500', '−12.3', 'unknown', '0.00213', '2.0e−05')
    """
    if value is None or value != value:
        return UNKNOWN
    size = abs(value)
    if size < 1e-12:  # what is left of a difference of equal floats
        return "0"
    if size >= 100:
        text = f"{value:,.0f}".replace(",", " ")
    elif size >= 10:
        text = f"{value:.1f}"
    else:
        text = (
            f"{value:.3f}" if size >= 0.01 else f"{value:.5f}" if size >= 0.001 else f"{value:.1e}"
        )
    return text.replace("-", "−")


def signed(value: float | None) -> str:
    """The number with its sign, for differences.

    >>> signed(0.25), signed(-0.25), signed(0.0)
    ('+0.250', '−0.250', '0')
    """
    text = number(value)
    return f"+{text}" if value is not None and value > 0 else text


def span(lower: float | None, upper: float | None) -> str:
    """An interval of differences in words, or why there is none to show."""
    return (
        "no interval" if lower is None or upper is None else f"{signed(lower)} to {signed(upper)}"
    )


def metric_text(claim: Claim) -> str:
    """The claim's metric in words.

    >>> pass_at_1 = {"metric": "boundary/pass_at_k", "labels": {"k": "1"}}
    >>> metric_text(Claim(sentence="", treatment="a", control="b", **pass_at_1))
    'pass@1'
    """
    try:
        return METRIC_TEXT[claim.metric].format_map(claim.labels)
    except (KeyError, ValueError):
        labels = ", ".join(f"{name} {value}" for name, value in sorted(claim.labels.items()))
        return f"{claim.metric} ({labels})" if labels else claim.metric


def margin_text(claim: Claim) -> str:
    """Where the whole interval must lie for the claim to be supported."""
    margin = f"{abs(claim.margin):g}".replace("-", "−")
    if claim.expects == "same":
        return f"inside −{margin} to +{margin}"
    if claim.margin == 0:
        return "above 0" if claim.expects == "greater" else "below 0"
    return f"above +{margin}" if claim.expects == "greater" else f"below −{margin}"


def component_text(encoded: Any) -> str:
    """An encoded component as it would be written in a study file.

    A guest's component is followed by its module.

    >>> component_text({"is": "Coin", "p": 0.5})
    'Coin(p=0.5)'
    >>> component_text({"is": "my_study:Coin", "p": 0.5})
    'Coin(p=0.5) (my_study)'
    """
    if isinstance(encoded, Mapping):
        fields = ", ".join(
            f"{name}={component_text(item)}" for name, item in encoded.items() if name != KIND
        )
        if KIND not in encoded:
            return "{" + fields + "}"
        if encoded[KIND] == FUNCTION:
            return readable(str(encoded.get(OF, "")))
        name, _, origin = readable(str(encoded[KIND])).partition(" ")
        return f"{name}({fields}) {origin}".rstrip()
    if isinstance(encoded, (list, tuple)):
        return "[" + ", ".join(component_text(item) for item in encoded) + "]"
    return repr(encoded)


def component_name(encoded: Mapping[str, Any]) -> str:
    """The component with its fields if they fit a narrow column, else its name alone.

    >>> component_name({"is": "Coin", "p": 0.5})
    'Coin(p=0.5)'
    >>> component_name({"is": "Reinforce", "baseline": "the mean of all the others"})
    'Reinforce(…)'
    >>> component_name({"is": "my_study:Coin", "p": 0.5})
    'Coin (my_study)'
    """
    text, name = component_text(encoded), str(encoded.get(KIND, ""))
    if SEPARATOR in name:
        return readable(name)
    return text if len(text) <= NARROW or name == FUNCTION else f"{name}(…)"
