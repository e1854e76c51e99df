"""Countdown: reach a target from a few numbers with + - * /, each at most once; checked by a small
parser and exact fractions.

From the numbers 3, 7 and 8, for instance, 3 * 7 + 8 makes 29.
"""

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, get_args

from rewardscope.environments.base import MAX_ATTEMPTS, content_id, draw
from rewardscope.environments.extraction import CLOSE, MINUS, OPEN, Place, bounded, strict
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

SPLITS = {"train": 0.8, "heldout": 0.2}
LARGEST_STEP = 999
"""No step of a solution by construction goes above it, or below 1."""
LONGEST, DEEPEST = 200, 20
"""Characters of an expression that is read at all, and brackets inside each other."""
SIGNS = {"×": "*", "·": "*", "\\times": "*", "\\cdot": "*", "÷": "/", "\\div": "/", MINUS: "-"}
RUN = re.compile(r"[-+*/() 0-9]+")
TOKEN = re.compile(r" *([0-9]+|[-+*/()])")
OPERATION = re.compile(r"[0-9)] *[-+*/] *[0-9(]")
DIGITS = re.compile(r"[0-9]+")
CUT = re.compile(r"[^\W\d]|\.[0-9]")
"""How a number goes on where a run of digits and signs has ended."""
LOOSE_ENDS = " -+*/"


@dataclass(frozen=True)
class Expression:
    """An arithmetic expression: its value, the numbers in it, and the signs that join them."""

    value: Fraction
    numbers: tuple[int, ...]
    signs: frozenset[str]


@dataclass(frozen=True)
class Countdown:
    """A target up to ``largest_target`` to reach from ``min_numbers`` to ``max_numbers`` whole
    numbers up to ``largest``.

    Some way of using them all exists; a solution may leave some out. The count of numbers is the
    level. Strategies say which operations the answer uses: sums (+ and - alone), products (* too,
    no /) or quotients (/).

    Source:
        Pan et al. 2025, TinyZero (github.com/Jiayi-Pan/TinyZero): the task; its code evaluates the
            completion as Python, ours never does.
    """

    min_numbers: int = 3
    max_numbers: int = 4
    largest: int = 25
    largest_target: int = 100
    answer_in: Place = "tags"
    """Where the answer is asked for, and where the strict extractor looks: between answer tags, or
    the whole completion.
    """

    name: ClassVar[str] = "Countdown"
    strategies: ClassVar[tuple[str, ...]] = ("sums", "products", "quotients")

    def __post_init__(self) -> None:
        good = (
            2 <= self.min_numbers <= self.max_numbers <= 8
            and 5 <= self.largest <= 100
            and 20 <= self.largest_target <= LARGEST_STEP
        )
        if not good or self.answer_in not in get_args(Place):
            raise ComponentError(
                "Countdown cannot ask with these settings",
                value=self,
                allowed=f"2 <= min_numbers <= max_numbers <= 8; largest 5 to 100; largest_target "
                f"20 to {LARGEST_STEP}; "
                f"answer_in one of {', '.join(get_args(Place))}",
                do="Mend them",
            )

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index); numbers and target decide its split."""
        return draw("Countdown", split, index, SPLITS, self._make)

    def _make(self, seed: int) -> Problem:
        random = generator("countdown", seed)
        count = int(random.integers(self.min_numbers, self.max_numbers + 1))
        for _ in range(MAX_ATTEMPTS):
            numbers = [int(number) for number in random.integers(1, self.largest + 1, size=count)]
            # three draws a step: which two values are joined, and how
            target, solution = _join(numbers, random.random((count - 1, 3)).tolist())
            if 10 <= target <= self.largest_target and target not in numbers:
                break
        else:
            raise EnvironmentFault(
                "Countdown found no target in reach",
                value=self,
                do="Widen largest_target or use fewer numbers",
            )
        told = f"Numbers: {', '.join(map(str, sorted(numbers)))}. Target: {target}."
        where = (
            "Give it in the form <answer>...</answer>."
            if self.answer_in == "tags"
            else "Answer with just the expression."
        )
        prompt = (
            f"{told}\nWrite an expression with + - * / that equals the target and uses each number "
            f"at most once. {where}"
        )
        # named by the numbers alone: asking for the answer elsewhere must not move a problem to
        # another split
        return Problem(content_id("Countdown", told), "Countdown", prompt, solution, count)

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: an expression and nothing else where it was asked for; tolerant: the last
        expression there, or else anywhere.
        """
        text = bounded(text)
        told = DIGITS.findall(problem.prompt.partition("\n")[0])
        *numbers, target = map(int, told)
        asked = strict(text, self.answer_in)
        expression = parse(_plain(asked)) if asked is not None and len(asked) <= LONGEST else None
        formed = expression is not None
        answer = _plain(asked).strip() if asked is not None and formed else last_expression(text)
        expression = expression or (parse(answer) if answer is not None else None)
        correct = (
            expression is not None
            and expression.value == target
            and not _foreign(expression, numbers)
        )
        return Grade(
            correct=correct,
            strict=formed and correct,
            well_formed=formed,
            answer=answer,
            feedback=_feedback(expression, answer, numbers, target),
            strategy=strategy(expression) if expression else None,
        )

    def oracle(self, problem: Problem) -> str:
        """The solution that the problem was made from, where it was asked for."""
        return f"<answer>{problem.answer}</answer>" if self.answer_in == "tags" else problem.answer


