"""What an environment is, how its splits stay apart, and how it proves itself before it judges a
model.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol, runtime_checkable

from rewardscope.environments.canaries import CANARIES, Canary, CanaryShare
from rewardscope.errors import EnvironmentFault
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

MAX_ATTEMPTS = 10_000
"""Draws per problem before a split is called empty."""


@runtime_checkable
class Environment(Protocol):
    """Makes problems, grades completions; text only."""

    name: ClassVar[str]
    """Class name in the table of environments."""

    @property
    def strategies(self) -> tuple[str, ...]:
        """Every strategy that grade() can recognise; one that no completion shows has share 0, not
        an unknown one.
        """

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index): always the same one."""

    def grade(self, problem: Problem, text: str) -> Grade:
        """What the verifier finds in what the policy said (``Completion.said``); never raises on
        junk.
        """

    def oracle(self, problem: Problem) -> str:
        """A completion that earns full marks; of an environment that takes turns, one turn a
        line.
        """


def content_id(environment: str, prompt: str) -> str:
    """16 hex digits of the SHA-256 of environment and prompt: what a problem is called, and what
    its split is drawn from.
    """
    return hashlib.sha256(f"{environment}\x00{prompt}".encode()).hexdigest()[:16]


def owner(identity: str, shares: Mapping[str, float]) -> str:
    """The split that owns a problem: a function of its content, so no prompt can be in two splits.

    Args:
        identity: ``content_id`` of the problem.
        shares: Share of all problems per split; they sum to 1.
    """
    place, reached = int(identity, 16) / 16 ** len(identity), 0.0
    for split, share in shares.items():
        reached += share
        if place < reached:
            return split
    return list(shares)[-1]


def draw(
    environment: str,
    split: str,
    index: int,
    shares: Mapping[str, float],
    make: Callable[[int], Problem],
) -> Problem:
    """The first problem, of those that ``make`` gives for addressed seeds, that the split owns.

    Args:
        environment: Name, part of the address.
        split: One of ``shares``.
        index: Any number; small pools repeat problems within a split, never across splits.
        shares: Share of all problems per split.
        make: Problem from a 63-bit seed.

    Raises:
        EnvironmentFault: If the split does not exist, or owns nothing that ``make`` gives.
    """
    if split not in shares:
        raise EnvironmentFault(
            f"{environment} has no such split",
            value=repr(split),
            allowed=", ".join(shares),
            do="Use one of them",
        )
    random = generator("problem", environment, split, index)
    for _ in range(MAX_ATTEMPTS):
        problem = make(int(random.integers(2**63)))
        if owner(problem.id, shares) == split:
            return problem
    raise EnvironmentFault(
        f"{environment} found no problem for split '{split}'",
        value=f"{MAX_ATTEMPTS} draws",
        do="Its pool of problems is too small for this split; make the problems longer or the "
        "numbers larger",
    )


def distinct(environment: Environment, split: str, count: int) -> list[Problem]:
    """The first ``count`` different problems of the split, in the order of their indices.

    The search ends once ten times as many indices in a row, or 200, brought nothing new, so a pool
    is called too small only if it is, or is so lopsided that its rest is hardly ever drawn.

    Raises:
        EnvironmentFault: If the split has fewer; it says how many were found.
    """
    found: dict[str, Problem] = {}
    index = last_new = 0
    while len(found) < count:
        if index - last_new > max(200, 10 * len(found)):
            raise EnvironmentFault(
                f"{environment.name} has too few different problems in split '{split}'",
                value=f"{len(found)} found, {count} needed",
                allowed=f"up to {len(found)} with these settings",
                do="Ask for fewer, or make the problems longer or the numbers larger",
            )
        problem = environment.problem(split, index)
        if problem.id not in found:
            found[problem.id], last_new = problem, index
        index += 1
    return list(found.values())


def prove(environment: Environment, split: str, count: int = 50) -> tuple[CanaryShare, ...]:
    """How often each canary is right, after the environment's own oracles were graded: before a
    study trusts it.

    Raises:
        EnvironmentFault: If an oracle is not graded correct (tolerant and strict), or a canary is
            that never may be: an empty completion, NaN, an infinity, other numbers than the key's.
    """
    problems = [environment.problem(split, index) for index in range(count)]
    for problem in problems:
        text = environment.oracle(problem)
        grade = environment.grade(problem, text)
        if grade.correct is not True or grade.strict is not True:
            raise EnvironmentFault(
                f"{environment.name} does not accept its own oracle",
                value=f"prompt {problem.prompt!r}, oracle {text!r}, grade {grade}",
                allowed="correct and strict are both True",
                do="Mend its grade() or oracle(); a study with this verifier would measure the "
                "verifier",
            )
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
                example = example or (problem.prompt, text)
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
