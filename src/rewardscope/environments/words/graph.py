"""Ways through a small network of roads between places, told in words; each step of a route can be
checked.

Where roads join Alder and Brigg, and Brigg and Corby, the way from Alder to Corby is Alder -> Brigg
-> Corby.
"""

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, get_args

import numpy as np

from rewardscope.environments.base import content_id, draw
from rewardscope.environments.extraction import OPEN, Place, bounded, strict
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

SPLITS = {"train": 0.8, "heldout": 0.2}
PLACES = (
    *(
        "Alder",
        "Barrow",
        "Cresting",
        "Dunmore",
        "Elmford",
        "Farley",
        "Glenby",
        "Hawick",
        "Ingram",
        "Jarrow",
        "Kelso",
        "Langley",
    ),
    *(
        "Marlow",
        "Norton",
        "Oakham",
        "Penrith",
        "Quarley",
        "Ripon",
        "Selby",
        "Thirsk",
        "Ulverton",
        "Verwood",
        "Welby",
        "Yarrow",
    ),
    *(
        "Ashby",
        "Brigg",
        "Corby",
        "Denby",
        "Epping",
        "Flint",
        "Grimsby",
        "Harwich",
        "Ilford",
        "Kendal",
        "Ludlow",
        "Matlock",
    ),
)
KNOWN = frozenset(PLACES)
WORD = re.compile(r"[A-Za-z]+")
ARROW = re.compile(r"-->|->|→|=>|–>")
LONGEST = 200
"""Places of a route that are read."""
Roads = Mapping[str, frozenset[str]]
"""Place -> the places that a road joins it to."""


@dataclass(frozen=True)
class Graph:
    """A way from one place to another, ``hops`` roads apart; any that comes to no place twice is
    right, or with ``shortest`` any that is as short as possible.

    Beside the way there are ``dead_ends`` (places that lead nowhere), ``branches`` (other ways
    round, as long or one road longer) and ``distractors`` (roads between places out of reach).
    Roads go both ways, and their order tells nothing. The number of hops is the level.

    ``steps``: whether the route starts where it should, whether each step follows a road to a new
    place (with ``shortest``: one that leads closer), and a last False if it does not arrive.
    Strategies say of a whole valid route whether it is as short as possible. A walk that may come
    back finds every goal in the end, so it would solve all problems by chance.

    Source:
        Wang et al. 2025, arXiv:2509.22613 (path-finding for reinforcement learning); Bachmann and
            Nagarajan 2024, arXiv:2403.06963 (path-star: why dead ends make it hard).
    """

    hops: int = 3
    dead_ends: int = 2
    branches: int = 1
    distractors: int = 2
    shortest: bool = False
    answer_in: Place = "tags"
    """Where the answer is asked for, and where the strict extractor looks: between answer tags, or
    the whole completion.
    """

    name: ClassVar[str] = "Graph"
    strategies: ClassVar[tuple[str, ...]] = ("shortest", "longer")

    def __post_init__(self) -> None:
        counts = (self.dead_ends, self.branches, self.distractors)
        good = self.hops >= 2 and min(counts) >= 0 and self.places <= len(PLACES)
        if not good or self.answer_in not in get_args(Place):
            raise ComponentError(
                "Graph cannot ask with these settings",
                value=f"{self}: {self.places} places",
                allowed=f"hops of 2 or more, no count below 0, {len(PLACES)} places in all; "
                f"answer_in one of {', '.join(get_args(Place))}",
                do="Mend them",
            )

    @property
    def places(self) -> int:
        """How many places there are."""
        return (
            self.hops
            + 1
            + self.dead_ends
            + self.branches
            + (self.distractors + 1 if self.distractors else 0)
        )

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index); its roads and what is asked of them decide its split."""
        return draw("Graph", split, index, SPLITS, self._make)

    def _make(self, seed: int) -> Problem:
        random = generator("graph", seed)
        names = [PLACES[place] for place in random.permutation(len(PLACES))[: self.places]]
        roads, way = self._lay(names, random)
        told = "; ".join(
            " and ".join(pair if flip else pair[::-1])
            for pair, flip in zip(roads, random.random(len(roads)) < 0.5, strict=True)
        )
        task = f"Find {'a shortest way' if self.shortest else 'a way'} from {way[0]} to {way[-1]}"
        text = (
            f"Roads join {told}. All roads go both "
            f"ways.\n{task}{', over as few roads as possible' if self.shortest else ''}."
        )
        form = "first place -> next place -> ... -> last place"
        where = (
            f"Give the places in order, none of them twice, in the form <answer>{form}</answer>."
            if self.answer_in == "tags"
            else f"Answer with just {form}, none of them twice."
        )
        facts = {"roads": json.dumps(roads), "start": way[0], "goal": way[-1]}
        return Problem(
            content_id("Graph", text),
            "Graph",
            f"{text} {where}",
            " -> ".join(way),
            self.hops,
            facts,
        )

    def _lay(
        self, names: Sequence[str], random: np.random.Generator
    ) -> tuple[list[tuple[str, str]], Sequence[str]]:
        """All roads in a random order, and the way that they were laid around."""
        way, rest = names[: self.hops + 1], list(names[self.hops + 1 :])
        roads = list(pairwise(way))
        leaves: list[str] = list(way[:-1])
        for _ in range(self.dead_ends):  # from the way, or from an earlier dead end
            leaves.append(rest.pop())
            roads.append((leaves[int(random.integers(len(leaves) - 1))], leaves[-1]))
        for _ in range(
            self.branches
            # by a place of its own past one place of the way, or along one road of it; neither
            # shortens
            # it
        ):
            first = int(random.integers(self.hops))
            last = min(first + 1 + int(random.integers(2)), self.hops)
            around = rest.pop()
            roads += [(way[first], around), (around, way[last])]
        for number in range(1, len(rest)):
            roads.append((rest[int(random.integers(number))], rest[number]))
        return [roads[place] for place in random.permutation(len(roads))], way

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: places of the problem joined by arrows, where that was asked for; tolerant: the
        places named in a route.
        """
        text = bounded(text)
        roads = _network(json.loads(problem.facts["roads"]))
        start, goal = problem.facts["start"], problem.facts["goal"]
        asked = strict(text, self.answer_in)
        parts = (
            [part.strip().capitalize() for part in ARROW.split(asked)]
            if asked and len(asked) < 20 * LONGEST
            else []
        )
        formed = 2 <= len(parts) <= LONGEST and all(part in roads for part in parts)
        route = parts if formed else find_route(text)
        if not route:
            return Grade(
                correct=False, strict=False, well_formed=False, feedback="no route was found"
            )
        left = _distances(roads, goal)
        steps = [
            route[0] == start,
            *(
                self._follows(roads, left, here, there)
                and (self.shortest or there not in route[:number])
                for number, (here, there) in enumerate(pairwise(route), 1)
            ),
        ]
        steps += [] if route[-1] == goal else [False]
        correct = all(steps)
        valid = (
            route[0] == start
            and route[-1] == goal
            and all(b in roads.get(a, ()) for a, b in pairwise(route))
            and len(set(route)) == len(route)
        )
        return Grade(
            correct=correct,
            strict=formed and correct,
            well_formed=formed,
            answer=" -> ".join(route),
            feedback=_feedback(roads, left, route, steps, start, goal),
            strategy=("shortest" if len(route) - 1 == left[start] else "longer") if valid else None,
            steps=tuple(steps),
        )

    def _follows(self, roads: Roads, left: Mapping[str, int], here: str, there: str) -> bool:
        return there in roads.get(here, ()) and (
            not self.shortest or left.get(there, -1) == left.get(here, -1) - 1
        )

    def oracle(self, problem: Problem) -> str:
        """The way that the roads were laid around, where it was asked for."""
        return f"<answer>{problem.answer}</answer>" if self.answer_in == "tags" else problem.answer


