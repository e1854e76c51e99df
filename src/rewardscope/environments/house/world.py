"""The world behind the house: where things lie, what an action does, and how far a task has come.
Neither notation knows more than this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

ROOMS, THINGS, KEY = "12345", "abce", "k"
INSIDE, HELD = "x", "h"
"""Places that are no room: in the shut chest, in the player's hands."""
RECIPES = {"O": "otd", "L": "kotd", "W": "twd", "P": "ttdd"}
"""Category -> its sub-goals in order: k take the key, o open the chest, t take a wanted thing, w
wash it, d have it where it should be.
"""
SHORTCUTS = {"O": "td", "L": "otd", "W": "td", "P": "td"}
"""Category -> what is left when the sub-goal that it is about is forgotten."""
VERBS = "gtowdq"
DONE = "q"


@dataclass(frozen=True, slots=True)
class World:
    """One house with one task."""

    category: str
    wanted: str
    """One thing, or two."""
    room: str
    """Where they are to lie at the end."""
    start: str
    places: str
    """Where each of THINGS + KEY lies."""
    chest: str
    tap: str

    def facts(self) -> dict[str, str]:
        """The world as a problem keeps it."""
        return {
            "category": self.category,
            "goal": self.wanted + self.room,
            "start": self.start,
            "layout": self.places + self.chest + self.tap,
        }


def world_of(facts: Mapping[str, str]) -> World:
    """The world that a problem's facts describe."""
    return _world(facts["category"], facts["goal"], facts["start"], facts["layout"])


@lru_cache(maxsize=4096)
def _world(category: str, goal: str, start: str, layout: str) -> World:
    return World(category, goal[:-1], goal[-1], start, layout[:-2], layout[-2], layout[-1])


def make(random: np.random.Generator, categories: str) -> World:
    """A world of one of the categories, each equally likely; what is wanted lies neither where the
    player starts nor where it should.
    """
    category = categories[int(random.integers(len(categories)))]
    start, room, chest, tap = (ROOMS[i] for i in random.integers(len(ROOMS), size=4))
    wanted = "".join(
        THINGS[i] for i in sorted(random.permutation(len(THINGS))[: 2 if category == "P" else 1])
    )
    places = {
        thing: ROOMS[i]
        for thing, i in zip(
            THINGS + KEY, random.integers(len(ROOMS), size=len(THINGS) + 1), strict=True
        )
    }
    elsewhere = [r for r in ROOMS if r not in (start, room)]
    if category in "OL":
        chest = elsewhere[int(random.integers(len(elsewhere)))]
        places[wanted] = INSIDE
    else:
        for thing in wanted:
            places[thing] = elsewhere[int(random.integers(len(elsewhere)))]
    return World(
        category, wanted, room, start, "".join(places[thing] for thing in THINGS + KEY), chest, tap
    )


@dataclass(frozen=True, slots=True)
class Action:
    """What a turn asks for."""

    verb: str
    """One of VERBS."""
    on: str = ""
    """A room, a thing, or nothing."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the world answers to an action."""

    kind: Literal["room", "inside", "done", "invalid"]
    room: str = ""
    seen: str = ""
    """Things, the key, the chest (x shut, y open) and the tap (s), in this order; of an opened
    chest what was inside.
    """


