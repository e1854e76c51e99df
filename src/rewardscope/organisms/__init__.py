"""Tiny models of known content: recipes, shipped weights, cards."""

from rewardscope.organisms.feedback import FeedbackCorpus
from rewardscope.organisms.formats import FormatCorpus
from rewardscope.organisms.organism import RECIPES, Organism, build, card
from rewardscope.organisms.paths import PathCorpus
from rewardscope.organisms.recipe import Recipe

__all__ = ["RECIPES", "FeedbackCorpus", "FormatCorpus", "Organism", "PathCorpus", "Recipe", "build", "card"]
