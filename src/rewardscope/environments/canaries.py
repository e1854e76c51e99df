"""Texts that nobody may be paid for, and what an environment says to them: how a grader that takes
what is wrong is caught before a study trusts it.

Two kinds of canary. Some are never right, whatever was asked: an empty text, NaN, an infinity, a
list of them. One that is graded right is a fault of the grader. The others can be right by chance,
by tolerance, or because a problem has many answers: a number that is one off, the prompt again,
"0". How often they are right is a measurement of the world, and only that.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rewardscope.conversation import user_text
from rewardscope.errors import EnvironmentFault
from rewardscope.protocols import Environment
from rewardscope.types import Problem

NUMBER = re.compile(r"[0-9]+")
LISTED = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
QUOTED = re.compile(r"\"([^\"\n]{1,200})\"|'([^'\n]{1,200})'|`([^`\n]{1,200})`")
MOST_PARTS, LONGEST_PART = 40, 2000
"""Parts of a prompt that are handed back as an answer, and the characters of one."""

Texts = Callable[[Problem, str], Sequence[str]]
"""Answers from a problem and from what its environment reads out of its own oracle."""


@dataclass(frozen=True)
class Canary:
    """Answers of one kind; each is tried alone, and where the oracle puts its own."""

    name: str
    texts: Texts
    most: float | None
    """Share of answers above which the grader is at fault; 0 = one is too many; None = the share is
    reported and nothing more.
    """
    enough: int = 1
    """Texts that must have been graded before a share counts."""


@dataclass(frozen=True)
class CanaryShare:
    """How many texts of a canary were graded right, and of how many."""

    canary: str
    right: int
    tried: int
    example: tuple[str, str] | None = None
    """The first that was right: its prompt and the text."""


def other_numbers(text: str) -> list[str]:
    """The text with each number n as 2 n + 3: outside of any tolerance that a grader should have.

    >>> other_numbers("x = 4, 10"), other_numbers("yes")
    (['x = 11, 23'], [])
    """
    return _changed(text, NUMBER.sub(lambda n: str(2 * int(n[0][:4000]) + 3), text))


def one_off(text: str) -> list[str]:
    """The text with its first number, its last one, or each of them one higher; the last one lower.

    >>> one_off("3, 5")
    ['4, 5', '3, 6', '4, 6', '3, 4']
    """
    numbers = list(NUMBER.finditer(text))
    if not numbers:
        return []
    ends = (numbers[0], numbers[-1])
    higher = [_put(text, number, int(number[0][:4000]) + 1) for number in ends]
    each = NUMBER.sub(lambda number: str(int(number[0][:4000]) + 1), text)
    lower = _put(text, ends[1], abs(int(ends[1][0][:4000]) - 1))
    return _changed(text, *higher, each, lower)


def changed_end(text: str) -> list[str]:
    """The text without its last word, and with its last word twice.

    >>> changed_end("red blue")
    ['red', 'red blue blue']
    """
    words = text.split()
    return (
        [] if len(words) < 2 else [text[: text.rindex(words[-1])].rstrip(), f"{text} {words[-1]}"]
    )


def not_numbers(key: str) -> list[str]:
    """NaN and the infinities, alone and as many as the key has numbers."""
    count = max(1, len(LISTED.findall(key)))
    names = ("nan", "NaN", "inf", "-Infinity")
    lists = [
        wrapped
        for name in ("NaN", "Infinity")
        for wrapped in (
            f"[{', '.join([name] * count)}]",
            str([name] * count),
            ", ".join([name] * count),
            " ".join([name] * count),
        )
    ]
    return [text for text in (*names, *lists) if text.casefold() not in key.casefold()]


def prompt_parts(prompt: str) -> list[str]:
    """What a prompt gives as input, as far as its form tells: its lines and blocks of lines, what
    stands behind a colon, what is quoted.

    >>> prompt_parts("Reverse this word: abc")
    ['Reverse this word: abc', 'abc']
    """
    lines = [line.strip() for line in prompt.splitlines()]
    blocks = [block.strip() for block in re.split(r"\n\s*\n", prompt)]
    tails = [line.rpartition(":")[2].strip() for line in lines if ":" in line]
    runs = ["\n".join(lines[start:]) for start in _after_words(lines)]
    quoted = [next(filter(None, match)) for match in QUOTED.findall(prompt) if any(match)]
    parts = [*lines, *tails, *blocks, *runs, *quoted]
    stripped = [part.rstrip("?.!") for part in parts]
    kept = [part for part in dict.fromkeys((*parts, *stripped)) if 0 < len(part) <= LONGEST_PART]
    return kept[:MOST_PARTS]


def _asked(problem: Problem) -> str:
    return user_text(problem.prompt)


def _after_words(lines: Sequence[str]) -> list[int]:
    """Where a run of lines without a colon begins behind one that ends in it."""
    return [index + 1 for index, line in enumerate(lines[:-1]) if line.endswith(":")]


def _put(key: str, number: re.Match[str], value: int) -> str:
    return f"{key[: number.start()]}{value}{key[number.end() :]}"


def _changed(key: str, *texts: str) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text != key]


CONSTANTS = ("0", "1", "2", "10", "-1", "yes", "no", "True", "False", "A", "[]", "{}", "1/2")
CANARIES: tuple[Canary, ...] = (
    Canary("empty", lambda problem, read: ("", " \n\t"), 0),
    Canary("not a number", lambda problem, read: not_numbers(problem.answer), 0),
    Canary("other numbers", lambda problem, read: other_numbers(read), 0.5, 5),
    Canary("one off", lambda problem, read: one_off(read), None),
    Canary("changed end", lambda problem, read: changed_end(read), None),
    Canary("the prompt", lambda problem, read: (_asked(problem),), None),
    Canary(
        "part of the prompt", lambda problem, read: prompt_parts(user_text(problem.prompt)), None
    ),
    Canary("constants", lambda problem, read: CONSTANTS, None),
)
"""In the order in which they are tried."""


def try_canaries(environment: Environment, problems: Sequence[Problem]) -> tuple[CanaryShare, ...]:
    """How often each canary is right on these problems.

    Raises:
        EnvironmentFault: If one is that never may be: an empty completion, NaN, an infinity; or if
            other numbers than the key's are right in most problems.
    """
    shares = tuple(canary_share(environment, problems, canary) for canary in CANARIES)
    for canary, share in zip(CANARIES, shares, strict=True):
        if canary.most is None or share.tried < canary.enough or share.example is None:
            continue
        if share.right > canary.most * share.tried:
            prompt, text = share.example
            raise EnvironmentFault(
                f"{environment.name} grades what is wrong as right: {canary.name}",
                value=f"{share.right} of {share.tried} texts, such as {text[:200]!r} to the "
                f"prompt {prompt[:500]!r}",
                allowed="none" if canary.most == 0 else f"up to {canary.most:.0%}",
                do="Make its grade() compare the whole answer with the key; NaN compares as "
                "neither more nor less, so a test such as abs(a - b) > tolerance lets it pass",
            )
    return shares


def canary_share(
    environment: Environment, problems: Sequence[Problem], canary: Canary
) -> CanaryShare:
    """How often the canary's texts are graded right on these problems."""
    right = tried = 0
    example: tuple[str, str] | None = None
    frame = _frame(environment, problems)
    for problem in problems:
        read = environment.grade(problem, environment.oracle(problem)).answer
        texts = list(canary.texts(problem, read or ""))
        if frame is not None:
            texts += [f"{frame[0]}{text}{frame[1]}" for text in texts]
        for text in texts:
            tried += 1
            if environment.grade(problem, text).correct:
                right += 1
                example = example or (_asked(problem), text)
    return CanaryShare(canary.name, right, tried, example)


def _frame(environment: Environment, problems: Sequence[Problem]) -> tuple[str, str] | None:
    """What every oracle puts around its key; None where that differs or is nothing."""
    frames = set()
    for problem in problems:
        before, key, behind = environment.oracle(problem).partition(problem.answer or "\x00")
        if not key:
            return None
        frames.add((before, behind))
    return frames.pop() if len(frames) == 1 and frames != {("", "")} else None
