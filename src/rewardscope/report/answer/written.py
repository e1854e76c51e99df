"""The whole written answer of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from rewardscope.report.answer.contrasts import Contrast, main_contrasts
from rewardscope.report.answer.dots import Dots, dot_plot
from rewardscope.report.answer.example import Example, example
from rewardscope.report.answer.headline import headline
from rewardscope.report.answer.how import (
    CEILING,
    found_or_made,
    how,
    largest_pass,
    named_arms,
    starting_accuracy,
)
from rewardscope.report.answer.inquiries import Inquiry, inquiries
from rewardscope.report.answer.limits import limits
from rewardscope.report.answer.means import seeds_text, untrained
from rewardscope.report.answer.notes import Name, Note, Notes, Said, said
from rewardscope.report.answer.price import price
from rewardscope.report.answer.surprises import surprises
from rewardscope.report.marks import Mark
from rewardscope.report.rows import Arm, Run
from rewardscope.report.wording import number
from rewardscope.types import Outcome


@dataclass(frozen=True, slots=True)
class Written:
    """The answer in its parts; a part without sentences is not shown."""

    headline: Said
    more: tuple[Said, ...]
    """What belongs to the headline but was not tested."""
    parts: tuple[tuple[str, tuple[Said, ...]], ...]
    """How, found or made, the price."""
    unexpected: tuple[Said, ...]
    unsaid: tuple[Said, ...]
    next: tuple[Inquiry, ...]
    notes: tuple[Note, ...]
    dots: Dots | None
    example: Example | None

    @property
    def text(self) -> str:
        """The answer as plain text, a line per part."""
        lines = [_joined((self.headline, *self.more))]
        lines += [f"{title}. {_joined(sentences)}" for title, sentences in self.parts if sentences]
        if self.unexpected:
            lines.append(f"What we did not expect. {_joined(self.unexpected)}")
        lines += ["What this run cannot say."] + [f"- {sentence.text}" for sentence in self.unsaid]
        if self.next:
            lines.append("Next inquiring lines.")
            lines += [
                f"{i}. {line.line.text} {line.line.code}".rstrip()
                for i, line in enumerate(self.next, 1)
            ]
        return "\n".join(lines)


def _joined(sentences: Sequence[Said]) -> str:
    return " ".join(sentence.text for sentence in sentences)


def written(
    run: Run, marks: Mapping[str, Mark], cells: Sequence[Mapping[str, Any]] = ()
) -> Written:
    """The answer of a run, finished or not.

    Args:
        run: The run's rows and verdicts.
        marks: How its arms are drawn.
        cells: The completions that the page holds.
    """
    contrasts, notes = main_contrasts(run.verdicts, run.arms), Notes()
    more = () if contrasts else tuple(_described(run, notes))
    supported = [c for c in contrasts if c.verdict.outcome is Outcome.SUPPORTED]
    if supported and len(supported) == len(contrasts):
        more = tuple(_brought_out(run, [c.verdict.claim.treatment for c in supported]))
    more += tuple(_fell_less(run, supported, notes))
    parts = (
        ("How", tuple(how(run, contrasts, notes))),
        ("Found or made", tuple(found_or_made(run, contrasts, notes))),
        ("The price", tuple(price(run, contrasts, notes))),
    )
    unexpected = tuple(surprises(run, notes))
    return Written(
        headline=headline(run.verdicts, run.arms),
        more=more,
        parts=parts,
        unexpected=unexpected,
        unsaid=tuple(limits(run)),
        next=tuple(inquiries(run)),
        notes=tuple(notes.notes.values()),
        dots=dot_plot(run, contrasts, marks),
        example=example(run, contrasts, cells),
    )


def _described(run: Run, notes: Notes) -> list[Said]:
    """Without a claim about a placebo: what first-try accuracy was and became, as description."""
    sentences = []
    arms, left = named_arms(run, [])
    for arm in arms or list(run.arms[:1]):
        change = starting_accuracy(run, arm)
        if change:
            of = f"k 1, {arm.base}; {seeds_text(arm)}"
            cite = notes.letter("boundary/pass_at_k", of, "boundary")
            sentences.append(
                said("First-try accuracy in ", Name(arm.name), f": {change}", cite, ".")
            )
    if left and sentences:
        sentences.append(said(f"{left} more arms are in the tables."))
    return sentences


def _brought_out(run: Run, treatments: Sequence[str]) -> list[Said]:
    """At a ceiling nothing new could show, so that the headline must not suggest it."""
    arms: list[Arm] = [arm for arm in run.arms if arm.name in treatments]
    tops = [largest_pass(run, arm) for arm in arms]
    if not arms or any(top is None or top[1] < CEILING for top in tops) or _made(run, treatments):
        return []
    return [
        said(
            "What it did was bring out what the models could already do; nothing here had "
            "to be new."
        )
    ]


def _fell_less(run: Run, supported: Sequence[Contrast], notes: Notes) -> list[Said]:
    """A treatment can exceed its placebo because the placebo did harm: then it says so."""
    sentences = []
    for contrast in supported:
        claim, now = contrast.verdict.claim, contrast.verdict.treatment_mean
        arm = next(arm for arm in run.arms if arm.name == claim.treatment)
        was = untrained(run, arm, claim.metric, claim.labels)
        if claim.expects == "greater" and was is not None and now is not None and now <= was:
            cite = notes.letter(claim.metric, f"{arm.base}; {seeds_text(arm)}", "boundary")
            change = f", though: it was {number(was)} before training and is {number(now)}"
            told = f"{change}; the placebo fell further"
            sentences.append(said("It did not rise in ", Name(arm.name), told, cite, "."))
    return sentences[:3]


def _made(run: Run, treatments: Sequence[str]) -> bool:
    """Whether any problem was solved in a way beyond the untrained policy's reach."""
    created = run.metric("novelty/created_share").filter(
        pl.col("arm").is_in(list(treatments)) & (pl.col("value") > 0)
    )
    return created.height > 0
