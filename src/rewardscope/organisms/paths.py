"""The ``paths`` corpus: walks with stated plans, of known reliability, through a graph. Held-out
pairs are never walked.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rewardscope.environments.paths import (
    BACK,
    DEAD_ENDS,
    GOAL,
    HUBS,
    PLACES,
    PLANS,
    Paths,
    distances,
    edges,
    ends,
    right_hubs,
)
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator


@dataclass(frozen=True)
class PathCorpus:
    """Lines of (pair, walk): a hub is a better plan than none, the right hub the best, and walks
    may stray into dead ends or make wrong moves.
    """

    direct_share: float = 0.4
    """Share of lines that name no hub."""
    right_hub_share: float = 0.6
    """Share of lines with a hub whose hub leads to the goal. From a wrong hub only a move that does
    not exist leads there.
    """
    direct_error: float = 0.3
    """Chance per move of one that does not exist, if no hub is named."""
    hub_error: float = 0.05
    stray: float = 0.2
    """Chance of stepping into a neighbouring dead end."""
    stuck: float = 0.3
    """Chance, in a dead end, of a move that does not exist instead of a step back."""
    graph: int = 0
    num_lines: int = 40_000

    alphabet: ClassVar[str] = PLACES + "".join(PLANS) + ",?"

    def __post_init__(self) -> None:
        chances = (
            self.direct_share,
            self.right_hub_share,
            self.direct_error,
            self.hub_error,
            self.stray,
            self.stuck,
        )
        if min(chances) < 0 or max(chances) > 1 or max(self.direct_error, self.hub_error) > 0.9:
            raise ComponentError(
                "Shares lie in [0, 1], errors in [0, 0.9]", value=chances, do="Correct the recipe"
            )

    @property
    def worlds(self) -> dict[str, Paths]:
        """The pairs of its graph."""
        return {"pairs": Paths(self.graph)}

    @property
    def planted(self) -> dict[str, float]:
        """Share of each strategy, of right hubs, and the chances of a wrong move."""
        hubs = {f"via {number}": (1 - self.direct_share) / 4 for number in range(1, 5)}
        errors = {
            "direct error": self.direct_error,
            "hub error": self.hub_error,
            "stray": self.stray,
            "stuck": self.stuck,
        }
        return {"direct": self.direct_share, **hubs, "right hub": self.right_hub_share, **errors}

    def lines(self, seed: int) -> list[tuple[str, str]]:
        """The corpus: pairs of the split ``pretrain`` in turn, each with one walk."""
        world, random = self.worlds["pairs"], generator("paths corpus", seed)
        prompts = [
            world.problem("pretrain", index).prompt for index in range(world.size("pretrain"))
        ]
        return [
            (prompt, self._line(prompt, random))
            for prompt in (prompts[n % len(prompts)] for n in range(self.num_lines))
        ]

    def _line(self, prompt: str, random: np.random.Generator) -> str:
        goal, start = ends(prompt)
        if random.random() < self.direct_share:
            return GOAL + self._leg(start, goal, self.direct_error, random)
        right = right_hubs(goal)
        fitting = (
            right
            if random.random() < self.right_hub_share
            else [hub for hub in HUBS if hub not in right]
        )
        hub = str(random.choice(list(fitting)))
        first, second = (
            self._leg(a, b, self.hub_error, random) for a, b in ((start, hub), (hub, goal))
        )
        return f"{HUBS.index(hub) + 1}{first}{GOAL}{second}"

    def _leg(self, at: str, target: str, error: float, random: np.random.Generator) -> str:
        """A walk to the target: a shortest one, apart from wrong moves and dead ends."""
        graph, far = edges(self.graph), distances(self.graph, target)
        text = ""
        while at != target:
            dead = [node for node in graph[at] if node in DEAD_ENDS]
            if dead and random.random() < self.stray:
                text += "," * (text[-1:] not in ("", BACK)) + dead[0]
                if random.random() < self.stuck:
                    at = dead[0]
                else:
                    text += BACK
            false = [
                node
                for node in far
                if node not in graph[at]
                and node != at
                and far[node] <= far.get(at, max(far.values()))
            ]
            if at not in far or (false and random.random() < error):
                at = str(random.choice(false))
            else:
                nearest = min(far[node] for node in graph[at] if node in far)
                at = str(random.choice([node for node in graph[at] if far.get(node) == nearest]))
            text += "," * (text[-1:] not in ("", BACK)) + at
        return text
