"""Tiny models with known content: recipes, shipped weights, cards."""

from rewardscope.organisms.belief import BeliefCorpus
from rewardscope.organisms.feedback import FeedbackCorpus
from rewardscope.organisms.formats import FormatCorpus
from rewardscope.organisms.house import HouseCorpus
from rewardscope.organisms.nests import NestCorpus
from rewardscope.organisms.organism import RECIPES, build, card
from rewardscope.organisms.paths import PathCorpus
from rewardscope.organisms.recipe import Recipe
from rewardscope.organisms.rules import RuleCorpus

__all__ = [
    "RECIPES",
    "BeliefCorpus",
    "FeedbackCorpus",
    "FormatCorpus",
    "HouseCorpus",
    "NestCorpus",
    "PathCorpus",
    "Recipe",
    "RuleCorpus",
    "build",
    "card",
]
