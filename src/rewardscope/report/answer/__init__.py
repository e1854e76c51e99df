"""The written answer: sentences made by rule from rows, each with the ids of its rows."""

from rewardscope.report.answer.claims import (
    Sentence,
    anchor,
    arm_phrase,
    counts_phrase,
    error_phrase,
    interval_phrase,
    seeds_phrase,
    tally,
    unit_phrase,
    visible_phrase,
    write_answer,
)
from rewardscope.report.answer.headline import headline
from rewardscope.report.answer.notes import Cite, Name, Note, Notes, Said

__all__ = [
    "Cite",
    "Name",
    "Note",
    "Notes",
    "Said",
    "Sentence",
    "anchor",
    "arm_phrase",
    "counts_phrase",
    "error_phrase",
    "headline",
    "interval_phrase",
    "seeds_phrase",
    "tally",
    "unit_phrase",
    "visible_phrase",
    "write_answer",
]