def _join(numbers: list[int], draws: list[list[float]]) -> tuple[int, str]:
    """Joins two of the values at a time until one is left: that value and its expression; 0 where a
    step leaves the allowed range.
    """
    values = [(number, str(number)) for number in numbers]
    for first, second, sign in draws:
        left, left_text = values.pop(int(first * len(values)))
        right, right_text = values.pop(int(second * len(values)))
        if left < right:
            left, right, left_text, right_text = right, left, right_text, left_text
        operator = "+-*/"[int(sign * 4)]
        if (operator in "*/" and right == 1) or (operator == "/" and left % right):
            operator = "+"
        value = {"+": left + right, "-": left - right, "*": left * right, "/": left // right}[
            operator
        ]
        if not 1 <= value <= LARGEST_STEP:
            return 0, ""
        values.append((value, f"({left_text} {operator} {right_text})"))
    return values[0][0], values[0][1][1:-1]


def parse(text: str) -> Expression | None:
    """The expression that the text is, from end to end; None where it is none, divides by zero, is
    too long or nested too deep.

    >>> parse("(1 + 2) * 3").value
    Fraction(9, 1)
    """
    if len(text) > LONGEST:
        return None
    tokens, place = [], 0
    text = text.strip()
    while place < len(text):
        found = TOKEN.match(text, place)
        if found is None:
            return None
        tokens.append(found[1])
        place = found.end()
    tokens.append("")
    try:
        expression, used = _sum(tokens, 0, 0)
    except (ValueError, ZeroDivisionError):
        return None
    return expression if tokens[used] == "" else None


def _sum(tokens: list[str], place: int, depth: int) -> tuple[Expression, int]:
    """The sum, or difference, that begins at ``place``, perhaps with a minus sign, and where it
    ends.
    """
    negative = tokens[place] == "-"
    left, place = _product(tokens, place + negative, depth)
    left = Expression(-left.value, left.numbers, left.signs | {"-"}) if negative else left
    while tokens[place] in ("+", "-"):
        right, after = _product(tokens, place + 1, depth)
        left, place = _joined(left, tokens[place], right), after
    return left, place


def _product(tokens: list[str], place: int, depth: int) -> tuple[Expression, int]:
    left, place = _value(tokens, place, depth)
    while tokens[place] in ("*", "/"):
        right, after = _value(tokens, place + 1, depth)
        left, place = _joined(left, tokens[place], right), after
    return left, place


def _value(tokens: list[str], place: int, depth: int) -> tuple[Expression, int]:
    """A number or a bracket.

    Raises:
        ValueError: If there is neither, or brackets are nested too deep.
    """
    if tokens[place] == "(" and depth < DEEPEST:
        inner, place = _sum(tokens, place + 1, depth + 1)
        if tokens[place] != ")":
            raise ValueError("a bracket was not closed")
        return inner, place + 1
    number = int(tokens[place])
    return Expression(Fraction(number), (number,), frozenset()), place + 1


def _joined(left: Expression, sign: str, right: Expression) -> Expression:
    value = {
        "+": lambda: left.value + right.value,
        "-": lambda: left.value - right.value,
        "*": lambda: left.value * right.value,
        "/": lambda: left.value / right.value,
    }[sign]()
    return Expression(value, left.numbers + right.numbers, left.signs | right.signs | {sign})


def last_expression(text: str) -> str | None:
    """The last run of digits, signs and brackets in which two numbers are joined: inside the last
    answer tag, or else anywhere.

    >>> last_expression("First 3 + 4 = 7, so (3 + 4) * 2 = 14.")
    '(3 + 4) * 2'
    """
    inside = text.rpartition(OPEN)[2].partition(CLOSE)[0] if OPEN in text else ""
    for place in (inside, text):
        runs = [
            run[0]
            for run in RUN.finditer(_plain(place))
            if len(run[0]) <= LONGEST and OPERATION.search(run[0]) and _is_whole(run)
        ]
        if runs:
            return _balanced(runs[-1])
    return None


def _is_whole(run: re.Match[str]) -> bool:
    """Whether no number at an end of the run goes on outside it, as that of 3 + 4.5 or 4x does."""
    before = run.string[max(run.start() - 1, 0) : run.start()]
    cut_before = run[0][0].isdigit() and (before.isalnum() or before in (".", "_"))
    cut_behind = run[0][-1].isdigit() and CUT.match(run.string, run.end()) is not None
    return not cut_before and not cut_behind


def _balanced(run: str) -> str:
    """The run without signs at its ends and without brackets that open or close nothing."""
    run = run.strip(LOOSE_ENDS)
    while run.endswith("(") or (run.endswith(")") and run.count(")") > run.count("(")):
        run = run[:-1].strip(LOOSE_ENDS)
    while run.startswith(")") or (run.startswith("(") and run.count("(") > run.count(")")):
        run = run[1:].strip(LOOSE_ENDS)
    return run


def _plain(text: str) -> str:
    for sign, plain in SIGNS.items():
        text = text.replace(sign, plain)
    return text


def _foreign(expression: Expression, numbers: list[int]) -> list[int]:
    """Numbers of the expression that were not given, or not as often."""
    return list((Counter(expression.numbers) - Counter(numbers)).elements())


def strategy(expression: Expression) -> str | None:
    """Which operations the expression uses; None for a bare number."""
    if not expression.signs:
        return None
    return (
        "quotients"
        if "/" in expression.signs
        else "products"
        if "*" in expression.signs
        else "sums"
    )


def _feedback(
    expression: Expression | None, answer: str | None, numbers: list[int], target: int
) -> str:
    if expression is None:
        return "there is no expression" if answer is None else "the expression cannot be read"
    foreign = _foreign(expression, numbers)
    if foreign:
        return f"{foreign[0]} was not given, or not that often"
    return (
        f"the expression equals {expression.value}, "
        f"{'as' if expression.value == target else 'not'} {target}"
    )
