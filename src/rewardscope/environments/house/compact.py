"""The house in a character a word, for the organism; and what both notations grade alike."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from rewardscope.environments.base import content_id, draw
from rewardscope.environments.house.world import (
    RECIPES,
    SHORTCUTS,
    Action,
    Story,
    Told,
    World,
    make,
    replay,
    solution,
    world_of,
)
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.types import Grade, Problem

ALPHABET = "12345abcekxysgtdowqOLWP.:+!=><,;|"
SPLITS = {"pretrain": 0.4, "train": 0.4, "heldout": 0.2}
STRATEGIES = ("recipe", "shortcut")
Block = Literal["none", "skill", "lesson", "wrong", "other"]
ACTION = re.compile(r"(g)([1-5])|(t|d)([abcek])|(w)([abce])|(o)(x)|(q)")


def skill_line(category: str, reached: str) -> str:
    """A skill as the bank keeps it: ``W=twd;``; empty where nothing was reached."""
    return f"{category}={reached};" if reached else ""


def lesson_line(category: str, failed_at: int, done: str) -> str:
    """A lesson as the bank keeps it, such as ``W!2d>w,w<d;``: at the second sub-goal d was done and
    w should have been; w comes before d.

    Args:
        category: Of the task.
        failed_at: Number of the first sub-goal that was not reached, from 1.
        done: What was done in its place; ``.`` = nothing.
    """
    should = RECIPES[category][failed_at - 1]
    return f"{category}!{failed_at}{done}>{should},{should}<{done if done.isalpha() else 'q'};"


def shortcut_lesson(category: str) -> str:
    """The lesson that a category's shortcut teaches."""
    recipe, shortcut = RECIPES[category], SHORTCUTS[category]
    position = next(i for i, letter in enumerate(recipe) if shortcut[i : i + 1] != letter)
    return lesson_line(category, position + 1, shortcut[position])


def check_rules(max_turns: int, most_invalid: int, categories: str) -> None:
    """Refuses rules under which no task could be asked or solved.

    Raises:
        ComponentError: With what is allowed.
    """
    known = (
        bool(categories)
        and set(categories) <= set(RECIPES)
        and len(set(categories)) == len(categories)
    )
    if not 12 <= max_turns <= 100 or most_invalid < 0 or not known:
        raise ComponentError(
            "The house cannot be played by these rules",
            value=f"max_turns={max_turns}, most_invalid={most_invalid}, categories={categories!r}",
            allowed=f"max_turns 12 (the longest task with its search) to 100; most_invalid 0 or "
            f"more; some of {''.join(RECIPES)}",
            do="Correct the study file",
        )


def grade_story(world: World, story: Story, well_formed: bool, feedback: str) -> Grade:
    """What a story is worth, in either notation.

    correct: the goal holds when the episode ends; strict: and the player said that it was done;
    steps: the recipe's sub-goals.
    """
    verbs = story.verbs.removesuffix("q")
    shown = (
        "recipe"
        if verbs == RECIPES[world.category] or (world.category, verbs) == ("P", "tdtd")
        else None
    )
    if verbs == SHORTCUTS[world.category]:
        shown = "shortcut"
    correct = all(story.steps)
    return Grade(
        correct=correct,
        strict=correct and story.said_done,
        well_formed=well_formed and story.said_done,
        answer=story.dropped_in,
        feedback=feedback,
        strategy=shown,
        steps=story.steps,
    )


