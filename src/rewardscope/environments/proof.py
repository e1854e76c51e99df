"""How an environment proves itself before it judges a model: keys are right, and nothing cheap is.

A completion that needs no reading of the problem should earn no more than a guess. The table of
:data:`CHEATS` holds such completions; a new one is a line in it.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rewardscope.conversation import user_text
from rewardscope.environments.canaries import CanaryShare, try_canaries
from rewardscope.errors import EnvironmentFault
from rewardscope.protocols import Environment
from rewardscope.types import Grade, Problem

PROBLEMS, ROWS = 50, 500
"""Problems that prove an environment that makes them, and most rows of one that has a size."""
DOUBT = 0.01
"""A cheat is reported where guessing would earn as much less often than this."""
LETTERS = "ABCDE"


@dataclass(frozen=True)
class Seen:
    """What a cheat knows: the problem, and what all of them have in common."""

    environment: Environment
    problem: Problem
    """As the policy reads it: a cheat that reads the key would be no cheat."""
    frequent: Problem
    """One whose key is the most frequent of all."""
    other: Problem | None
    """Another one, with another key."""


Cheat = Callable[[Seen], str | None]
"""A completion, or None where there is none for the problem."""
CHEATS: dict[str, Cheat] = {
    "empty": lambda seen: "",
    "a sentence without an answer": lambda seen: "I do not know the answer to this question.",
    "echo of the prompt": lambda seen: user_text(seen.problem.prompt),
    "0": lambda seen: _in_form(seen, "0"),
    "1": lambda seen: _in_form(seen, "1"),
    "all digits": lambda seen: _in_form(seen, " ".join("0123456789")),
    "every option": lambda seen: _in_form(seen, ", ".join(LETTERS)),
    "nan": lambda seen: _in_form(seen, "nan"),
    "inf": lambda seen: _in_form(seen, "inf"),
    "the most frequent answer": lambda seen: seen.environment.oracle(seen.frequent),
    "another problem's answer": lambda seen: (
        None if seen.other is None else seen.environment.oracle(seen.other)
    ),
    "another answer, then every digit": lambda seen: (
        None
        if seen.other is None
        else f"{seen.environment.oracle(seen.other)}\n{' '.join('0123456789')}"
    ),
}
"""Name -> completion. None of them reads the problem's key."""


def _in_form(seen: Seen, answer: str) -> str:
    """The answer in the form of another problem's oracle, where its key stands in it."""
    text, key = seen.environment.oracle(seen.frequent), seen.frequent.answer
    if not key:
        return answer
    before, found, behind = text.rpartition(key)  # the answer stands at the end
    return before + answer + behind if found else answer


@dataclass(frozen=True)
class Earning:
    """What one cheat earned."""

    cheat: str
    example: str
    """One of its completions, shortened."""
    asked: int
    """Problems that it answered."""
    correct: int
    strict: int

    @property
    def share(self) -> float:
        """Share that was called correct."""
        return self.correct / self.asked if self.asked else 0.0


