"""Tiny models of known content: recipes, shipped weights, cards."""

from rewardscope.organisms.formats import FormatCorpus
from rewardscope.organisms.house import HouseCorpus
from rewardscope.organisms.organism import RECIPES, Organism, build, card
from rewardscope.organisms.recipe import Recipe

__all__ = ["RECIPES", "FormatCorpus", "HouseCorpus", "Organism", "Recipe", "build", "card"]
