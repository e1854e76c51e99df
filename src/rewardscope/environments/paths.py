"""Ways through a fixed graph, with plans stated in tokens of their own.

52 places, a letter each: a near side (a to t), four hubs (u to x) that alone lead across, a far
side (A to X) in four quarters, and four dead ends (y, z, Y, Z). A hub leads into two neighbouring
quarters, so each goal has two right hubs and two wrong ones. A prompt is goal and start, ``K?c``. A
completion states plans and walks:

    1      go to the first hub          >      go for the goal
    d,g,u  the places walked            <      one place back, out of a dead end

    K?c    2d,g,y<b,v>H,K      to the second hub (v), at a dead end on the way, and on to K

Every way of edges that ends at the goal is right, whatever was planned. Digits, > and < are the
plans (PLANS) and occur nowhere else.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from rewardscope.environments.base import content_id, owner
from rewardscope.environments.extraction import bounded
from rewardscope.errors import EnvironmentFault
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

NEAR, HUBS, FAR, DEAD_ENDS = "abcdefghijklmnopqrst", "uvwx", "ABCDEFGHIJKLMNOPQRSTUVWX", "yzYZ"
PLACES = NEAR + HUBS + FAR + DEAD_ENDS
QUARTERS = tuple(FAR[i : i + 6] for i in range(0, 24, 6))
GOAL, BACK = ">", "<"
PLANS = ("1", "2", "3", "4", GOAL, BACK)
"""The strategic grams of a completion."""
SPLITS = {"pretrain": 0.4, "train": 0.4, "heldout": 0.2}
SUCCESSORS = 2
"""Edges of each place to others of its own side or quarter."""
LEG = r"[a-zA-Z](?:(?:,|<+)[a-zA-Z])*<*"
WHOLE = re.compile(rf"[1-4>]{LEG}(?:[1-4>]{LEG})*")
Edges = Mapping[str, tuple[str, ...]]
"""Place -> where one can go from it."""


@dataclass(frozen=True)
class Move:
    """One step of a walk."""

    offset: int
    """Of its character in the completion."""
    right: bool
    """Whether there is such an edge from where the walk was, or a place to go back to."""
    place: str
    """Where it led."""


@dataclass(frozen=True)
class Paths:
    """Pairs of a near start and a far goal in the graph number ``graph``: 480 pairs, each in one
    split by its content.
    """

    graph: int = 0

    name: ClassVar[str] = "Paths"
    strategies: ClassVar[tuple[str, ...]] = ("via 1", "via 2", "via 3", "via 4", "direct")

    def size(self, split: str) -> int:
        """How many different problems the split has.

        Raises:
            EnvironmentFault: If there is no such split.
        """
        if split not in SPLITS:
            raise EnvironmentFault(
                "Paths has no such split",
                value=repr(split),
                allowed=", ".join(SPLITS),
                do="Use one of them",
            )
        return len(_pairs(split))

    def problem(self, split: str, index: int) -> Problem:
        """The problem at index modulo ``size(split)``, in an order that is fixed but tells
        nothing.
        """
        number = self.size(split)
        prompt = _pairs(split)[index % number]
        key = self.oracle_of(prompt)
        return Problem(
            content_id("Paths", prompt),
            "Paths",
            prompt,
            key,
            sum(letter in PLACES for letter in key),
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Tolerant: the places named, in order, are a way to the goal; strict: they stand in a
        completion of plans and walks alone.
        """
        text = bounded(text).strip()
        goal, start = ends(problem.prompt)
        moves, way = walk(edges(self.graph), start, text)
        right = bool(moves) and all(move.right for move in moves) and way[-1] == goal
        whole = WHOLE.fullmatch(text) is not None
        wrong = next((number for number, move in enumerate(moves, 1) if not move.right), None)
        return Grade(
            correct=right,
            strict=right and whole,
            well_formed=whole,
            answer=way if moves else None,
            feedback=None
            if right
            else f"there is no move {wrong}"
            if wrong
            else "the way does not end at the goal",
            strategy=f"via {text[0]}"
            if text[:1] in tuple("1234")
            else "direct"
            if text[:1] == GOAL
            else None,
            steps=tuple(move.right for move in moves) or None,
        )

    def first_error(self, problem: Problem, text: str) -> int | None:
        """Offset of the character of the first wrong move; None where every move is right."""
        moves, _ = walk(edges(self.graph), ends(problem.prompt)[1], text)
        return next((move.offset for move in moves if not move.right), None)

    def oracle(self, problem: Problem) -> str:
        """The shortest way over the first right hub."""
        return self.oracle_of(problem.prompt)

    def oracle_of(self, prompt: str) -> str:
        """The same of a prompt."""
        goal, start = ends(prompt)
        graph = edges(self.graph)
        hub = right_hubs(goal)[0]
        there, onward = (",".join(shortest(graph, *ends)) for ends in ((start, hub), (hub, goal)))
        return f"{HUBS.index(hub) + 1}{there}{GOAL}{onward}"