class State:
    """The state of a world in play."""

    def __init__(self, world: World) -> None:
        self.world, self.at, self.open = world, world.start, False
        self.places = dict(zip(THINGS + KEY, world.places, strict=True))
        self.washed: set[str] = set()
        self.taken: set[str] = set()

    def look(self) -> Told:
        """The room as it is seen."""
        things = "".join(thing for thing, place in self.places.items() if place == self.at)
        chest = ("y" if self.open else "x") if self.at == self.world.chest else ""
        return Told("room", self.at, things + chest + ("s" if self.at == self.world.tap else ""))

    def act(self, action: Action | None) -> Told:
        """Does it where it can be done; where it cannot, or is no action, nothing changes."""
        if action is None:
            return Told("invalid")
        verb, on = action.verb, action.on
        if verb == "g":
            self.at = on
            return self.look()
        if verb == "o":
            return self._opened()
        if verb == "t" and self.places[on] == self.at:
            self.places[on] = HELD
            self.taken.add(on)
        elif verb == "d" and self.places[on] == HELD:
            self.places[on] = self.at
        elif verb == "w" and self.places[on] == HELD and self.at == self.world.tap:
            self.washed.add(on)
        elif verb != DONE:
            return Told("invalid")
        return Told("done")

    def _opened(self) -> Told:
        locked = self.world.category == "L" and self.places[KEY] != HELD
        if self.at != self.world.chest or self.open or locked:
            return Told("invalid")
        self.open = True
        inside = "".join(thing for thing, place in self.places.items() if place == INSIDE)
        self.places.update(dict.fromkeys(inside, self.at))
        return Told("inside", self.at, inside)

    def steps(self) -> tuple[bool, ...]:
        """Which sub-goals of the recipe are reached; that the things lie where they should has to
        hold at the end.
        """
        wanted = self.world.wanted
        taken = sum(thing in self.taken for thing in wanted)
        there = sum(self.places[thing] == self.world.room for thing in wanted)
        reached = {"k": [KEY in self.taken], "o": [self.open], "w": [wanted in self.washed]}
        reached |= {"t": [taken > 0, taken > 1], "d": [there > 0, there > 1]}
        return tuple(reached[letter].pop(0) for letter in RECIPES[self.world.category])


@dataclass
class Story:
    """What became of a sequence of turns."""

    steps: tuple[bool, ...]
    told: list[Told] = field(default_factory=list)
    """One answer per turn that was read."""
    verbs: str = ""
    """Every action but moves, done or refused: its letter, k for taking the key, ! for no action.
    """
    reached: str = ""
    """Sub-goals in the order in which they were first reached."""
    tried: str = ""
    """First letter of ``verbs`` since the last sub-goal was reached that stands before the first
    one missing; empty = none.
    """
    invalid: int = 0
    said_done: bool = False
    over: bool = False
    dropped_in: str | None = None
    """Room in which a wanted thing was last put down."""


def replay(
    world: World, actions: Sequence[Action | None], max_turns: int, most_invalid: int
) -> Story:
    """Plays the actions until the episode is over.

    That is when the player says done, after ``max_turns``, or once ``most_invalid`` actions were
    refused (0 = never).
    """
    state = State(world)
    story = Story(state.steps())
    since = [0]  # length of ``verbs`` when the first n sub-goals were first reached together
    for action in actions:
        told = state.act(action)
        story.told.append(told)
        story.invalid += told.kind == "invalid"
        if action is None or action.verb != "g":
            story.verbs += (
                "!"
                if action is None
                else "k"
                if (action.verb, action.on) == ("t", KEY)
                else action.verb
            )
        before, story.steps = story.steps, state.steps()
        recipe = RECIPES[world.category]
        story.reached += "".join(
            letter
            for letter, was, now in zip(recipe, before, story.steps, strict=True)
            if now and not was
        )
        while len(since) <= len(recipe) and all(story.steps[: len(since)]):
            since.append(len(story.verbs))
        if (
            action is not None
            and action.verb == "d"
            and told.kind == "done"
            and action.on in world.wanted
        ):
            story.dropped_in = state.at
        story.said_done = action is not None and action.verb == DONE
        story.over = (
            story.said_done or len(story.told) >= max_turns or 0 < most_invalid <= story.invalid
        )
        if story.over:
            break
    missing = story.steps.index(False) if False in story.steps else len(story.steps)
    story.tried = story.verbs[since[min(missing, len(since) - 1)] :][:1]
    return story


def solution(world: World) -> list[Action]:
    """The recipe carried out with full knowledge of the world, with the closing word."""
    state, actions = State(world), []
    left = list(world.wanted)

    def do(room: str, action: Action) -> None:
        for step in ([Action("g", room)] if state.at != room else []) + [action]:
            state.act(step)
            actions.append(step)

    for letter in RECIPES[world.category]:
        if letter == "k":
            do(state.places[KEY], Action("t", KEY))
        elif letter == "o":
            do(world.chest, Action("o", INSIDE))
        elif letter == "w":
            do(world.tap, Action("w", world.wanted))
        elif letter == "t":
            thing = min(left, key=lambda t: state.places[t] != state.at)
            left.remove(thing)
            do(state.places[thing], Action("t", thing))
        else:
            do(
                world.room,
                Action("d", next(thing for thing in world.wanted if state.places[thing] == HELD)),
            )
    return [*actions, Action(DONE)]
