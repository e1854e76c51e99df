"""Where a completion keeps its answer: a strict reading of the place that was asked for, and a
tolerant reading of the rest.

Both readings are recorded, because a base model that is graded by the strict one alone shows its
missing format as missing skill, and training that only repairs the format then looks like learning.
Neither reading sees the key.
"""

import re
from typing import Literal

Place = Literal["tags", "whole"]
"""Where the prompt asked for the answer: between answer tags, or as the whole completion."""
OPEN, CLOSE, BOXED = "<answer>", "</answer>", "\\boxed{"
MINUS = "\u2212"
"""The typographic minus sign."""
NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.])(?:(?<![)\]])-)?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?(?:/[0-9]+)?(?![A-Za-z_])"
)
"""A number that stands alone: sign, groups of three, decimals and fractions are part of it; the 7
of x7 is none.
"""
PHRASE = re.compile(r"answer(?:\s+is|\s*[:=])", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z]{2}")
LETTER = re.compile(r"[^\W\d_]")
DRESS = " \t\r\n*$`\"'"
"""Markdown, dollar signs and quotation marks around an answer."""


def strict(text: str, place: Place = "tags") -> str | None:
    """The answer exactly where it was asked for, stripped; None where there is none.

    Args:
        text: The completion.
        place: "tags" = inside the last <answer>...</answer>; "whole" = the completion is the
            answer.

    >>> strict("<answer>3</answer> no: <answer> 4 </answer>")
    '4'
    """
    return (tagged(text) if place == "tags" else text.strip()) or None


def tolerant(text: str) -> str | None:
    r"""The answer wherever it is; None for a completion without any text.

    In this order: the last answer tag (also one that was never closed), the last \boxed{...}, what
    follows the last "answer is" or "answer:", what follows an equals sign at the end, a last run of
    lines with digits and without letters, the last number, the last line.

    >>> tolerant("So 3 + 4 = 7."), tolerant("I would say 7 apples")
    ('7', '7')
    >>> tolerant("the rows are\n0 1\n1 0")
    '0 1\n1 0'
    """
    for read in (tagged, _open_tag, boxed, _phrase, _equals, _block, last_number, _last_line):
        answer = read(text)
        if answer:
            return answer
    return None


def tagged(text: str) -> str | None:
    """What stands inside the last closed <answer>...</answer>, stripped."""
    start = text.rfind(OPEN, 0, max(text.rfind(CLOSE), 0))
    return None if start < 0 else text[start + len(OPEN) : text.find(CLOSE, start)].strip()


def boxed(text: str) -> str | None:
    """What stands inside the last boxed{...} of LaTeX, its own braces balanced; to the end where it
    was cut off.
    """
    start = text.rfind(BOXED)
    if start < 0:
        return None
    start += len(BOXED)
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[start:place].strip()
    return text[start:].strip()


def last_number(text: str) -> str | None:
    """The last number that stands alone, a hyphen for its minus sign and no commas.

    >>> last_number("from 1,234 to \u22125.5 in 7x")
    '-5.5'
    """
    numbers = NUMBER.findall(text.replace(MINUS, "-"))
    return numbers[-1].replace(",", "") if numbers else None


def _open_tag(text: str) -> str | None:
    return text.rpartition(OPEN)[2].strip() if OPEN in text[text.rfind(CLOSE) + 1 :] else None


def _phrase(text: str) -> str | None:
    ends = [found.end() for found in PHRASE.finditer(text)]
    if not ends:
        return None
    rest = _undress(text[ends[-1] :].lstrip(DRESS + ":").partition("\n")[0])
    number = NUMBER.match(rest.replace(MINUS, "-"))
    return number[0].replace(",", "") if number and WORD.search(rest) else rest


def _equals(text: str) -> str | None:
    _, sign, rest = (text.strip().splitlines() or [""])[-1].rpartition("=")
    return _undress(rest) if sign and not WORD.search(rest) else None


def _block(text: str) -> str | None:
    lines: list[str] = []
    for line in reversed(text.strip().splitlines()):
        if LETTER.search(line):
            break
        lines.append(line)
    block = _undress("\n".join(reversed(lines)))
    return block if any(c in "0123456789" for c in block) else None


def _last_line(text: str) -> str | None:
    lines = text.strip().splitlines()
    return _undress(lines[-1]) if lines else None


def _undress(text: str) -> str:
    return text.strip(DRESS).removesuffix(".").strip(DRESS)
