"""Tables of what was measured on held-out problems: which metrics have a line, and what stands in
it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from rewardscope.report.rows import Run
from rewardscope.report.summaries import Row, over_seeds


@dataclass(frozen=True, slots=True)
class Line:
    """A metric's lines in a table: one for each value of the label ``by`` (of k the largest alone),
    or one in all.
    """

    metric: str
    text: str
    """With {} where the label's value goes."""
    by: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    """Labels that a row must have."""


HELD_OUT: dict[str, tuple[Line, ...]] = {
    "boundary": (
        Line("boundary/vote_at_k", "vote of {} draws", "k"),
        Line("boundary/sampling_gap", "untrained pass@{} less trained pass@1", "k"),
        Line("boundary/crossing_k", "k at which the untrained overtakes"),
        Line("boundary/support_retention", "kept of what the untrained solves"),
        Line("boundary/discovery", "new among what is solved"),
        Line("boundary/support_change", "won less lost, of all that either solves"),
    ),
    "novelty": (
        Line(
            "novelty/reached_share",
            "within reach of the untrained, of what is solved: {}",
            "strategy",
        ),
        Line("novelty/created_share", "created, of what is solved: {}", "strategy"),
        Line(
            "novelty/log_probability",
            "log-probability of what is newly solved, {}",
            "of",
            {"strategy": "any"},
        ),
        Line("novelty/sharpened_pass", "pass@1 of the untrained, sharpened to match"),
        Line("novelty/sharpening_power", "power it was sharpened by"),
    ),
    "behaviour": (
        Line("behaviour/strategy_share", "share in format {}", "strategy"),
        Line("behaviour/strategy_accuracy", "accuracy in format {}", "strategy"),
        Line("behaviour/shown_share", "share whose text shows {}", "behaviour"),
        Line("behaviour/length_tokens", "completion length"),
        Line("behaviour/ending_share", "share ending by {}", "ending"),
    ),
    "diversity": (
        Line("diversity/distinct_answers", "different answers in {} draws", "k"),
        Line("diversity/distinct_completions", "different texts in {} draws", "k"),
        Line("diversity/answer_entropy", "entropy of answers"),
        Line("diversity/single_strategy", "chance that {} draws show one format", "k"),
        Line("losses/kl_to_base", "KL from trained to untrained, a completion"),
        Line("losses/kl_from_base", "KL from untrained to trained, a completion"),
        Line("losses/base_text_perplexity", "perplexity on the untrained policy's texts"),
        Line("losses/text_perplexity", "perplexity on fixed texts"),
    ),
    "calibration": (
        Line("calibration/brier", "Brier score, {} confidence", "view"),
        Line("calibration/error", "calibration error, {} confidence", "view"),
        Line("calibration/overconfidence", "overconfidence, {} confidence", "view"),
        Line("calibration/auroc", "AUROC, {} confidence", "view"),
    ),
    "weights": (
        Line("weights/changed_share", "share of weights changed, {}", "view", {"matrix": "all"}),
        Line(
            "weights/relative_update_norm",
            "relative norm of the update, all weights",
            None,
            {"matrix": "all"},
        ),
        Line(
            "weights/rank_share",
            "rank of the update over the largest possible, {}",
            "view",
            {"matrix": "all"},
        ),
        Line("weights/stable_rank", "stable rank of the update, {}", "view", {"matrix": "all"}),
        Line(
            "weights/spectral_change",
            "change of the singular values (NSS)",
            None,
            {"matrix": "all"},
        ),
        Line(
            "weights/principal_overlap",
            "changed weights among the principal 30 %, {}",
            "update",
            {"matrix": "all"},
        ),
        Line(
            "weights/low_overlap",
            "changed weights among the smallest 30 %, {}",
            "update",
            {"matrix": "all"},
        ),
    ),
}
"""The lines of each table."""


def held_out_rows(run: Run, start: str, group: str) -> list[Row]:
    """The lines of a group's table: label, unit, and per column (untrained, arms) mean, low, high,
    seeds.

    A behaviour that no policy shows has no line.
    """
    arms = run.arms_of(start)
    columns = [*dict.fromkeys(arm.base for arm in arms), *(arm.name for arm in arms)]
    found: list[Row] = []
    for line in HELD_OUT[group]:
        frame = run.metric(line.metric).filter(
            pl.col("arm").is_in(columns),
            *(pl.col(name) == value for name, value in line.where.items()),
        )
        labels = (
            frame[line.by].drop_nulls().unique(maintain_order=True).to_list() if line.by else [None]
        )
        if line.by == "k":
            labels = sorted(labels, key=int)[-1:]
        for label in labels if frame.height else []:
            chosen = frame if line.by is None else frame.filter(pl.col(line.by) == label)
            cells = {row["arm"]: row for row in over_seeds(chosen, ["arm"], "value").to_dicts()}
            unseen = line.metric == "behaviour/shown_share" and not any(
                cell["value"] for cell in cells.values()
            )
            if cells and not unseen:
                found.append(
                    {
                        "label": line.text.format(str(label).replace("_", " ")),
                        "unit": chosen["unit"][0],
                        "cells": cells,
                    }
                )
    return found
