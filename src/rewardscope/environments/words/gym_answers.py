"""Which answers to a task of reasoning-gym are right, where its own scorer does not say.

The scorers give partial credit, tolerances of their own and, here and there, full marks to what is
wrong. Three things stand before and beside them.

- ``is_bounded``: an answer as long as no right one is, NaN and the infinities are wrong in every
  task.
- ``FORMS``: how an answer must be written before a scorer sees it, in tasks whose scorer evaluates
  it, ignores what it cannot read, or can be kept busy.
- ``RIGHT``: our own check in place of the scorer, in tasks whose scorer pays near misses.

What each task's scorer took before, and takes now, is in ``docs/gym.md``.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from rewardscope.environments.extraction import MINUS, numerals
from rewardscope.environments.words.countdown import parse

Facts = Mapping[str, Any]
"""The metadata of reasoning-gym's record of a problem."""
Right = Callable[[str, str, Facts], bool]
"""Whether an answer is right: the answer, the key, the record's metadata."""

LEAST_LENGTH, MOST_KEYS = 1000, 4
"""An answer may have this many characters, or this many times its key's."""
NO_NUMBER = re.compile(r"(?<![a-z])(?:nan|inf|infinity)(?![a-z])", re.IGNORECASE)
ARITHMETIC = re.compile(r"(?!.*(?:\*\s*\*|[0-9.)]\s*\(|\(\s*\)))[-+*/() .0-9]{1,500}")
"""Neither powers nor calls, which Python would read into 2(3) and ()()."""
ROWS = re.compile(r"[-0-9Q_ \n]{1,5000}")
FORMS = {
    "countdown": ARITHMETIC,
    "puzzle24": ARITHMETIC,
    "binary_matrix": ROWS,
    "n_queens": ROWS,
    "spiral_matrix": ROWS,
    "string_insertion": re.compile(r"[A-Z]{1,500}"),
    "coin_flip": re.compile(r"[-+0-9., /]{1,60}([eE]-?[0-9]{1,3})?"),
    "propositional_logic": re.compile(r"[A-Z¬∧∨→↔() ]{1,200}"),
    "kakurasu": re.compile(r"[01 \n]{1,5000}"),
    "quantum_lock": re.compile(r"[A-Ca-c→>,\- \n]{1,500}"),
    # a move, or a move and how often: the scorer writes each one out
    "rubiks_cube": re.compile(r"(?!.*[0-9]{2})[A-Za-z0-9' \n]{1,1000}", re.DOTALL),
    "sokoban": re.compile(r"[UDLRudlr \n]{1,1000}"),
    "time_intervals": re.compile(
        r"[0-9]{1,7}(?: days?)?|(?:[0-9]{1,7} days?, )?[0-9]{1,2}:[0-9]{2}"
        r"(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    ),
    "fraction_simplification": re.compile(
        r"\$?\s?(?:\\[dt]?frac\s?\{-?[0-9]{1,12}\}\s?\{-?[0-9]{1,12}\}"
        r"|-?[0-9]{1,12}\s?/\s?-?[0-9]{1,12})\s?\$?"
    ),
}
"""Task -> the only answers that its scorer, or our check, gets to see."""
PLAIN = re.compile(r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,100})(?:\.[0-9]{1,100})?")
SCIENTIFIC = re.compile(r"([-+]?[0-9,]{1,60}(?:\.[0-9]{1,60})?)([eE][-+]?[0-9]{1,2})?")
PART = re.compile(r"([-+]?)([0-9]{0,30}(?:\.[0-9]{1,30})?)(i?)")
COMPLEX = re.compile(r"[-+]?(?:[0-9.]{1,30}i?|i)(?:[-+](?:[0-9.]{1,30}i?|i))?")
CENT = 0.005 + 1e-9
"""How far a value that was asked for with two decimals may be from the true one."""


def is_bounded(answer: str, key: str) -> bool:
    """Whether a right answer could be this long, and names NaN or an infinity only where the key
    does.
    """
    if len(answer) > max(LEAST_LENGTH, MOST_KEYS * len(key)):
        return False
    return NO_NUMBER.search(answer) is None or NO_NUMBER.search(key) is not None


def number(text: str) -> Decimal | None:
    """The plain number that the text is: commas in groups of three, no exponent; else None."""
    text = text.strip().replace(MINUS, "-")
    return Decimal(text.replace(",", "")) if PLAIN.fullmatch(text) else None


def _same_number(answer: str, key: str, facts: Facts) -> bool:
    value = number(answer)
    return value is not None and value == number(key)


def _only_number(answer: str, key: str, facts: Facts) -> bool:
    """The one number of an answer that may have words around it, such as its unit."""
    read = [numeral["number"] for numeral in numerals(answer.replace(MINUS, "-"))]
    digits = sum(character.isdigit() for character in answer)
    alone = len(read) == 1 and sum(character.isdigit() for character in read[0]) == digits
    return alone and number(read[0]) is not None and number(read[0]) == number(key)


