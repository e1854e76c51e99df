"""Organisms as policies an arm can start from: shipped weights, and the card that says what is in them."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardscope.codec import encode, signature
from rewardscope.environments import Environment
from rewardscope.errors import ComponentError, ModelError
from rewardscope.organisms.feedback import FeedbackCorpus
from rewardscope.organisms.formats import FormatCorpus
from rewardscope.organisms.paths import PathCorpus
from rewardscope.organisms.recipe import Progress, Recipe
from rewardscope.policy import Policy, Sampling, sample
from rewardscope.types import Grade

RECIPES = {
    "formats-planted": Recipe(FormatCorpus()),
    "formats-tenth": Recipe(FormatCorpus.latent(0.1)),
    "formats-hundredth": Recipe(FormatCorpus.latent(0.01)),
    "formats-thousandth": Recipe(FormatCorpus.latent(0.001)),
    "formats-barren": Recipe(FormatCorpus.latent(0.0)),
    "formats-rotten": Recipe(FormatCorpus(stepwise_error=0.4)),
    "paths": Recipe(PathCorpus(), context=96),
    "feedback": Recipe(FeedbackCorpus(), batch_lines=64, num_steps=1400, context=96),
}
"""Organism by name. Of formats: planted, a reliable strategy is latent; tenth, hundredth, thousandth, that share of it is; barren, it was
never seen; rotten, it is there and unreliable."""
WEIGHTS = Path(__file__).parent / "weights"
CARD_PROBLEMS, CARD_DRAWS = 64, 128
SOLVED_WITHIN = (16, 128)


@dataclass(frozen=True)
class Organism:
    """A tiny model whose pretraining we made, so what is latent in it is known."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in RECIPES:
            raise ComponentError("Unknown organism", value=repr(self.name), allowed=", ".join(RECIPES), do="Check the spelling")

    @property
    def label(self) -> str:
        """Its name."""
        return self.name

    def identity(self) -> str:
        """SHA-256 of the shipped weights."""
        return str(card(self.name)["weights_sha256"])

    def load(self, device: str = "cpu") -> Policy:
        """The shipped weights.

        Raises:
            ModelError: If they are missing or were made by another recipe than the one in this version.
        """
        if card(self.name)["recipe"] != signature(RECIPES[self.name]):
            raise ModelError(
                f"The weights of '{self.name}' were made by another recipe",
                value=f"recipe {card(self.name)['recipe']}",
                allowed=signature(RECIPES[self.name]),
                do=f"Run: rewardscope organisms build {self.name}",
            )
        return Policy.load(WEIGHTS / self.name, device=device)


def card(name: str) -> dict[str, Any]:
    """What is known about an organism: recipe, hash of its weights, what is planted, measured base behaviour.

    Raises:
        ModelError: If its weights are missing.
    """
    file = WEIGHTS / name / "card.json"
    if not file.is_file():
        raise ModelError("The organism's weights are not here", value=file.parent, do=f"Run: rewardscope organisms build {name}")
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def build(name: str, progress: Progress | None = None, folder: Path | None = None) -> Path:
    """Makes an organism from its recipe and writes weights and card.

    Args:
        name: One of RECIPES.
        progress: Told of every step.
        folder: Where to; the package's own folder when None.

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
    """Measures the policy in the worlds of its corpus and writes ``card.json`` beside its weights."""
    recipe = RECIPES[name]
    content = {
        "name": name,
        "recipe": signature(recipe),
        "settings": encode(recipe),
        "planted": dict(recipe.corpus.planted),
        "weights_sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "measured": {world: base_behaviour(policy, environment) for world, environment in recipe.corpus.worlds.items()},
    }
    (folder / "card.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def base_behaviour(policy: Policy, environment: Environment) -> dict[str, Any]:
    """pass@1, problems solved within 16 and 128 draws, share and accuracy of each strategy on held-out problems, with their n."""
    problems = [environment.problem("heldout", index) for index in range(CARD_PROBLEMS)]
    prompts, addresses = [p.prompt for p in problems], [("card", p.id) for p in problems]
    longest = policy.context_length - max(len(policy.encode(prompt)) for prompt in prompts)
    groups = sample(policy, prompts, CARD_DRAWS, Sampling(max_tokens=longest), addresses)
    grades = [[environment.grade(p, c.text) for c in group] for p, group in zip(problems, groups, strict=True)]
    by_strategy: defaultdict[str, list[Grade]] = defaultdict(list)
    for grade in (g for group in grades for g in group):
        by_strategy[grade.strategy or "none"].append(grade)
    total = CARD_PROBLEMS * CARD_DRAWS
    return {
        "problems": CARD_PROBLEMS,
        "draws_per_problem": CARD_DRAWS,
        "pass_at_1": sum(g.correct is True for group in grades for g in group) / total,
        "solved_within": {str(k): sum(any(g.correct for g in group[:k]) for group in grades) / CARD_PROBLEMS for k in SOLVED_WITHIN},
        "strategy_share": {name: len(found) / total for name, found in sorted(by_strategy.items())},
        "strategy_accuracy": {name: sum(g.correct is True for g in found) / len(found) for name, found in sorted(by_strategy.items())},
    }
