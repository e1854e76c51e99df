"""Plain numbers as people write them, read exactly."""

import re
from dataclasses import dataclass
from fractions import Fraction

MOST_DIGITS = 400
"""Characters of a number; what is longer is not read."""
NUMBER = re.compile(
    r"""(?P<sign>[-+]?)\s*(?P<money>\\?[$€£]?)\s*
    (?:(?P<whole>\d+(?:,\d{3})*|\d+)(?P<decimals>\.\d*)?|(?P<point>\.\d+))
    (?:[eE](?P<power>[-+]?\d{1,2}))?
    (?:(?P<mixed>\s+|(?=\\frac))?(?:\\frac\{(?P<above>\d+)\}\{(?P<below>\d+)\}
        |(?P<over>\d+)\s*/\s*(?P<under>\d+)))?
    (?:\s*/\s*(?P<slash>\d+(?:\.\d+)?))?
    \s*(?P<unit>(?:\\?%|\\?[$€£]|\^?\\?(?:circ|degree)|°
        |(?<=\s)[A-Za-z]+(?:[ ]?[ /][ ]?[A-Za-z]+){0,3}\.?(?:\^?[23²³])?)?)""",
    re.VERBOSE | re.ASCII,
)
SHORT_UNITS = frozenset(["m", "g", "s", "h", "l", "L", "K", "N", "J", "W", "V", "A"])
"""Units of one letter; any other letter behind a number is a variable."""
NO_UNITS = frozenset(
    {"or", "and", "to", "from", "mod", "pi", "sqrt", "sin", "cos", "tan", "log", "ln", "exp"}
    | {"div", "times", "plus", "minus", "over"}
)
"""Words that make the text more than a number with its unit."""
FRACTION = re.compile(r"(?P<sign>[-+]?)\s*\\frac\{(?P<above>-?\d+)\}\{(?P<below>\d+)\}")
SHORT_FRACTION = re.compile(r"\\[dt]?frac(\d)(\d)(?!\d)")
DRESS = re.compile(r"\\(?:text|mathrm|textbf|mathbf|mbox)\{([^{}]*)\}")
SPACES = re.compile(r"(?<!\\)\\[ ,;:!]|~|\\quad|\\left|\\right")


@dataclass(frozen=True)
class Quantity:
    """A number with its unit and percent sign."""

    value: Fraction
    unit: str = ""
    """Lower case, without a plural's s; empty = none."""
    percent: bool = False


def undressed(text: str) -> str:
    r"""LaTeX without what only changes its looks.

    >>> undressed("$\\dfrac12\\text{ cm}$.")
    '\\frac{1}{2} cm'
    """
    text = DRESS.sub(r"\1", text.replace("\u2212", "-").strip())
    text = SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)
    text = SPACES.sub("", text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac"))
    text = text.replace("{,}", ",").replace("^{\\circ}", "^\\circ")
    text = text.strip().strip("$*` ").removesuffix(".").strip("$*` ")
    for opening, closing in (("\\(", "\\)"), ("\\[", "\\]")):
        if text.startswith(opening) and text.endswith(closing):
            text = text[2:-2].strip()
    return text


def quantity(text: str) -> Quantity | None:
    r"""The number that the whole text is; None where it is more or less than one.

    >>> quantity("1,234.5").value, quantity("1 1/2").value, quantity("50\\%").percent
    (Fraction(2469, 2), Fraction(3, 2), True)
    """
    if len(text) > MOST_DIGITS:
        return None
    text = undressed(text)
    fraction = FRACTION.fullmatch(text)
    if fraction is not None:
        return _signed(fraction["sign"], _over(Fraction(fraction["above"]), fraction["below"]), "")
    number = NUMBER.fullmatch(text)
    if number is None:
        return None
    digits = (number["whole"] or "").replace(",", "") + (
        number["decimals"] or number["point"] or ""
    )
    value: Fraction | None = Fraction(digits.removesuffix(".")) * Fraction(10) ** int(
        number["power"] or 0
    )
    if not _is_unit(number["unit"]):
        return None
    above, below = number["above"] or number["over"], number["below"] or number["under"]
    if above is not None and value is not None:
        if number["mixed"] is None or number["decimals"] or number["power"]:
            return None
        part = _over(Fraction(above), below)
        value = None if part is None else value + part
    elif number["slash"] is not None and value is not None:
        value = _over(value, number["slash"])
    return _signed(number["sign"], value, number["unit"])


def _is_unit(unit: str) -> bool:
    words = re.findall(r"[A-Za-z]+", unit)
    return not any(
        word.lower() in NO_UNITS or (len(word) == 1 and word not in SHORT_UNITS) for word in words
    )


def _over(above: Fraction, below: str) -> Fraction | None:
    return above / Fraction(below) if Fraction(below) else None


def _signed(sign: str, value: Fraction | None, unit: str) -> Quantity | None:
    if value is None:
        return None
    name = unit.strip().strip("\\^").lower().removesuffix(".")
    percent = name in ("%", "percent", "per cent")
    money = name in ("$", "€", "£", "dollars", "dollar")
    plain = "" if percent or money else re.sub(r"(?<=[a-z]{3})s$", "", name)
    return Quantity(-value if sign == "-" else value, plain, percent)


def same_quantity(one: Quantity, other: Quantity) -> bool:
    """Whether two numbers are the same one: exactly in value; units that both name must agree.

    A percentage is the same as its number (5 % and 5) and as its hundredth (5 % and 0.05): keys are
    written either way.
    """
    if one.unit and other.unit and one.unit != other.unit:
        return False
    if one.value == other.value:
        return True
    if one.percent == other.percent:
        return False
    return one.value * (Fraction(1, 100) if one.percent else 1) == other.value * (
        Fraction(1, 100) if other.percent else 1
    )
