"""The ``house`` corpus: episodes played well and badly in known shares, some after skills or
lessons of a bank.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from rewardscope.environments.house.compact import (
    ALPHABET,
    House,
    lesson_line,
    shortcut_lesson,
    skill_line,
    tell,
    write,
)
from rewardscope.environments.house.world import (
    DONE,
    INSIDE,
    KEY,
    RECIPES,
    ROOMS,
    SHORTCUTS,
    THINGS,
    Action,
    State,
    Told,
    World,
    world_of,
)
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator

MAX_TURNS = 16
FEWER_LINES = (0.4, 0.75)
"""Share of blocks with no line, and with one or none; the others have two."""


@dataclass(frozen=True)
class HouseCorpus:
    """Episodes of the house by a player who sees what a policy sees; the fields set which skills
    are latent in a model of them.

    The player follows the category's recipe or its shortcut, and searches room after room for what
    it needs. After a line about its own category, it follows the line as often as declared here.
    Lines about other categories change nothing.
    """

    good_share: float = 0.35
    """Share of episodes without a relevant line that follow the recipe: how good the play is."""
    skill_share: float = 0.95
    """Share that follow a skill of their category, whether it gives the recipe or the shortcut."""
    lesson_share: float = 0.75
    """Share that follow the recipe after a lesson of their category."""
    wrong_skills: float = 0.3
    """Share of skills whose recipe lacks a step."""
    slip: float = 0.02
    """Chance per turn of a random action."""
    num_lines: int = 20_000

    alphabet: ClassVar[str] = ALPHABET

    def __post_init__(self) -> None:
        shares = [getattr(self, f.name) for f in fields(self) if f.name != "num_lines"]
        if not all(0 <= share <= 1 for share in shares):
            raise ComponentError("Shares lie between 0 and 1", value=self, do="Correct the recipe")

    @property
    def worlds(self) -> dict[str, House]:
        """The house without a block, and with each kind of block."""
        return {
            "no block": House(),
            "right skill": House(block="skill"),
            "right lesson": House(block="lesson"),
            "wrong skill": House(block="wrong"),
            "other category's skill": House(block="other"),
        }

    @property
    def planted(self) -> dict[str, float]:
        """Shares of episodes that follow the recipe, by the line before the prompt, and of turns
        that slip.
        """
        return {
            "recipe": self.good_share,
            "recipe behind its skill": self.skill_share,
            "recipe behind its lesson": self.lesson_share,
            "slip": self.slip,
        }

    def lines(self, seed: int) -> list[tuple[str, tuple[str, ...]]]:
        """The corpus: problems of the split ``pretrain``, each with a block of 0 to 2 lines and one
        episode.
        """
        environment, random = House(), generator("house corpus", seed)
        episodes = []
        for index in range(self.num_lines):
            problem = environment.problem("pretrain", index)
            world = world_of(problem.facts)
            lines, recipe = self._block(world.category, random)
            block = f"{''.join(lines)}|" if lines else ""
            episodes.append((block + problem.prompt, play(world, recipe, self.slip, random)))
        return episodes

    def _block(self, category: str, random: np.random.Generator) -> tuple[list[str], str]:
        """Lines of a bank, and the recipe played after them. The last line about the episode's own
        category decides.
        """
        lines, share, said = [], self.good_share, RECIPES[category]
        for _ in range(int(np.searchsorted(FEWER_LINES, random.random(), side="right"))):
            about = (
                category
                if random.random() < 0.5
                else _one_of("".join(c for c in RECIPES if c != category), random)
            )
            line, recipe, followed = self._line(about, random)
            lines.append(line)
            if about == category:
                share, said = followed, recipe
        follows = random.random() < share
        return lines, said if follows else SHORTCUTS[category]

    def _line(self, about: str, random: np.random.Generator) -> tuple[str, str, float]:
        """A line about a category, its recipe, and the share of episodes that follow it."""
        recipe = RECIPES[about]
        if random.random() < 0.4:
            return _lesson(about, random), recipe, self.lesson_share
        if random.random() < self.wrong_skills:
            left_out = int(random.integers(len(recipe)))
            recipe = (
                SHORTCUTS[about]
                if random.random() < 0.75
                else recipe[:left_out] + recipe[left_out + 1 :]
            )
        return skill_line(about, recipe), recipe, self.skill_share


def _lesson(about: str, random: np.random.Generator) -> str:
    """A lesson: mostly the one from the category's shortcut, sometimes one from another failure."""
    if random.random() < 0.7:
        return shortcut_lesson(about)
    failed_at = int(random.integers(len(RECIPES[about]))) + 1
    return lesson_line(
        about, failed_at, _one_of("otdwq!.".replace(RECIPES[about][failed_at - 1], ""), random)
    )


def _one_of(letters: str, random: np.random.Generator) -> str:
    return letters[int(random.integers(len(letters)))]


class _Player:
    """Carries out a recipe with the items seen so far, and searches room after room for others."""

    def __init__(self, world: World, recipe: str) -> None:
        self.state, self.left = State(world), list(recipe)
        self.where: dict[str, str] = {}
        self.visited: set[str] = set()
        self.hear(self.state.look())

    def hear(self, told: Told) -> None:
        """Remembers what it sees."""
        if told.kind in ("room", "inside"):
            self.visited.add(self.state.at)
            self.where |= {letter if letter != "y" else INSIDE: told.room for letter in told.seen}

    def next(self) -> Action:
        """The next action of the recipe. A step that was tried counts as done."""
        if not self.left:
            return Action(DONE)
        room, action = self._wanted(self.left[0])
        if room is None:
            unseen = [r for r in ROOMS if r not in self.visited]
            if unseen:
                return Action("g", unseen[0])
            room = self.where[INSIDE]  # in no room, so it must be in the container
        if room != self.state.at:
            return Action("g", room)
        self.left.pop(0)
        return action

    def _wanted(self, letter: str) -> tuple[str | None, Action]:
        """The room for a step, None if unknown, and the action."""
        world = self.state.world
        if letter == "k":
            return self.where.get(KEY), Action("t", KEY)
        if letter == "o":
            return self.where.get(INSIDE), Action("o", INSIDE)
        if letter == "w":
            return self.where.get("s"), Action("w", world.wanted)
        if letter == "d":
            held = [item for item in world.wanted if self._holds(item)]
            return world.room, Action("d", (held or [world.wanted[0]])[0])
        open_ = [item for item in world.wanted if not self._holds(item)] or [world.wanted[0]]
        known = sorted(
            (t for t in open_ if t in self.where), key=lambda t: self.where[t] != self.state.at
        )
        return (
            (self.where[known[0]], Action("t", known[0]))
            if known
            else (None, Action("t", open_[0]))
        )

    def _holds(self, item: str) -> bool:
        return self.state.places[item] == "h"


def play(world: World, recipe: str, slip: float, random: np.random.Generator) -> tuple[str, ...]:
    """An episode: turn, answer, turn ... up to the closing turn, or to ``MAX_TURNS``."""
    player, said = _Player(world, recipe), []
    for _ in range(MAX_TURNS):
        action = _at_random(random) if random.random() < slip else player.next()
        said.append(write(action))
        if action.verb == DONE:
            break
        told = player.state.act(action)
        player.hear(told)
        said.append(tell(told))
    return tuple(said[:-1]) if len(said) % 2 == 0 else tuple(said)


def _at_random(random: np.random.Generator) -> Action:
    verb = _one_of("gtdwo", random)
    on = {"g": ROOMS, "t": THINGS + KEY, "d": THINGS + KEY, "w": THINGS, "o": INSIDE}[verb]
    return Action(verb, _one_of(on, random))
