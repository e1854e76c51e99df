"""The house in English, for language models: the same worlds, told and read in words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rewardscope.environments.house.compact import STRATEGIES, House, check_rules, grade_story
from rewardscope.environments.house.world import (
    RECIPES,
    ROOMS,
    Action,
    State,
    Story,
    Told,
    replay,
    solution,
    world_of,
)
from rewardscope.types import Grade, Problem

ROOM_NAMES = dict(zip(ROOMS, ("hall", "kitchen", "study", "cellar", "attic"), strict=True))
THING_NAMES = {
    "a": "apple",
    "b": "ball",
    "c": "cup",
    "e": "egg",
    "k": "key",
    "x": "shut chest",
    "y": "open chest",
    "s": "tap",
}
VERB_NAMES = {"g": "go to", "t": "take", "w": "wash", "d": "drop", "o": "open", "q": "done"}
SUB_GOALS = {
    "k": "take the key",
    "o": "open the chest",
    "t": "take what is wanted",
    "w": "wash it at the tap",
    "d": "drop it in the room",
}
"""What each letter of a recipe says."""
KINDS = {
    "O": "take something out of the shut chest",
    "L": "take something out of the locked chest",
    "W": "bring something washed",
    "P": "bring two things",
}
RULES = (
    "You play a text game in a house with five rooms: {rooms}. You can go from any room to any "
    "other. One room has a chest, one has a tap. "
    "You see only the room that you are in.\nWrite one action a turn and nothing else: go to ROOM, "
    "take THING, open chest, wash THING, "
    "drop THING, or done when the task is done. You have {turns} turns; an action that cannot be "
    "done costs one.\n"
)
COMMAND = re.compile(r"(go to|go|take|drop|wash|open) (?:the )?([a-z]+)|(done)")
_BY_NAME = {name: letter for letter, name in (ROOM_NAMES | THING_NAMES).items()}


@dataclass(frozen=True)
class HouseInWords:
    """The worlds of :class:`House`, told in English: the same problems by the same ids, actions
    such as ``go to kitchen`` and ``take cup``.

    An action is the whole turn; case, ``the``, a leading ``>`` and a closing full stop are free.
    Anything else is an invalid action.
    """

    max_turns: int = 16
    most_invalid: int = 0
    """So many invalid actions end the episode; 0 = they cost their turns and no more."""
    categories: str = "OLWP"

    name: ClassVar[str] = "HouseInWords"
    strategies: ClassVar[tuple[str, ...]] = STRATEGIES

    def __post_init__(self) -> None:
        check_rules(self.max_turns, self.most_invalid, self.categories)

    def problem(self, split: str, index: int) -> Problem:
        """The house's problem at (split, index), in words."""
        found = House(self.max_turns, self.most_invalid, self.categories).problem(split, index)
        world = world_of(found.facts)
        rules = RULES.format(rooms=", ".join(ROOM_NAMES.values()), turns=self.max_turns)
        prompt = (
            f"{rules}Task: "
            f"{task(world.category, world.wanted, world.room)}\n{tell(State(world).look())}"
        )
        return replace(found, environment=self.name, prompt=prompt, answer=ROOM_NAMES[world.room])

    def reply(self, problem: Problem, turns: Sequence[str]) -> str | None:
        """The world's answer to the last turn, on a line of its own; None once the episode is
        over.
        """
        story = self._story(problem, turns)
        return None if story.over else f"\n{tell(story.told[-1])}\n"

    def _story(self, problem: Problem, turns: Sequence[str]) -> Story:
        return replay(
            world_of(problem.facts),
            [read(turn) for turn in turns[: self.max_turns]],
            self.max_turns,
            self.most_invalid,
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """As the house does it, of the turns, one a line."""
        turns = text.split("\n")
        story = self._story(problem, turns)
        formed = len(turns) == len(story.told) and all(read(turn) is not None for turn in turns)
        feedback = _skill(problem, story) if all(story.steps) else _lesson(problem, story)
        grade = grade_story(world_of(problem.facts), story, formed, feedback)
        return replace(grade, answer=None if grade.answer is None else ROOM_NAMES[grade.answer])

    def oracle(self, problem: Problem) -> str:
        """The recipe carried out by somebody who knows where everything is, one action a line."""
        return "\n".join(write(action) for action in solution(world_of(problem.facts)))

    def category(self, prompt: str) -> str:
        """The letter of the task, as its sentence tells it."""
        said = prompt.rpartition("Task: ")[2].partition("\n")[0]
        signs = {"L": "which is locked", "O": "in the shut chest", "W": "at the tap"}
        return next((category for category, sign in signs.items() if sign in said), "P")

    def skill(self, problem: Problem, text: str) -> str:
        """What the turns reached, in order, as a sentence; empty where they reached nothing."""
        return _skill(problem, self._story(problem, text.split("\n")))

    def lesson(self, problem: Problem, text: str) -> str:
        """Where the turns failed, as sentences; empty where every sub-goal was reached."""
        return _lesson(problem, self._story(problem, text.split("\n")))


def _skill(problem: Problem, story: Story) -> str:
    said = ", ".join(SUB_GOALS[letter] for letter in story.reached)
    return f"To {KINDS[problem.facts['category']]}: {said}." if said else ""


def _lesson(problem: Problem, story: Story) -> str:
    if all(story.steps):
        return ""
    place = story.steps.index(False)
    should = SUB_GOALS[RECIPES[problem.facts["category"]][place]]
    done = {
        "": "you stopped",
        "!": "you wrote no action",
        "q": "you said done",
        "k": "you tried to take the key",
    }.get(story.tried, f"you tried to {VERB_NAMES.get(story.tried, '')}")
    return (
        f"To {KINDS[problem.facts['category']]}: at step {place + 1} {done}, where you should "
        f"{should} first."
    )


def task(category: str, wanted: str, room: str) -> str:
    """The task as a sentence."""
    things = " and the ".join(THING_NAMES[thing] for thing in wanted)
    said = {
        "O": f"the {things} is in the shut chest; bring it to the {ROOM_NAMES[room]}.",
        "L": f"the {things} is in the chest, which is locked; bring it to the {ROOM_NAMES[room]}.",
        "W": f"wash the {things} at the tap, and bring it to the {ROOM_NAMES[room]}.",
        "P": f"bring the {things} to the {ROOM_NAMES[room]}.",
    }
    return said[category]


def read(turn: str) -> Action | None:
    """The action that a turn is; None where it is none.

    >>> read("> Take the cup."), read("take the tap")
    (Action(verb='t', on='c'), None)
    """
    found = COMMAND.fullmatch(turn.strip().removeprefix(">").strip().removesuffix(".").lower())
    if found is None:
        return None
    if found[3]:
        return Action("q")
    verb, name = found[1][0], found[2]
    if verb == "o":
        return Action("o", "x") if name == "chest" else None
    on = _BY_NAME.get(name, "")
    allowed = {"g": "12345", "t": "abcek", "d": "abcek", "w": "abce"}[verb]
    return Action(verb, on) if on and on in allowed else None


def write(action: Action) -> str:
    """The turn that asks for the action."""
    if action.verb in "oq":
        return {"o": "open chest", "q": "done"}[action.verb]
    return f"{VERB_NAMES[action.verb]} {(ROOM_NAMES | THING_NAMES)[action.on]}"


def tell(told: Told) -> str:
    """The world's answer as a sentence."""
    seen = [
        f"{'an' if THING_NAMES[letter][0] in 'aeo' else 'a'} {THING_NAMES[letter]}"
        for letter in told.seen
    ]
    listed = " and ".join([", ".join(seen[:-1]), seen[-1]] if len(seen) > 1 else seen) or "nothing"
    return {
        "room": f"You are in the {ROOM_NAMES.get(told.room, '')}. You see {listed}.",
        "inside": f"The chest is open. In it is {listed}.",
        "done": "Done.",
        "invalid": "That cannot be done.",
    }[told.kind]
