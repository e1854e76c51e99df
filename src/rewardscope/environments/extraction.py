"""Where a completion keeps its answer: a strict reading of the place that was asked for, and a
tolerant reading of the rest.

Both readings are recorded, because a base model that is graded by the strict one alone shows its
missing format as missing skill, and training that only repairs the format then looks like learning.
Neither reading sees the key.
"""

import re
from collections.abc import Iterator
from typing import Literal

Place = Literal["tags", "whole"]
"""Where the prompt asked for the answer: between answer tags, or as the whole completion."""
OPEN, CLOSE, BOXED = "<answer>", "</answer>", "\\boxed{"
MINUS = "\u2212"
"""The typographic minus sign."""
DIGITS = r"[0-9]++(?:,[0-9]{3}(?![0-9]))*+(?:\.[0-9]++)?+"
"""Digits, groups of three and decimals. It never gives a digit back, so that what follows cannot
cut a number short.
"""
MOST_READ = 50_000
"""Characters of a completion that are read."""
CUT_MARK = "\u2702"
POWERS = "\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c"
GLUED = rf"(?:[A-Za-z0-9_\u00b5\u00c0-\u024f\u03bc{POWERS}]|[./](?=[0-9]))*+"
"""What stands right behind a number: letters, more digits, powers; a point or a bar between
digits.
"""
UNIT_NAMES = (
    "ng µg μg ug mcg mg g kg lb lbs oz nm µm μm mm cm m km ft m² m2 µl μl µL μL ml mL dl dL l L cc "
    "fL pg µmol μmol umol nmol mmol mol mEq meq IU U mU mIU mmHg cmH2O Pa kPa ms s sec min h hr "
    "hrs hour hours day days week weeks month months yr yrs year years bpm Hz kHz J kJ cal kcal W "
    "kW V mV C F K point points pt pts percent degree degrees deg dollar dollars cents"
)
UNITS = frozenset(UNIT_NAMES.split())
"""What may be written right behind a number: 15mg is 15. 8y, 5k, 7th, 1e9 and 2x are no numbers."""
_NUMERAL = re.compile(
    rf"(?<![A-Za-z0-9_.{POWERS}])(?P<number>(?:(?<![)\]])-)?{DIGITS}(?:/[0-9]++)?+)(?P<glued>{GLUED})"
)
PHRASE = re.compile(r"answer(?:\s+is|\s*[:=])", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z]{2}")
LETTER = re.compile(r"[^\W\d_]")
BRACE = re.compile(r"[{}]")
DRESS = " \t\r\n*$`\"'"
"""Markdown, dollar signs and quotation marks around an answer."""


def bounded(text: str) -> str:
    """The text, or of one that is longer than ``MOST_READ`` characters its end, behind a mark.

    A completion is read from its end, and no reader's time should grow with what a model writes
    before. The mark keeps the rest from being an answer as a whole.

    >>> len(bounded("7" * 10**6))
    50001
    """
    return text if len(text) <= MOST_READ else CUT_MARK + text[-MOST_READ:]


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
    for brace in BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return text[start : brace.start()].strip()
    return text[start:].strip()


def last_number(text: str) -> str | None:
    """The last number that stands alone, a hyphen for its minus sign and no commas.

    >>> last_number("from 1,234 to \u22125.5 in 7x")
    '-5.5'
    """
    number = None
    for numeral in numerals(text.replace(MINUS, "-")):
        number = numeral["number"]
    return None if number is None else number.replace(",", "")


def numerals(text: str) -> Iterator[re.Match[str]]:
    """Every number that stands alone or carries a unit, in order; its text is the group "number".

    A number is read whole or not at all: sign, groups of three, decimals and fractions are part of
    it. What is glued to it must be one of :data:`UNITS`, so 39points is 39, and neither 1.5e3 nor
    2024/01/15 nor the 7 of x7 is a number.
    """
    return (each for each in _NUMERAL.finditer(text) if _is_whole(each))


def leading_numeral(text: str) -> re.Match[str] | None:
    """The number that the text starts with, by the rule of :func:`numerals`."""
    numeral = _NUMERAL.match(text)
    return numeral if numeral and _is_whole(numeral) else None


def is_unit(glued: str) -> bool:
    """Whether a number stays one with this right behind it: nothing, or a unit."""
    return not glued or glued in UNITS


def _is_whole(numeral: re.Match[str]) -> bool:
    return is_unit(numeral["glued"])


def _open_tag(text: str) -> str | None:
    return text.rpartition(OPEN)[2].strip() if OPEN in text[text.rfind(CLOSE) + 1 :] else None


def _phrase(text: str) -> str | None:
    ends = [found.end() for found in PHRASE.finditer(text)]
    if not ends:
        return None
    rest = _undress(text[ends[-1] :].lstrip(DRESS + ":").partition("\n")[0])
    numeral = leading_numeral(rest.replace(MINUS, "-"))
    in_words = numeral is not None and (numeral["glued"] or WORD.search(rest))
    return numeral["number"].replace(",", "") if numeral and in_words else rest


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
    lines = text.replace(OPEN, "").replace(CLOSE, "").strip().splitlines()
    return _undress(lines[-1]) if lines else None


def _undress(text: str) -> str:
    return text.strip(DRESS).removesuffix(".").strip(DRESS)
