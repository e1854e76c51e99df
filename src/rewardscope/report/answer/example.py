"""One completion that went from wrong to right: the first pair of a problem's draws that did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewardscope.report.answer.contrasts import Contrast
from rewardscope.report.answer.how import named_arms
from rewardscope.report.rows import Run

HEAD, TAIL = 150, 110
"""Characters of a text that are shown from its beginning and its end."""


@dataclass(frozen=True, slots=True)
class Example:
    """The same problem and the same draw, before and after training."""

    arm: str
    seed: int
    draw: int
    prompt: str
    key: str | None
    before: str
    before_format: str | None
    after: str
    after_format: str | None
    link: str
    """Where the browser of completions shows it."""


def example(
    run: Run, contrasts: Sequence[Contrast], cells: Sequence[Mapping[str, Any]]
) -> Example | None:
    """The first stored draw, in the order of the run, that the untrained policy got wrong and the
    first named arm right; None where no stored draw is one.
    """
    for arm in named_arms(run, contrasts)[0]:
        for cell in cells:
            if cell["arm"] != arm.name:
                continue
            for place, problem in enumerate(cell["problems"]):
                before = {completion["index"]: completion for completion in problem["base"]}
                for after in problem["trained"]:
                    earlier = before.get(after["index"])
                    if earlier and earlier["correct"] is False and after["correct"] is True:
                        return _example(cell, place, problem, earlier, after)
    return None


def _example(
    cell: Mapping[str, Any],
    place: int,
    problem: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Example:
    return Example(
        arm=cell["arm"],
        seed=cell["seed"],
        draw=after["index"],
        prompt=_ends(problem["prompt"] or ""),
        key=None if problem["key"] is None else _ends(problem["key"]),
        before=_ends(_text(before)),
        before_format=before["strategy"],
        after=_ends(_text(after)),
        after_format=after["strategy"],
        link=f"#completions/{cell['arm']}/{cell['seed']}/{place + 1}",
    )


def _text(completion: Mapping[str, Any]) -> str:
    return "".join(str(token[0]) for token in completion["tokens"])


def _ends(text: str) -> str:
    """The text, or its head and tail, where answers stand."""
    if len(text) <= HEAD + TAIL + 20:
        return text
    return f"{text[:HEAD]} … ({len(text) - HEAD - TAIL} characters) … {text[-TAIL:]}"