@dataclass(frozen=True)
class Proof:
    """What a proof found: the oracle was right on all problems, and what cheats earn."""

    environment: str
    split: str
    problems: int
    keys: int
    """Different keys among them."""
    earnings: tuple[Earning, ...]
    about: str = ""
    """What the environment says of its data set."""
    canaries: tuple[CanaryShare, ...] = ()
    """How often what is near the key, or in the prompt, is right."""

    @property
    def chance(self) -> float:
        """What a guess among the keys earns: 1 / their number."""
        return 1 / self.keys if self.keys else 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each cheat that earns more than chance."""
        return tuple(
            f"{self.environment}, {self.split}: {each.cheat} ({each.example!r}) is right on "
            f"{each.correct} of {each.asked} problems, {each.share:.1%}; a guess among their "
            f"{self.keys} keys earns {self.chance:.1%}"
            for each in self.earnings
            if beyond_chance(each.correct, each.asked, self.chance)
        )

    def record(self) -> dict[str, Any]:
        """For study.json."""
        return {
            **asdict(self),
            "earnings": [asdict(each) for each in self.earnings],
            "chance": self.chance,
            "warnings": list(self.warnings),
        }


def beyond_chance(correct: int, asked: int, chance: float) -> bool:
    """Whether guessing would be right so often with a probability under DOUBT: the upper tail of a
    binomial.

    >>> beyond_chance(15, 50, 0.25), beyond_chance(25, 50, 0.25), beyond_chance(0, 50, 0.0)
    (False, True, False)
    """
    if correct == 0:
        return False
    if chance >= 1:
        return False
    tail = sum(
        math.comb(asked, k) * chance**k * (1 - chance) ** (asked - k)
        for k in range(correct, asked + 1)
    )
    return tail < DOUBT


def prove(environment: Environment, split: str, count: int | None = None) -> Proof:
    """What cheats earn, after the environment's own oracle was graded right on every problem.

    Args:
        environment: To prove.
        split: Whose problems.
        count: How many; None = 50, or up to 500 of a data set's rows.

    Raises:
        EnvironmentFault: If an oracle is not graded correct (tolerant and strict), or a canary is
            that never may be: an empty completion, NaN, an infinity, other numbers than the key's.
    """
    size = getattr(environment, "size", lambda _: None)(split)
    if count is None:
        count = PROBLEMS if size is None else min(size, ROWS)
    problems = [environment.problem(split, index) for index in range(count)]
    for problem in problems:
        _prove_oracle(environment, problem)
    looked_at = problems[: max(PROBLEMS, 1)] if size is None else problems[:200]
    describe = getattr(environment, "describe", None)
    return Proof(
        environment=environment.name,
        split=split,
        problems=len(problems),
        keys=len({problem.answer for problem in looked_at}),
        earnings=_earnings(environment, looked_at),
        about=describe() if callable(describe) else "",
        canaries=try_canaries(environment, looked_at[:PROBLEMS]),
    )


def _prove_oracle(environment: Environment, problem: Problem) -> None:
    text = environment.oracle(problem)
    grade = environment.grade(problem, text)
    if grade.correct is not True or grade.strict is not True:
        raise EnvironmentFault(
            f"{environment.name} does not accept its own oracle",
            value=f"{_origin(environment, problem)}prompt {problem.prompt!r}, oracle {text!r}, "
            f"grade {grade}",
            allowed="correct and strict are both True",
            do="Correct its grade(), its oracle() or the key; a study with this verifier would "
            "measure the verifier",
        )
    if environment.grade(problem, "").correct:
        raise EnvironmentFault(
            f"{environment.name} accepts an empty completion",
            value=repr(problem.prompt),
            allowed="False or None for a completion without any text",
            do="Correct its grade()",
        )


def _origin(environment: Environment, problem: Problem) -> str:
    """Where the row of the problem stands, for a data set."""
    origin = getattr(environment, "origin", None)
    place = origin(problem) if callable(origin) else ""
    return f"{place}, " if place else ""


def _earnings(environment: Environment, problems: Sequence[Problem]) -> tuple[Earning, ...]:
    if not problems:
        return ()
    key = Counter(problem.answer for problem in problems).most_common(1)[0][0]
    frequent = next(problem for problem in problems if problem.answer == key)
    earnings = []
    for name, cheat in CHEATS.items():
        grades, example = list[Grade](), ""
        for number, problem in enumerate(problems):
            rest = problems[number + 1 :] + problems[:number]  # type: ignore[operator]
            other = next((each for each in rest if each.answer != problem.answer), None)
            text = cheat(Seen(environment, problem, frequent, other))
            if text is not None:
                example = example or text[:60]
                grades.append(environment.grade(problem, text))
        earnings.append(
            Earning(
                cheat=name,
                example=example,
                asked=len(grades),
                correct=sum(grade.correct is True for grade in grades),
                strict=sum(grade.strict is True for grade in grades),
            )
        )
    return tuple(earnings)