def _same_candidate(answer: str, key: str, facts: Facts) -> bool:
    """One of several numbers, in whichever notation."""
    written = SCIENTIFIC.fullmatch(answer.strip().replace(MINUS, "-"))
    mantissa = number(written[1]) if written else None
    if written is None or mantissa is None:
        return False
    value = float(f"{mantissa}{written[2] or ''}")
    return math.isclose(value, float(facts["solution"]), rel_tol=1e-15)


def _same_list(answer: str, key: str, facts: Facts) -> bool:
    """The same numbers in the same order, quoted or not."""
    return (listed := _listed(answer)) is not None and listed == _listed(key)


def _listed(text: str) -> list[Decimal] | None:
    items = _json(text.replace("'", '"'))
    if not isinstance(items, list) or not all(
        isinstance(item, (str, int, float)) for item in items
    ):
        return None
    values = [number(str(item)) for item in items]
    return None if None in values else [value for value in values if value is not None]


def _roots(answer: str, key: str, facts: Facts) -> bool:
    """All real solutions, to four decimals, rounded or cut off."""
    parts = [number(part) for part in answer.split(",")]
    values = sorted(part for part in parts if part is not None)
    rounded = sorted(Decimal(part.strip()) for part in key.split(","))
    cut = [math.trunc(root * 10_000) for root in sorted(map(float, facts["real_solutions"]))]
    return len(parts) == len(values) == len(rounded) and all(
        value in (Decimal(part) / 10_000, near)
        for value, part, near in zip(values, cut, rounded, strict=True)
    )


def _same_table(answer: str, key: str, facts: Facts) -> bool:
    """The same rows of numbers, to two decimals."""
    rows = [[number(cell) for cell in line.split()] for line in answer.strip().splitlines()]
    truth = facts["solution"]
    return [len(row) for row in rows] == [len(row) for row in truth] and all(
        cell is not None and abs(float(cell) - float(true)) <= CENT
        for row, true_row in zip(rows, truth, strict=True)
        for cell, true in zip(row, true_row, strict=True)
    )


def _same_complex(answer: str, key: str, facts: Facts) -> bool:
    """Real and imaginary part, to two decimals."""
    text = re.sub(r"\s", "", answer).replace(MINUS, "-").replace("j", "i").strip("()")
    if COMPLEX.fullmatch(text) is None:
        return False
    parts = {"": 0.0, "i": 0.0}
    seen = [part for part in PART.findall(text) if any(part)]
    for sign, digits, unit in seen:
        value = float(digits) if digits else 1.0
        parts[unit] += -value if sign == "-" else value
    once = len({unit for _, _, unit in seen}) == len(seen)
    real, imaginary = facts["result"]
    return once and abs(parts[""] - real) <= CENT and abs(parts["i"] - imaginary) <= CENT


def _same_json(answer: str, key: str, facts: Facts) -> bool:
    """The same JSON; its floats to six digits."""
    given, true = _json(answer), _json(key)
    return answer.strip() == key.strip() or (true is not None and _equal(given, true))


def _same_cells(answer: str, key: str, facts: Facts) -> bool:
    """The same JSON, every cell with its type."""
    given = _json(answer)
    return given is not None and json.dumps(given) == json.dumps(json.loads(key))


def _equal(given: Any, true: Any) -> bool:
    if isinstance(true, dict) and isinstance(given, dict):
        return given.keys() == true.keys() and all(_equal(given[name], true[name]) for name in true)
    if isinstance(true, list) and isinstance(given, list):
        return len(given) == len(true) and all(map(_equal, given, true))
    if isinstance(true, bool) or isinstance(given, bool) or not isinstance(true, (int, float)):
        return type(given) is type(true) and bool(given == true)
    if isinstance(true, int):
        return isinstance(given, (int, float)) and given == true
    return isinstance(given, (int, float)) and math.isclose(given, true, rel_tol=1e-6)


def _json(text: str) -> Any:
    """What JSON says; None where the text is none, or has NaN or an infinity in it."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def _same_letters(answer: str, key: str, facts: Facts) -> bool:
    """The same text, in capitals or not, with spaces or not."""
    return _folded(answer) == _folded(key)


def _same_words(answer: str, key: str, facts: Facts) -> bool:
    """The same words, in capitals or not."""
    return answer.casefold().split() == key.casefold().split()


def _folded(text: str) -> str:
    return "".join(text.casefold().split())


def _reaches(answer: str, key: str, facts: Facts) -> bool:
    """An expression of all the given numbers that is the target, exactly."""
    expression = parse(answer)
    return (
        expression is not None
        and expression.value == facts["target"]
        and sorted(expression.numbers) == sorted(facts["numbers"])
    )


RIGHT: dict[str, Right] = {
    "chain_sum": _same_number,
    "codeio": _same_json,
    "complex_arithmetic": _same_complex,
    "countdown": _reaches,
    "decimal_arithmetic": _same_number,
    "decimal_chain_sum": _same_number,
    "figlet_font": _same_letters,
    "game_of_life": _same_cells,
    "gsm_symbolic": _only_number,
    "letter_jumble": _same_words,
    "number_format": _same_candidate,
    "number_sorting": _same_list,
    "polynomial_equations": _roots,
    "pool_matrix": _same_table,
    "products": _same_number,
    "spell_backward": _same_words,
}
"""Task -> our check in place of its scorer."""
