"""The position of the answer in a completion, and its readings."""

import re
from collections.abc import Callable
from typing import Literal

from rewardscope.conversation import messages_of
from rewardscope.environments.extraction import BOXED, LETTER, boxed, tagged, tolerant
from rewardscope.types import Grade

AnswerIn = Literal["as_asked", "boxed", "tags", "hashes", "whole"]
"""Where the strict reading looks: inside the last \\boxed{}, inside the last <answer> tag, after
the last ####, or at the whole completion; ``as_asked`` = where the prompt asks for it."""
PLACES: tuple[AnswerIn, ...] = ("as_asked", "boxed", "tags", "hashes", "whole")
HASHES = "####"
MOST_READ = 20_000
"""Characters read from the end of a completion, which bounds the time of a grade. Answers come
last."""
MOST_ANSWER = 2_000
"""Longest answer, in characters."""
NOT_A_NUMBER = re.compile(r"[-+\s$\\{}()]*(nan|inf|infinity|null|none|n/?a)[\s$\\{}().]*", re.I)
"""Texts that programs print instead of a number."""


def asked_in(prompt: str, answer_in: AnswerIn = "as_asked") -> AnswerIn:
    r"""Where the prompt asks for the answer; ``as_asked`` if it does not say.

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


def strict_answer(completion: str, answer_in: AnswerIn) -> str | None:
    """The answer where the prompt asks for it; after any known mark if the prompt does not say."""
    text = completion[-MOST_READ:]
    readings: dict[AnswerIn, Callable[[str], str | None]] = {
        "boxed": _closed_box,
        "tags": tagged,
        "hashes": _hashed,
        "whole": str.strip,
    }
    if answer_in != "as_asked":
        return _short(readings[answer_in](text))
    answers = (_short(readings[name](text)) for name in ("boxed", "tags", "hashes"))
    return next((answer for answer in answers if answer), None)


def tolerant_answer(completion: str) -> str | None:
    """The answer anywhere in the completion; never uses the key."""
    text = completion[-MOST_READ:]
    return _short(tagged(text) or _closed_box(text) or _hashed(text) or _looser(text))


def _looser(text: str) -> str | None:
    # the readings of extraction.py compare letters one by one: what they need is the end
    return tolerant(text[-MOST_ANSWER:])


def _closed_box(text: str) -> str | None:
    """The content of the last closed box, unless a later one was left open."""
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


def placed(answer: str, answer_in: AnswerIn) -> str:
    """The answer in the form that was asked for."""
    match answer_in:
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
    """Whether the text is no answer: empty, punctuation, or what a program prints instead of a
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
        right: Whether an answer matches the key.
        strictly: The answer of the strict reading.
        loosely: The answer of the tolerant reading.
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
