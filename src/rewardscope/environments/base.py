"""What an environment is, and how its splits stay apart."""

import hashlib
from collections.abc import Callable, Mapping

from rewardscope.errors import EnvironmentFault
from rewardscope.protocols import Environment
from rewardscope.seeds import generator
from rewardscope.types import Problem

MAX_ATTEMPTS = 10_000
"""Draws per problem before a split is called empty."""


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