def _network(pairs: Sequence[Sequence[str]]) -> Roads:
    joined: dict[str, set[str]] = {}
    for first, second in pairs:
        joined.setdefault(first, set()).add(second)
        joined.setdefault(second, set()).add(first)
    return {place: frozenset(others) for place, others in joined.items()}


def _distances(roads: Roads, goal: str) -> dict[str, int]:
    """Roads from each place to the goal; places that it cannot be reached from are left out."""
    left, queue = {goal: 0}, deque([goal])
    while queue:
        here = queue.popleft()
        for there in roads[here]:
            if there not in left:
                left[there] = left[here] + 1
                queue.append(there)
    return left


def find_route(text: str) -> list[str]:
    """The places that are named in order: in the last answer tag, else in the last line with an
    arrow and two places, else with two.

    A place named twice in a row counts once, so "from Alder to Birch, from Birch to Cedar" is a
    route of three.
    """
    if OPEN in text:
        route = _named(text.rpartition(OPEN)[2].partition("</answer>")[0])
        if len(route) > 1:
            return route
    lines = text[-20_000:].splitlines()[::-1]
    for line in (*filter(ARROW.search, lines), *lines):
        route = _named(line)
        if len(route) > 1:
            return route
    return []


def _named(text: str) -> list[str]:
    """Places in the order in which they are named, one named twice in a row once."""
    route: list[str] = []
    for word in WORD.findall(text[: 20 * LONGEST]):
        name = word.capitalize()
        if name in KNOWN and name not in route[-1:]:
            route.append(name)
    return route[:LONGEST]


def _feedback(
    roads: Roads,
    left: Mapping[str, int],
    route: Sequence[str],
    steps: Sequence[bool],
    start: str,
    goal: str,
) -> str:
    """What is wrong with the first step that is wrong."""
    if all(steps):
        return "the route is right"
    wrong = list(steps).index(False)
    if wrong == 0:
        return f"the route starts at {route[0]}, not at {start}"
    if wrong == len(route):
        return f"the route ends at {route[-1]}, not at {goal}"
    here, there = route[wrong - 1], route[wrong]
    if there in roads.get(here, ()) and there in route[:wrong]:
        return f"step {wrong} comes to {there} again"
    if there in roads.get(here, ()):
        return f"step {wrong}, from {here} to {there}, does not lead closer to {goal}"
    return f"step {wrong}: no road joins {here} and {there}"