def ends(prompt: str) -> tuple[str, str]:
    """Goal and start of a prompt such as ``K?c``."""
    return prompt[0], prompt[-1]


def right_hubs(goal: str) -> tuple[str, str]:
    """The two hubs that lead into the goal's quarter.

    >>> right_hubs("A"), right_hubs("K")
    (('u', 'x'), ('u', 'v'))
    """
    quarter = next(number for number, places in enumerate(QUARTERS) if goal in places)
    first, second = sorted((quarter, (quarter - 1) % 4))
    return HUBS[first], HUBS[second]


def walk(graph: Edges, start: str, text: str) -> tuple[list[Move], str]:
    """The moves that a completion writes, and the places passed, start first, steps that were taken
    back left out.

    Other characters are passed over. A move after a wrong one is judged from where that led.
    """
    way, moves = [start], []
    for offset, letter in enumerate(text):
        if letter == BACK:
            right = len(way) > 1
            if right:
                way.pop()
        elif letter in graph:
            right = letter in graph[way[-1]]
            way.append(letter)
        else:
            continue
        moves.append(Move(offset, right, way[-1]))
    return moves, "".join(way)


@cache
def distances(graph: int, target: str) -> Mapping[str, int]:
    """Fewest moves to the target from every place that leads to it."""
    back: dict[str, list[str]] = {node: [] for node in PLACES}
    for node, successors in edges(graph).items():
        for other in successors:
            back[other].append(node)
    far, queue = {target: 0}, deque([target])
    while queue:
        node = queue.popleft()
        for other in back[node]:
            if other not in far:
                far[other] = far[node] + 1
                queue.append(other)
    return far


def shortest(graph: Edges, start: str, target: str) -> list[str]:
    """Places of a shortest way, the start left out, the first of the alphabet among equals; empty
    where there is none.
    """
    before: dict[str, str] = {start: ""}
    queue = deque([start])
    while queue:
        place = queue.popleft()
        for other in sorted(graph[place]):
            if other not in before:
                before[other] = place
                queue.append(other)
    way: list[str] = []
    while target in before and target != start:
        way.insert(0, target)
        target = before[target]
    return way


@cache
def edges(graph: int) -> Edges:
    """The graph of this number: the first drawn one in which every start reaches every hub, and
    every place of a quarter all others.
    """
    for attempt in range(1000):
        drawn = _drawn(graph, attempt)
        starts = all(shortest(drawn, start, hub) for start in NEAR for hub in HUBS)
        quarters = all(
            shortest(drawn, a, b)
            for quarter in QUARTERS
            for a in quarter
            for b in quarter
            if a != b
        )
        if starts and quarters:
            return drawn
    raise EnvironmentFault(
        "Paths found no connected graph", value=f"graph={graph}", do="Take another number"
    )


def _drawn(graph: int, attempt: int) -> Edges:
    """Random edges within the near side and within quarters, one from each start to a hub, two from
    a hub into each of its quarters, and from half of the places one to a dead end.
    """
    random = generator("paths", graph, attempt)

    def some(places: Sequence[str], count: int) -> list[str]:
        return [str(node) for node in random.choice(list(places), size=count, replace=False)]

    graph_edges: dict[str, list[str]] = {node: [] for node in PLACES}
    for region in (NEAR, *QUARTERS):
        for node in region:
            graph_edges[node] += some([other for other in region if other != node], SUCCESSORS)
    for node, hub in zip(some(NEAR, len(NEAR)), HUBS * 5, strict=True):
        graph_edges[node].append(hub)
    for number, hub in enumerate(HUBS):
        for quarter in (QUARTERS[number], QUARTERS[(number + 1) % 4]):
            graph_edges[hub] += some(quarter, 2)
    for node in NEAR + FAR:
        if random.random() < 0.5:
            graph_edges[node].append(some(DEAD_ENDS, 1)[0])
    return {node: tuple(sorted(others)) for node, others in graph_edges.items()}


@cache
def _pairs(split: str) -> tuple[str, ...]:
    """Prompts of the split, ordered by their hash."""
    prompts = {
        content_id("Paths", prompt): prompt
        for prompt in (f"{goal}?{start}" for goal in FAR for start in NEAR)
    }
    return tuple(
        prompts[identity] for identity in sorted(prompts) if owner(identity, SPLITS) == split
    )