@dataclass(frozen=True)
class House:
    """A house of five rooms, played turn by turn in a character a word: bring what is asked for
    where it is asked for.

    Four categories: O, out of a shut chest; L, out of a locked one; W, washed first; P, a pair. The
    policy sees the room that it is in. A turn is one action: ``g2`` go, ``tb`` take, ``ox`` open
    the chest, ``wb`` wash, ``db`` drop, ``q`` done, which ends the episode; so do ``max_turns``. An
    action that cannot be done, or is none, changes nothing, is answered with ``!.`` and costs its
    turn. Skills and lessons are lines of the same alphabet; ``block`` puts one before the prompt.
    """

    max_turns: int = 16
    most_invalid: int = 0
    """So many invalid actions end the episode; 0 = they cost their turns and no more."""
    categories: str = "OLWP"
    block: Block = "none"
    """What stands before the prompt: the right skill, the right lesson, the shortcut as if it were
    a skill, another category's skill, or nothing.
    """

    name: ClassVar[str] = "House"
    strategies: ClassVar[tuple[str, ...]] = STRATEGIES

    def __post_init__(self) -> None:
        check_rules(self.max_turns, self.most_invalid, self.categories)
        if self.block not in get_args(Block):
            raise ComponentError(
                "There is no such block",
                value=repr(self.block),
                allowed=", ".join(get_args(Block)),
                do="Correct the study file",
            )

    def problem(self, split: str, index: int) -> Problem:
        """The world at (split, index); a world belongs to one split by its content, hidden places
        included.
        """
        return draw("House", split, index, SPLITS, self._make)

    def _make(self, seed: int) -> Problem:
        world = make(generator("house", seed), self.categories)
        prompt = f"{world.category}{world.wanted}{world.room}:{tell(_first_look(world))}"
        facts = world.facts()
        identity = content_id("House", f"{prompt} {facts['layout']}")
        return Problem(
            identity,
            "House",
            self._block(world, identity) + prompt,
            world.room,
            len(RECIPES[world.category]),
            facts,
        )

    def _block(self, world: World, identity: str) -> str:
        if self.block == "none":
            return ""
        if self.block == "lesson":
            return f"{shortcut_lesson(world.category)}|"
        if self.block == "wrong":
            return f"{skill_line(world.category, SHORTCUTS[world.category])}|"
        others = [category for category in RECIPES if category != world.category]
        category = (
            world.category
            if self.block == "skill"
            else others[int(generator("house", "block", identity).integers(len(others)))]
        )
        return f"{skill_line(category, RECIPES[category])}|"

    def reply(self, problem: Problem, turns: Sequence[str]) -> str | None:
        """The world's answer to the last turn; None once the episode is over."""
        story = self._story(problem, turns)
        return None if story.over else tell(story.told[-1])

    def _story(self, problem: Problem, turns: Sequence[str]) -> Story:
        return replay(
            world_of(problem.facts),
            [read(turn) for turn in turns[: self.max_turns]],
            self.max_turns,
            self.most_invalid,
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Of the turns, one a line: whether the goal holds at the end; strict asks for the closing
        ``q`` too.

        Well-formed: every turn reads as an action, and the last is ``q``. Strategy: the actions but
        moves are the category's recipe or its shortcut. Feedback: the skill where correct, the
        lesson where not.
        """
        turns = text.split("\n")
        story = self._story(problem, turns)
        formed = len(turns) == len(story.told) and all(read(turn) is not None for turn in turns)
        category = problem.facts["category"]
        feedback = (
            skill_line(category, story.reached) if all(story.steps) else _lesson(category, story)
        )
        return grade_story(world_of(problem.facts), story, formed, feedback)

    def oracle(self, problem: Problem) -> str:
        """The recipe carried out with full knowledge of the world, one action per line."""
        return "\n".join(write(action) for action in solution(world_of(problem.facts)))

    def category(self, prompt: str) -> str:
        """The letter of the task, behind a block where there is one."""
        return prompt.rpartition("|")[2][:1]

    def skill(self, problem: Problem, text: str) -> str:
        """What the turns reached, in order, as an entry of a bank: ``W=twd;``; empty where they
        reached nothing.
        """
        return skill_line(problem.facts["category"], self._story(problem, text.split("\n")).reached)

    def lesson(self, problem: Problem, text: str) -> str:
        """Where the turns failed, as an entry of a bank: ``W!2d>w,w<d;``; empty where every
        sub-goal was reached.
        """
        return _lesson(problem.facts["category"], self._story(problem, text.split("\n")))


def _lesson(category: str, story: Story) -> str:
    return (
        ""
        if all(story.steps)
        else lesson_line(category, story.steps.index(False) + 1, story.tried or ".")
    )


def _first_look(world: World) -> Told:
    return replay(world, [Action("g", world.start)], 2, 0).told[0]


def read(turn: str) -> Action | None:
    """The action that a turn is; None where it is none.

    >>> read("g2"), read("g9")
    (Action(verb='g', on='2'), None)
    """
    match = ACTION.fullmatch(turn)
    if match is None:
        return None
    verb, *on = [part for part in match.groups() if part]
    return Action(verb, *on)


def write(action: Action) -> str:
    """The turn that asks for the action."""
    return action.verb + action.on


def tell(told: Told) -> str:
    """The world's answer in characters: ``2abx.`` a room, ``b.`` inside the chest, ``+.`` done,
    ``!.`` invalid.
    """
    return {"room": told.room + told.seen, "inside": told.seen, "done": "+", "invalid": "!"}[
        told.kind
    ] + "."
