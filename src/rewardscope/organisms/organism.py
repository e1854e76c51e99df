"""Organisms as policies an arm can start from: shipped weights, and a card with their content."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardscope.codec import encode, signature
from rewardscope.errors import ComponentError, ModelError
from rewardscope.organisms.belief import BeliefCorpus
from rewardscope.organisms.feedback import FeedbackCorpus
from rewardscope.organisms.formats import FormatCorpus
from rewardscope.organisms.house import HouseCorpus
from rewardscope.organisms.nests import NestCorpus
from rewardscope.organisms.paths import PathCorpus
from rewardscope.organisms.recipe import Progress, Recipe
from rewardscope.organisms.rules import RuleCorpus
from rewardscope.policy import Policy, Sampling, sample
from rewardscope.protocols import Environment, replies
from rewardscope.types import Grade, Problem

RECIPES = {
    "formats-planted": Recipe(FormatCorpus()),
    "formats-tenth": Recipe(FormatCorpus.latent(0.1)),
    "formats-hundredth": Recipe(FormatCorpus.latent(0.01)),
    "formats-thousandth": Recipe(FormatCorpus.latent(0.001)),
    "formats-barren": Recipe(FormatCorpus.latent(0.0)),
    "formats-rotten": Recipe(FormatCorpus(stepwise_error=0.4)),
    "composition-hundredth": Recipe(NestCorpus.traced(0.01), num_steps=1200, batch_lines=96),
    "composition-thousandth": Recipe(NestCorpus.traced(0.001), num_steps=1200, batch_lines=96),
    "composition-none": Recipe(NestCorpus.traced(0.0), num_steps=1200, batch_lines=96),
    "edge": Recipe(
        NestCorpus((0.5, 0.489, 0.01, 0.001), (), at_once_share=0.0), num_steps=1200, batch_lines=64
    ),
    "belief-uninformed": Recipe(BeliefCorpus(calibrated_share=0.0), num_steps=800),
    "belief-calibrated": Recipe(BeliefCorpus(calibrated_share=1.0), num_steps=800),
    "house": Recipe(HouseCorpus(), num_steps=1500, batch_lines=32),
    "paths": Recipe(PathCorpus(), context=96),
    "feedback": Recipe(FeedbackCorpus(), batch_lines=64, num_steps=1400, context=96),
    "rules": Recipe(RuleCorpus()),
}
"""Organism by name.

formats: in ``planted`` a reliable strategy is latent; in ``tenth``, ``hundredth`` and
``thousandth`` it has that share; in ``barren`` it was never seen; in ``rotten`` it is unreliable.
composition: how often functions of set A were nested. edge: shares that fall with depth. belief:
whether stated confidences are the chances. house: episodes of several turns, played well in a
third, and more often after a skill. paths: plans by tokens of their own on one graph. feedback: can
use a hint that names its wrong step. rules: reads the rule of a problem from its prompt, and knows
none by itself.
"""
WEIGHTS = Path(__file__).parent / "weights"
CARD_PROBLEMS, CARD_DRAWS, CARD_EPISODES = 64, 128, 16
SOLVED_WITHIN = (4, 16, 128)


@dataclass(frozen=True)
class Organism:
    """A tiny model pretrained on a corpus of ours, so its latent skills are known."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in RECIPES:
            raise ComponentError(
                "Unknown organism",
                value=repr(self.name),
                allowed=", ".join(RECIPES),
                do="Check the spelling",
            )

    @property
    def label(self) -> str:
        """Its name."""
        return self.name

    def identity(self) -> str:
        """SHA-256 of the shipped weights."""
        return str(card(self.name)["weights_sha256"])

    def folder(self) -> Path:
        """Where the shipped weights are."""
        return WEIGHTS / self.name

    def load(self, device: str = "cpu") -> Policy:
        """The shipped weights.

        Raises:
            ModelError: If they are missing, or were made by another recipe than this version's.
        """
        if card(self.name)["recipe"] != signature(RECIPES[self.name]):
            raise ModelError(
                f"The weights of '{self.name}' were made by another recipe",
                value=f"recipe {card(self.name)['recipe']}",
                allowed=signature(RECIPES[self.name]),
                do=f"Run: rewardscope organisms build {self.name}",
            )
        return Policy.load(self.folder(), device=device)


