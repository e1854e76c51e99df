"""Where in a completion a grader looks for the answer."""

import re
from collections.abc import Callable
from typing import Literal

from rewardscope.conversation import messages_of
from rewardscope.environments.extraction import BOXED, LETTER, boxed, tagged, tolerant
from rewardscope.types import Grade

AnswerIn = Literal["as_asked", "boxed", "tags", "hashes", "whole"]
"""Where the strict form looks: inside the last \\boxed{}, inside the last <answer> tag, behind the
last ####, or at the completion as a whole; ``as_asked`` = where the prompt says."""
PLACES: tuple[AnswerIn, ...] = ("as_asked", "boxed", "tags", "hashes", "whole")
HASHES = "####"
MOST_READ = 20_000
"""Characters of a completion's end that are read: what bounds the time of a grade. An answer stands
at the end."""
MOST_ANSWER = 2_000
"""Characters that an answer may have."""
NOT_A_NUMBER = re.compile(r"[-+\s$\\{}()]*(nan|inf|infinity|null|none|n/?a)[\s$\\{}().]*", re.I)
"""What programs print where they have no number."""


def asked_in(prompt: str, answer_in: AnswerIn = "as_asked") -> AnswerIn:
    r"""Where the prompt asks for the answer; ``as_asked`` where it does not say.

    >>> asked_in("Put your final answer within \\boxed{}."), asked_in("2 + 2?")
    ('boxed', 'as_asked')
    """
    if answer_in != "as_asked":
        return answer_in
    messages = messages_of(prompt)
    # an example's answer shows the form, but only the instructions ask for it
    text = (
        prompt
        if messages is None
        else "\n".join(each["content"] for each in messages if each["role"] != "assistant")
    )
    marks: tuple[tuple[AnswerIn, str], ...] = (
        ("boxed", BOXED),
        ("tags", "<answer>"),
        ("hashes", HASHES),
    )
    last = max(marks, key=lambda mark: text.rfind(mark[1]))
    return last[0] if last[1] in text else "as_asked"


def strict_answer(completion: str, place: AnswerIn) -> str | None:
    """The answer where it was asked for; where the prompt did not say, behind any mark at all."""
    text = completion[-MOST_READ:]
    readings: dict[AnswerIn, Callable[[str], str | None]] = {
        "boxed": _closed_box,
        "tags": tagged,
        "hashes": _hashed,
        "whole": str.strip,
    }
    if place != "as_asked":
        return _short(readings[place](text))
    found = (_short(readings[each](text)) for each in ("boxed", "tags", "hashes"))
    return next((answer for answer in found if answer), None)


def tolerant_answer(completion: str) -> str | None:
    """The answer wherever it is; never looks at the key."""
    text = completion[-MOST_READ:]
    return _short(tagged(text) or _closed_box(text) or _hashed(text) or _looser(text))


def _looser(text: str) -> str | None:
    # the readings of extraction.py compare letters one by one: what they need is the end
    return tolerant(text[-MOST_ANSWER:])


def _closed_box(text: str) -> str | None:
    """What stands in the last box that was closed, unless a later one was left open."""
    start = text.rfind(BOXED)
    if start < 0:
        return None
    inner = boxed(text[start:])
    closed = inner is not None and text[start + len(BOXED) :].count("}") > inner.count("}")
    return inner if closed else None


def _hashed(text: str) -> str | None:
    if HASHES not in text:
        return None
    return text.rpartition(HASHES)[2].strip().partition("\n")[0].strip() or None


def _short(answer: str | None) -> str | None:
    return answer if answer and len(answer) <= MOST_ANSWER else None


def placed(answer: str, place: AnswerIn) -> str:
    """The answer written where it was asked for."""
    match place:
        case "tags":
            return f"<answer>{answer}</answer>"
        case "hashes":
            return f"{HASHES} {answer}"
        case "whole":
            return answer
        case _:
            return f"\\boxed{{{answer}}}"


def plain(answer: str) -> str:
    """The answer with single spaces and without dollar signs, Markdown and a full stop at its end.

    >>> plain(" **The  cat**. ")
    'The cat'
    """
    text = " ".join(answer.split())
    return text.strip("*$` ").removesuffix(".").strip("*$` ")


def says_nothing(answer: str | None) -> bool:
    """Whether it is no answer at all: empty, punctuation, or what a program prints where it has no
    number.
    """
    if answer is None or NOT_A_NUMBER.fullmatch(answer):
        return True
    return not any(c.isalnum() for c in answer) and not LETTER.search(answer)


def graded(
    right: Callable[[str], bool], strictly: str | None, loosely: str | None, key: str
) -> Grade:
    """The grade of both readings of a completion.

    Args:
        right: Whether an answer is that of the key.
        strictly: What the strict reading found.
        loosely: What the tolerant one found.
        key: For the feedback.
    """
    strict = not says_nothing(strictly) and right(str(strictly))
    correct = strict or (not says_nothing(loosely) and loosely != strictly and right(str(loosely)))
    return Grade(
        correct=correct,
        strict=strict,
        well_formed=strictly is not None,
        answer=loosely if strictly is None else strictly,
        feedback=f"the answer is {key}",
    )