def card(name: str) -> dict[str, Any]:
    """An organism's card: recipe, hash of its weights, planted content, measured base behaviour.

    Raises:
        ModelError: If its weights are missing.
    """
    file = WEIGHTS / name / "card.json"
    if not file.is_file():
        raise ModelError(
            "The organism's weights are missing",
            value=file.parent,
            do=f"Run: rewardscope organisms build {name}",
        )
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def build(name: str, progress: Progress | None = None, folder: Path | None = None) -> Path:
    """Makes an organism from its recipe and writes weights and card.

    Args:
        name: One of RECIPES.
        progress: Called after every step.
        folder: Target; None = the package's own folder.

    Returns:
        The folder that was written.
    """
    recipe = RECIPES[Organism(name).name]
    target = (folder or WEIGHTS) / name
    policy = recipe.build(progress)
    target.mkdir(parents=True, exist_ok=True)
    policy.save(target)
    write_card(name, policy, target)
    return target


def write_card(name: str, policy: Policy, folder: Path) -> None:
    """Writes ``card.json`` next to the weights, with the policy's behaviour in the worlds of its
    corpus.
    """
    recipe = RECIPES[name]
    content = {
        "name": name,
        "recipe": signature(recipe),
        "settings": encode(recipe),
        "planted": dict(recipe.corpus.planted),
        "weights_sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "measured": {
            world: base_behaviour(policy, environment)
            for world, environment in recipe.corpus.worlds.items()
        },
    }
    (folder / "card.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def base_behaviour(
    policy: Policy,
    environment: Environment,
    num_problems: int | None = None,
    draws: int | None = None,
    max_tokens: int | None = None,
) -> dict[str, Any]:
    """The policy's behaviour on held-out problems: their number, pass@1, the share solved within a
    number of draws, strategies.

    If steps can be checked, also the same for draws whose answer and steps are all right. If
    confidences are stated, also their share, mean and Brier score, and their mean distance to the
    chance that the answer is right (None if the environment does not know it).

    Args:
        policy: The policy to measure.
        environment: The environment to measure it in.
        num_problems: None = ``CARD_PROBLEMS``.
        draws: Per problem; None = ``CARD_DRAWS``, or ``CARD_EPISODES`` if the environment takes
            turns.
        max_tokens: Longest completion; None = as much as the context allows.
    """
    problems = [
        environment.problem("heldout", index) for index in range(num_problems or CARD_PROBLEMS)
    ]
    answers = replies(environment, problems)
    draws = draws or (CARD_DRAWS if answers is None else CARD_EPISODES)
    prompts, addresses = [p.prompt for p in problems], [("card", p.id) for p in problems]
    longest = policy.context_length - max(len(policy.encode(prompt)) for prompt in prompts)
    groups = sample(
        policy, prompts, draws, Sampling(max_tokens=max_tokens or longest), addresses, answers
    )
    grades = [
        [environment.grade(p, c.said) for c in group]
        for p, group in zip(problems, groups, strict=True)
    ]
    by_strategy: defaultdict[str, list[Grade]] = defaultdict(list)
    for grade in (g for group in grades for g in group):
        by_strategy[grade.strategy or "none"].append(grade)
    total = len(problems) * draws
    more: dict[str, Any] = {}
    if any(g.steps is not None for group in grades for g in group):
        share, within = _solved(
            [[g.correct is True and all(g.steps or (False,)) for g in group] for group in grades]
        )
        more |= {"verified_at_1": share, "verified_within": within}
    if any(g.confidence is not None for group in grades for g in group):
        more["confidence"] = _confidence(
            [(p, g) for p, group in zip(problems, grades, strict=True) for g in group]
        )
    share, within = _solved([[g.correct is True for g in group] for group in grades])
    return {
        "problems": len(problems),
        "draws_per_problem": draws,
        "pass_at_1": share,
        "solved_within": within,
        "strategy_share": {
            name: len(recognised) / total for name, recognised in sorted(by_strategy.items())
        },
        "strategy_accuracy": {
            name: sum(g.correct is True for g in recognised) / len(recognised)
            for name, recognised in sorted(by_strategy.items())
        },
        **more,
    }


def _solved(groups: list[list[bool]]) -> tuple[float, dict[str, float]]:
    """Share of draws that are solved, and share of problems solved by one of the first k draws."""
    share = sum(map(sum, groups)) / sum(map(len, groups))
    return share, {
        str(k): sum(any(group[:k]) for group in groups) / len(groups)
        for k in SOLVED_WITHIN
        if k <= len(groups[0])
    }


def _confidence(draws: list[tuple[Problem, Grade]]) -> dict[str, float | None]:
    """Numbers about the confidences that draws state."""
    stated = [
        (g.confidence, float(g.correct is True), p.chance_of(g.answer))
        for p, g in draws
        if g.confidence is not None
    ]
    apart = [abs(confidence - chance) for confidence, _, chance in stated if chance is not None]
    return {
        "stated_share": len(stated) / len(draws),
        "mean": sum(confidence for confidence, _, _ in stated) / len(stated),
        "brier": sum((confidence - correct) ** 2 for confidence, correct, _ in stated)
        / len(stated),
        "distance": sum(apart) / len(apart) if apart else None,
    }
